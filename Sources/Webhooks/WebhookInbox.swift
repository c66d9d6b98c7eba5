import Synchronization

/// Takes what happens, from any thread, without waiting: rooms tell of every commit. Costs one comparison while nobody
/// wants to be told anything.
public final class WebhookInbox: Sendable {
    private struct State {
        var activity = RoomActivity()
        var events: [WebhookEvent] = []
        var dropped = 0
    }

    private let state = Mutex(State())
    private let isWanted = Atomic<Bool>(false)
    private let now: @Sendable () -> Int64
    private let newID: @Sendable () -> String

    public init(now: @escaping @Sendable () -> Int64, newID: @escaping @Sendable () -> String) {
        self.now = now
        self.newID = newID
    }

    func setWanted(_ wanted: Bool) { isWanted.store(wanted, ordering: .relaxed) }

    /// Whether anybody wants to be told anything.
    public var isListening: Bool { isWanted.load(ordering: .relaxed) }

    public func occupied(_ isOccupied: Bool, room roomID: String, ownerID: String?) {
        // Rooms are followed always, so that a webhook made later hears of the end of what it did not see begin.
        let atMs = now()
        state.withLock { state in
            let notice = state.activity.occupied(isOccupied, room: roomID, ownerID: ownerID, atMs: atMs)
            if let notice { add(event(of: notice, atMs: atMs), to: &state) }
        }
    }

    public func changed(_ documents: [String: Int64], room roomID: String, ownerID: String?) {
        guard isListening else { return }
        let atMs = now()
        state.withLock { state in
            for (document, sequence) in documents {
                state.activity.changed(
                    document, sequence: sequence, room: roomID, ownerID: ownerID, atMs: atMs)
            }
        }
    }

    /// - Parameter data: one JSON object.
    public func happened(_ type: WebhookEventType, ownerID: String?, data: String) {
        guard isListening else { return }
        let event = WebhookEvent(id: newID(), type: type, ownerID: ownerID, atMs: now(), data: data)
        state.withLock { state in add(event, to: &state) }
    }

    /// What is to be delivered by now, and how much was lost because nobody took it.
    func take(all: Bool = false) -> (events: [WebhookEvent], dropped: Int) {
        let atMs = now()
        return state.withLock { state in
            for notice in state.activity.due(atMs: atMs, all: all) {
                add(event(of: notice, atMs: atMs), to: &state)
            }
            defer { (state.events, state.dropped) = ([], 0) }
            return (state.events, state.dropped)
        }
    }

    private func add(_ event: WebhookEvent, to state: inout State) {
        guard isListening else { return }
        if state.events.count >= Limits.waitingEvents {
            state.events.removeFirst()
            state.dropped += 1
        }
        state.events.append(event)
    }

    private func event(of notice: RoomActivity.Notice, atMs: Int64) -> WebhookEvent {
        var data = "{\"room_id\":\(JSONText.quoted(notice.roomID))"
        if notice.type == .roomChanged {
            let documents = notice.documents.sorted { $0.key < $1.key }.map {
                "{\"name\":\(JSONText.quoted($0.key)),\"sequence\":\($0.value)}"
            }
            data += ",\"documents\":[\(documents.joined(separator: ","))]"
        }
        return WebhookEvent(
            id: newID(), type: notice.type, ownerID: notice.ownerID, atMs: atMs, data: data + "}")
    }
}

enum JSONText {
    /// A JSON string (RFC 8259 §7).
    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
