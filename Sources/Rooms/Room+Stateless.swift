import CRDT
import SyncProtocol

// Messages that are no part of a document: chat and commands.
extension Room {
    mutating func receiveStateless(_ text: String, newID: String, from subscriber: Subscriber, atMs: Int64) {
        guard text.utf8.count <= Limits.statelessBytes, let fields = JSONParser.parse(text),
            let type = fields["type"]?.string
        else {
            return answer(
                subscriber.id, [("type", .string("message.refused")), ("reason", .string("malformed"))])
        }
        let nonce = fields["nonce"]?.string ?? ""
        switch type {
        case "chat.post":
            post(fields["text"]?.string, nonce: nonce, newID: newID, from: subscriber, atMs: atMs)
        case "submit":
            submit(fields, nonce: nonce, newID: newID, from: subscriber, atMs: atMs)
        case "battle.forfeit":
            forfeit(subscriber.caller.userID, atMs: atMs)
        default:
            answer(
                subscriber.id,
                [
                    ("type", .string("message.refused")), ("reason", .string("unknown_type")),
                    ("nonce", .string(nonce)),
                ])
        }
    }

    func statelessFrame(_ fields: [(String, Value)]) -> [UInt8] {
        ServerFrame.stateless(Value.object(fields).json)
    }

    mutating func answer(_ id: SubscriberID, _ fields: [(String, Value)]) {
        actions.append(.send(id, frame: statelessFrame(fields)))
    }

    // MARK: Chat

    /// Puts a chat line into the room's chat document; author and time are the server's.
    private mutating func post(
        _ text: String?, nonce: String, newID: String, from subscriber: Subscriber, atMs: Int64
    ) {
        func refuse(_ reason: String) {
            answer(
                subscriber.id,
                [("type", .string("chat.refused")), ("nonce", .string(nonce)), ("reason", .string(reason))])
        }
        let caller = subscriber.caller
        guard let document = policy.chatDocument(for: caller), documents[document] != nil,
            !caller.userID.isEmpty
        else { return refuse("not_allowed") }
        guard let text, !nonce.isEmpty, nonce.utf8.count <= 64 else { return refuse("malformed") }
        if let known = chat.result(author: caller.userID, nonce: nonce, atMs: atMs) {
            return acceptAgain(
                .init(subscriber: subscriber.id, nonce: nonce, messageID: known), in: document)
        }
        guard text.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) else {
            return refuse("empty")
        }
        guard text.utf16.count <= Limits.chatLength else { return refuse("too_long") }
        guard !isReadOnly else { return refuse(WriteRefusal.diskFull.rawValue) }
        guard chat.admit(author: caller.userID, atMs: atMs) else { return refuse("too_fast") }
        chat.remember(author: caller.userID, nonce: nonce, result: newID, atMs: atMs)
        let line = Value.object([
            ("id", .string(newID)),
            ("author", .object([("id", .string(caller.userID)), ("handle", .string(caller.handle))])),
            ("text", .string(text)), ("at", .string(timestamp(atMs))),
        ])
        write([.append(root: "messages", values: [line])], to: document)
        documents[document]?.serverWrites.acknowledgements.append(
            .init(subscriber: subscriber.id, nonce: nonce, messageID: newID))
        documents[document]?.serverWrites.notes.append(
            Value.object([
                ("author", .string(caller.userID)), ("nonce", .string(nonce)), ("id", .string(newID)),
            ]).json)
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

    /// The history of a chat stays bounded: the oldest lines go when new ones come.
    func bounded(_ edits: [PlannedEdit], of document: RoomDocument) -> [PlannedEdit] {
        guard document.name == DocumentName.chat || document.name == DocumentName.watchersChat else {
            return edits
        }
        let surplus = document.live.arrayCount("messages") + edits.count - Limits.chatHistory
        return surplus > 0 ? edits + [.removeFirst(root: "messages", count: surplus)] : edits
    }

    mutating func acceptChat(_ acknowledgement: ServerWrites.Acknowledgement) {
        answer(
            acknowledgement.subscriber,
            [
                ("type", .string("chat.accepted")), ("nonce", .string(acknowledgement.nonce)),
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
}
