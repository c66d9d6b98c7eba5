import CRDT
import SyncProtocol

// Chat lines: posted, edited, deleted. Author and time are the server's.
extension Room {
    /// Puts a chat line into the room's chat document.
    mutating func post(
        _ text: String?, nonce: String, newID: String, from subscriber: Subscriber, atMs: Int64
    ) {
        let caller = subscriber.caller
        guard let document = policy.chatDocument(for: caller), let live = documents[document]?.live,
            !caller.userID.isEmpty
        else { return refuseChat(subscriber, nonce, "not_allowed") }
        guard let text, Self.isNonce(nonce) else { return refuseChat(subscriber, nonce, "malformed") }
        if let known = chat.result(author: caller.userID, nonce: nonce, atMs: atMs) {
            return acceptAgain(
                .init(subscriber: subscriber.id, nonce: nonce, messageID: known), in: document)
        }
        let waiting = documents[document]?.serverWrites.edits.count ?? 0
        guard live.arrayCount("messages") + waiting < limits.chatLines else {
            return refuseChat(subscriber, nonce, "unavailable")
        }
        guard mayBeSaid(text, by: subscriber, nonce: nonce, slowModeMs: moderation.slowModeMs, atMs: atMs)
        else { return }
        chat.remember(author: caller.userID, nonce: nonce, result: newID, atMs: atMs)
        var line = ChatLine(
            id: newID, author: ChatPerson(id: caller.userID, handle: caller.handle), text: text,
            at: timestamp(atMs))
        line.mentions = people(namedIn: text, document)
        write([.append(root: "messages", values: [line.value])], to: document)
        notify(line.mentions, of: line, in: document)
        documents[document]?.serverWrites.acknowledgements.append(
            .init(subscriber: subscriber.id, nonce: nonce, messageID: newID))
        documents[document]?.serverWrites.notes.append(
            Value.object([
                ("author", .string(caller.userID)), ("nonce", .string(nonce)), ("id", .string(newID)),
            ]).json)
    }

    /// Gives an own line another text.
    mutating func editChat(_ fields: Value, nonce: String, from subscriber: Subscriber, atMs: Int64) {
        let caller = subscriber.caller
        guard let id = fields["id"]?.string, let text = fields["text"]?.string, Self.isNonce(nonce) else {
            return refuseChat(subscriber, nonce, "malformed")
        }
        guard let document = chatDocument(fields, subscriber), document == policy.chatDocument(for: caller)
        else { return refuseChat(subscriber, nonce, "not_allowed") }
        guard var line = line(id, in: document) else { return refuseChat(subscriber, nonce, "not_found") }
        guard line.author.id == caller.userID, !line.isDeleted else {
            return refuseChat(subscriber, nonce, "not_allowed")
        }
        guard mayBeSaid(text, by: subscriber, nonce: nonce, slowModeMs: 0, atMs: atMs) else { return }
        let known = Set(line.mentions.map(\.id))
        line.text = text
        line.editedAt = timestamp(atMs)
        line.mentions = people(namedIn: text, document)
        replace(line, in: document)
        notify(line.mentions.filter { !known.contains($0.id) }, of: line, in: document)
        acknowledge(subscriber.id, nonce, id, in: document)
    }

    mutating func deleteChat(_ fields: Value, nonce: String, from subscriber: Subscriber) {
        guard let id = fields["id"]?.string, Self.isNonce(nonce), let reason = Self.reason(fields) else {
            return refuseChat(subscriber, nonce, "malformed")
        }
        guard let document = chatDocument(fields, subscriber) else {
            return refuseChat(subscriber, nonce, "not_allowed")
        }
        switch deleteChatLine(id, in: document, by: subscriber.caller, reason: reason) {
        case .taken: acknowledge(subscriber.id, nonce, id, in: document)
        case .notHere: refuseChat(subscriber, nonce, "not_found")
        case .notAllowed: refuseChat(subscriber, nonce, "not_allowed")
        }
    }

