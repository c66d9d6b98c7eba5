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
        if isReadOnly, type.hasPrefix("chat."), type != "chat.post" {
            return refuseChat(subscriber, nonce, WriteRefusal.diskFull.rawValue)
        }
        switch type {
        case "chat.post":
            post(fields["text"]?.string, nonce: nonce, newID: newID, from: subscriber, atMs: atMs)
        case "chat.edit": editChat(fields, nonce: nonce, from: subscriber, atMs: atMs)
        case "chat.delete": deleteChat(fields, nonce: nonce, from: subscriber)
        case "chat.mute": muteChat(fields, nonce: nonce, from: subscriber, atMs: atMs)
        case "chat.unmute": unmuteChat(fields, nonce: nonce, from: subscriber)
        case "chat.slow": slowChat(fields, nonce: nonce, from: subscriber)
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
}
