import CRDT
import Rooms
import Traces

/// Which traces the submissions of a room belong to: the one that the message names, else that of the request, or of
/// the request that opened the socket. A room's log knows nothing of it, so it is kept beside the room until the
/// submission comes out of it.
struct SubmissionTraces {
    /// By socket and by request; both end with what they are named after.
    private var sockets: [SubscriberID: TraceContext] = [:]
    private var requests: [UInt64: TraceContext] = [:]
    /// By the id that a submission gets if it is taken. Refused ones stay until there is no space.
    private var messages: [String: TraceContext] = [:]

    mutating func opened(_ id: SubscriberID, _ trace: TraceContext?) { sockets[id] = trace }
    mutating func closed(_ id: SubscriberID) { sockets[id] = nil }

    mutating func asked(_ requestID: UInt64, _ trace: TraceContext?) { requests[requestID] = trace }
    mutating func refused(_ requestID: UInt64) { requests[requestID] = nil }

    /// `{"type":"submit",…,"traceparent":"00-…"}`; all other messages cost a look at their text.
    mutating func received(_ message: Inbound) {
        guard case .stateless(let text, let newID) = message, text.utf8.count <= Limits.tracedMessageBytes,
            text.contains("\"traceparent\""), let fields = JSONParser.parse(text),
            fields["type"]?.string == "submit", let parent = fields["traceparent"]?.string,
            let trace = TraceContext(traceparent: parent, tracestate: fields["tracestate"]?.string)
        else { return }
        if messages.count >= Limits.tracedMessages { messages.removeAll() }
        messages[newID] = trace
    }

    /// The trace of a submission, asked for once.
    mutating func trace(of taken: TakenSubmission) -> TraceContext? {
        if let named = messages.removeValue(forKey: taken.id) { return named }
        return switch taken.reply {
        case .request(let requestID): requests.removeValue(forKey: requestID)
        case .socket(let id, _): sockets[id]
        case .nobody: nil
        }
    }
}