    /// What came of deleting a line.
    public enum ChatDeletion: Sendable {
        case taken
        /// It is not in the document; perhaps it is in the archive.
        case notHere
        case notAllowed
    }

    /// Takes a line's text away, for its author or a moderator. The line keeps its place.
    public mutating func deleteChatLine(
        _ id: String, in document: String, by caller: RoomCaller, reason: String
    ) -> ChatDeletion {
        guard let line = line(id, in: document) else { return .notHere }
        guard policy.mayDelete(line, in: document, caller) else { return .notAllowed }
        guard !line.isDeleted else { return .taken }
        let person = ChatPerson(id: caller.userID, handle: caller.handle)
        replace(line.deleted(by: person, reason: reason.isEmpty ? nil : reason), in: document)
        return .taken
    }

    // MARK: Rules

    /// Whether an author may say that now; says why not.
    private mutating func mayBeSaid(
        _ text: String, by subscriber: Subscriber, nonce: String, slowModeMs: Int64, atMs: Int64
    ) -> Bool {
        let caller = subscriber.caller
        func refuse(_ reason: String, _ more: [(String, Value)] = []) -> Bool {
            refuseChat(subscriber, nonce, reason, more)
            return false
        }
        if specification.isArchived { return refuse("archived") }
        if let mute = moderation.mute(of: caller.userID, atMs: atMs) {
            return refuse(
                "muted", [("until", .string(timestamp(mute.untilMs))), ("detail", .string(mute.reason))])
        }
        guard text.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) else {
            return refuse("empty")
        }
        guard text.utf16.count <= Limits.chatLength else { return refuse("too_long") }
        guard !isReadOnly else { return refuse(WriteRefusal.diskFull.rawValue) }
        let moderates = policy.mayModerate(caller)
        let refusal = chat.admit(
            text, author: caller.userID, slowModeMs: moderates ? 0 : slowModeMs,
            isWatcher: !policy.isParticipant(caller) && !moderates, atMs: atMs)
        switch refusal {
        case nil: return true
        case .slowMode(let retryAfterMs)?:
            return refuse("slow_mode", [("retry_after_ms", .integer(Int(retryAfterMs)))])
        case let other?: return refuse(other.reason)
        }
    }

    /// The chat that a message is about: the one it names, that of its socket, or the one its author speaks in; nil
    /// where the caller may not read that.
    func chatDocument(_ fields: Value, _ subscriber: Subscriber) -> String? {
        let own = DocumentName.isChat(subscriber.document) ? subscriber.document : nil
        let name = fields["document"]?.string ?? own ?? policy.chatDocument(for: subscriber.caller)
        guard let name, DocumentName.isChat(name), documents[name] != nil, !subscriber.caller.userID.isEmpty,
            policy.access(to: name, for: subscriber.caller) == .read
        else { return nil }
        return name
    }

    /// A line of the document with all that was accepted about it; nil where it is not, or is leaving.
    private func line(_ id: String, in document: String) -> ChatLine? {
        guard let live = documents[document]?.live, chats[document]?.leaving.contains(id) != true else {
            return nil
        }
        let value = live.array("messages").last { $0["id"]?.string == id }
        guard let line = value.flatMap(ChatLine.init) else { return nil }
        return chats[document]?.latest(line) ?? line
    }

    /// The people a text names who may read that chat: participants, and those who have a socket in the room.
    private func people(namedIn text: String, _ document: String) -> [ChatPerson] {
        let handles = Mentions.handles(in: text)
        guard !handles.isEmpty else { return [] }
        var wanted = Set(handles)
        var found: [String: ChatPerson] = [:]
        func consider(_ userID: String, _ handle: String, _ caller: @autoclosure () -> RoomCaller) {
            let key = handle.lowercased()
            guard !userID.isEmpty, wanted.contains(key), policy.access(to: document, for: caller()) == .read
            else { return }
            wanted.remove(key)
            found[key] = ChatPerson(id: userID, handle: handle)
        }
        for member in specification.participants {
            consider(
                member.userID, member.handle,
                RoomCaller(userID: member.userID, handle: member.handle, sessionID: ""))
        }
        if !wanted.isEmpty {
            for subscriber in subscribers.values {
                consider(subscriber.caller.userID, subscriber.caller.handle, subscriber.caller)
            }
        }
        return handles.compactMap { found[$0] }
    }

    private mutating func notify(_ mentioned: [ChatPerson], of line: ChatLine, in document: String) {
        for person in mentioned where person.id != line.author.id {
            let json = Value.object([
                ("room_id", .string(specification.id)), ("document", .string(document)),
                ("message_id", .string(line.id)), ("author", line.author.value), ("text", .string(line.text)),
            ]).json
            chats[document, default: ChatState()].notices.append(
                UserNotice(userID: person.id, type: "mention", from: line.author.id, json: json))
        }
    }

    private mutating func replace(_ line: ChatLine, in document: String) {
        chats[document, default: ChatState()].replace(line)
        write([], to: document)
    }

    // MARK: Answers

    mutating func refuseChat(
        _ subscriber: Subscriber, _ nonce: String, _ reason: String, _ more: [(String, Value)] = []
    ) {
        answer(
            subscriber.id,
            [("type", .string("chat.refused")), ("nonce", .string(nonce)), ("reason", .string(reason))] + more
        )
    }

    /// Answers once the document's next write is on disk.
    private mutating func acknowledge(
        _ id: SubscriberID, _ nonce: String, _ messageID: String, in document: String
    ) {
        documents[document]?.serverWrites.acknowledgements.append(
            .init(subscriber: id, nonce: nonce, messageID: messageID))
        hasServerEdits = true
    }

    /// A line that was posted before is acknowledged again, but not before it is on disk.
    private mutating func acceptAgain(_ again: ServerWrites.Acknowledgement, in document: String) {
        func isSame(_ other: ServerWrites.Acknowledgement) -> Bool { other.messageID == again.messageID }
        func isAsked(_ other: ServerWrites.Acknowledgement) -> Bool {
            isSame(other) && other.subscriber == again.subscriber
        }
        guard let writes = documents[document]?.serverWrites else { return }
        if writes.acknowledgements.contains(where: isSame) {
            guard !writes.acknowledgements.contains(where: isAsked) else { return }
            documents[document]?.serverWrites.acknowledgements.append(again)
        } else if writes.acknowledgementsInFlight.contains(where: isSame) {
            guard !writes.acknowledgementsInFlight.contains(where: isAsked) else { return }
            documents[document]?.serverWrites.acknowledgementsInFlight.append(again)
        } else {
            acceptChat(again)
        }
    }

    mutating func acceptChat(_ acknowledgement: ServerWrites.Acknowledgement) {
        answer(
            acknowledgement.subscriber,
            [
                ("type", .string(acknowledgement.type)), ("nonce", .string(acknowledgement.nonce)),
                ("id", .string(acknowledgement.messageID)),
            ])
    }

    /// Takes up the nonces of chat lines that were committed within the last ten minutes.
    mutating func recallNonces(_ records: [LogRecord]) {
        for record in records {
            for line in (record.note ?? "").split(separator: "\n") {
                guard let fields = JSONParser.parse(String(line)), let author = fields["author"]?.string,
                    let nonce = fields["nonce"]?.string, let id = fields["id"]?.string
                else { continue }
                chat.remember(author: author, nonce: nonce, result: id, atMs: record.committedAtMs)
            }
        }
    }

    static func isNonce(_ nonce: String) -> Bool { !nonce.isEmpty && nonce.utf8.count <= 64 }

    /// The reason a message gives, empty where it gives none; nil for one that is none.
    static func reason(_ fields: Value) -> String? {
        guard let value = fields["reason"], value != .null else { return "" }
        return value.string.flatMap { $0.utf16.count <= Limits.chatReason ? $0 : nil }
    }
}
