import CRDT

// Moderation of a room's chat: mutes and slow mode.
extension Room {
    mutating func muteChat(_ fields: Value, nonce: String, from subscriber: Subscriber, atMs: Int64) {
        let caller = subscriber.caller
        guard let userID = fields["user"]?.string, !userID.isEmpty, userID.utf8.count <= 64,
            Self.isNonce(nonce), let reason = Self.reason(fields), let seconds = fields["seconds"]?.integer,
            (1...Limits.muteSeconds).contains(seconds)
        else { return refuseChat(subscriber, nonce, "malformed") }
        guard policy.mayModerate(caller), mayBeMuted(userID, by: caller) else {
            return refuseChat(subscriber, nonce, "not_allowed")
        }
        let mute = ChatModeration.Mute(
            untilMs: atMs + Int64(seconds) * 1_000, reason: reason,
            by: ChatPerson(id: caller.userID, handle: caller.handle))
        guard let edits = moderation.mute(userID, mute, atMs: atMs) else {
            return refuseChat(subscriber, nonce, "too_many")
        }
        let json = Value.object([
            ("room_id", .string(specification.id)), ("until", .string(timestamp(mute.untilMs))),
            ("reason", .string(reason)), ("by", mute.by.value),
        ]).json
        moderate(
            edits, subscriber, nonce, userID,
            UserNotice(userID: userID, type: "chat.muted", from: "", json: json))
    }

    mutating func unmuteChat(_ fields: Value, nonce: String, from subscriber: Subscriber) {
        guard let userID = fields["user"]?.string, Self.isNonce(nonce) else {
            return refuseChat(subscriber, nonce, "malformed")
        }
        guard policy.mayModerate(subscriber.caller), userID != subscriber.caller.userID else {
            return refuseChat(subscriber, nonce, "not_allowed")
        }
        let json = Value.object([("room_id", .string(specification.id))]).json
        moderate(
            moderation.unmute(userID), subscriber, nonce, userID,
            UserNotice(userID: userID, type: "chat.unmuted", from: "", json: json))
    }

    /// Sets the pause that each author keeps between two lines; 0 ends slow mode.
    mutating func slowChat(_ fields: Value, nonce: String, from subscriber: Subscriber) {
        guard Self.isNonce(nonce), let seconds = fields["seconds"]?.integer,
            (0...Limits.slowModeSeconds).contains(seconds)
        else { return refuseChat(subscriber, nonce, "malformed") }
        guard policy.mayModerate(subscriber.caller) else {
            return refuseChat(subscriber, nonce, "not_allowed")
        }
        moderate(moderation.setSlowMode(seconds: seconds), subscriber, nonce, specification.id, nil)
    }

    /// Nobody mutes themselves, the owner, or a moderator who is here; a moderator mutes the owner too.
    private func mayBeMuted(_ userID: String, by caller: RoomCaller) -> Bool {
        guard userID != caller.userID else { return false }
        let isModerator = subscribers.values.contains { $0.caller.userID == userID && $0.caller.isModerator }
        return !isModerator && (caller.isModerator || userID != specification.ownerID)
    }

    /// Writes moderation into all chats of the room, and answers when the first has it on disk.
    private mutating func moderate(
        _ edits: [PlannedEdit], _ subscriber: Subscriber, _ nonce: String, _ subject: String,
        _ notice: UserNotice?
    ) {
        let answer = ServerWrites.Acknowledgement(
            subscriber: subscriber.id, nonce: nonce, messageID: subject, type: "chat.moderated")
        let names = documents.keys.filter(DocumentName.isChat).sorted()
        guard !edits.isEmpty, let first = names.first else { return acceptChat(answer) }
        for name in names { write(edits, to: name) }
        if let notice { chats[first, default: ChatState()].notices.append(notice) }
        documents[first]?.serverWrites.acknowledgements.append(answer)
    }

    /// Takes up the mutes and rules that the documents of a loaded room tell.
    mutating func recallModeration() {
        for name in documents.keys.filter(DocumentName.isChat).sorted() {
            if let live = documents[name]?.live { moderation.recall(live) }
            shelve(name)
        }
    }
}
