import Rooms
import Traces

/// Which traces the submissions of a room belong to: that of the request, or of the request that opened the socket.
/// A room's log knows nothing of it, so it is kept beside the room until the submission comes out of it.
struct SubmissionTraces {
    /// By socket and by request; both end with what they are named after.
    private var sockets: [SubscriberID: TraceContext] = [:]
    private var requests: [UInt64: TraceContext] = [:]

    mutating func opened(_ id: SubscriberID, _ trace: TraceContext?) { sockets[id] = trace }
    mutating func closed(_ id: SubscriberID) { sockets[id] = nil }

    mutating func asked(_ requestID: UInt64, _ trace: TraceContext?) { requests[requestID] = trace }
    mutating func refused(_ requestID: UInt64) { requests[requestID] = nil }

    /// The trace of a submission, asked for once.
    mutating func trace(of taken: TakenSubmission) -> TraceContext? {
        switch taken.reply {
        case .request(let requestID): requests.removeValue(forKey: requestID)
        case .socket(let id, _): sockets[id]
        case .nobody: nil
        }
    }
}
