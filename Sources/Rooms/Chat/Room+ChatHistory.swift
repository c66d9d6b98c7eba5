import CRDT

// A chat document keeps the newest lines; older ones go to the archive first and leave it then.
extension Room {
    /// The edits of a write to a document, with the changes of chat lines: found by id, now that nothing is on its way.
    mutating func withChatChanges(_ edits: [PlannedEdit], of document: RoomDocument) -> [PlannedEdit] {
        guard let state = chats[document.name] else { return edits }
        var all: [PlannedEdit] = []
        if !state.replacements.isEmpty {
            for (index, value) in document.live.array("messages").enumerated() {
                guard let id = value["id"]?.string, let line = state.replacements[id] else { continue }
                all.append(.replace(root: "messages", index: index, value: line.value))
            }
        }
        all += edits
        if state.trim > 0 { all.append(.removeFirst(root: "messages", count: state.trim)) }
        chats[document.name]?.begin()
        return all
    }

    /// A write of a chat document is on disk.
    mutating func finishChat(_ name: String) {
        guard DocumentName.isChat(name) else { return }
        let due = chats[name]?.finish() ?? []
        for notice in due { actions.append(.notify(notice)) }
        shelve(name)
    }

    /// Hands the oldest lines to the archive when there are too many.
    mutating func shelve(_ name: String) {
        let state = chats[name] ?? ChatState()
        guard let live = documents[name]?.live, state.shelving.isEmpty, state.leaving.isEmpty,
            live.arrayCount("messages") >= limits.chatHistory + limits.chatShelf
        else { return }
        let lines = live.array("messages").prefix(limits.chatShelf).compactMap(ChatLine.init)
        guard lines.count == limits.chatShelf else { return }
        chats[name, default: ChatState()].beginShelving(lines)
        actions.append(.archiveChat(document: name, lines: lines))
    }

    /// The archive has stored the lines it was given, or could not; then they stay and are handed over again after the
    /// next write.
    public mutating func chatArchived(document name: String, isStored: Bool) {
        guard let lines = chats[name]?.endShelving(), !lines.isEmpty, isStored,
            let live = documents[name]?.live
        else { return }
        // A line that was changed meanwhile is archived as it is now.
        guard chats[name]?.hasReplacements != true else { return }
        guard live.array("messages").prefix(lines.count).compactMap(ChatLine.init) == lines else {
            return shelve(name)
        }
        chats[name]?.letGo(lines)
        write([], to: name)
    }

    /// Records of the log as they may be shown: what was deleted or edited in a chat is gone from them, and so are lines
    /// that left for the archive. They still make the document as it is now.
    ///
    /// - Complexity: O(records + state of the chats named).
    public func redacted(_ records: [LogRecord]) -> [LogRecord] {
        var states: [String: Update] = [:]
        return records.map { record in
            guard record.kind == .update, DocumentName.isChat(record.document),
                let live = documents[record.document]?.live,
                let update = try? Update(decodingV1: record.payload)
            else { return record }
            let ranges = update.ranges
            // What is on disk and not applied yet, nothing can have been taken from.
            guard !ranges.isEmpty, ranges.allSatisfy({ $0.to <= live.clock(of: $0.client) }) else {
                return record
            }
            let state = states[record.document] ?? (try? Update(decodingV1: live.encodeStateAsUpdate()))
            guard let state else { return record }
            states[record.document] = state
            var shown = record
            shown.payload = state.part(ranges, deletes: update.deletes).bytes
            return shown
        }
    }

    /// The lines of a chat document that stand in it, oldest first; nil for whoever may not read it.
    public func chatLines(in document: String, for caller: RoomCaller) -> [ChatLine]? {
        guard DocumentName.isChat(document), policy.access(to: document, for: caller) == .read,
            let live = documents[document]?.live
        else { return nil }
        return live.array("messages").compactMap(ChatLine.init)
    }
}
