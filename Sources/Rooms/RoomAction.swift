import Battles
import SyncProtocol

/// One socket's place in a room. Unique within the process.
public typealias SubscriberID = UInt64

/// Groups of sockets of one document that are told different things.
public struct Tiers: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let writers = Tiers(rawValue: 1)
    public static let readers = Tiers(rawValue: 2)
    public static let delayed = Tiers(rawValue: 4)
    public static let live: Tiers = [.writers, .readers]
    public static let all: Tiers = [.writers, .readers, .delayed]
}

/// What the host of a room does next, in this order.
public enum RoomAction: Sendable {
    /// Hand these to the log; then call `committed` or throw the room away.
    case append([LogRecord])
    /// Send a frame to every socket of the document in those tiers.
    case broadcast(document: String, tiers: Tiers, frame: [UInt8])
    case send(SubscriberID, frame: [UInt8])
    case close(SubscriberID, DoorRefusal)
    /// So many writes of the socket are on disk.
    case acknowledged(SubscriberID, count: Int)
    /// A write of the socket was refused; the reason was sent.
    case refused(SubscriberID)
    /// Writes of the socket cost so much work that grows with the document: it is to be read more slowly.
    case worked(SubscriberID, UInt64)
    /// From now on the socket belongs to that tier.
    case move(SubscriberID, to: Tiers)
    /// A submission has its place in the log: store its row, queue it, then answer.
    case submissionTaken(TakenSubmission)
    /// The answer to a submission asked for by HTTP that was not taken.
    case submissionRefused(requestID: UInt64, SubmissionRefusal)
    /// The answer to a write by HTTP.
    case writeFinished(requestID: SubscriberID, DocumentWriteOutcome)
    /// A submission without a verdict after loading: ask the judge how it ended.
    case verdictMissing(submissionID: String)
    case battleFinished(BattleResult)
    /// Something of the socket was left out because of a limit.
    case limited(SubscriberID, RoomLimit)
    /// Tell a user something outside the room's documents.
    case notify(UserNotice)
    /// Store the oldest lines of a chat; then call `chatArchived`.
    case archiveChat(document: String, lines: [ChatLine])
    /// Enough was written since the last snapshot.
    case snapshotDue
    /// Something an operator must see.
    case alarm(String)
}

/// Limits that leave something out, as clients are told of them.
public enum RoomLimit: String, Sendable, CaseIterable {
    case awarenessBytes = "awareness_bytes"
    case awarenessClients = "awareness_clients"
}

/// A submission as the log ordered it, with the text of that moment.
public struct TakenSubmission: Sendable, Equatable {
    public enum Reply: Sendable, Equatable {
        case socket(SubscriberID, nonce: String)
        case request(UInt64)
        /// Loaded again: whoever asked is gone.
        case nobody
    }

    public var id: String
    public var userID: String
    public var language: String
    public var document: String
    public var file: String
    public var source: String
    /// The log sequence up to which the text is that of the document.
    public var sequence: Int64
    public var receivedAtMs: Int64
    public var reply: Reply
}

/// Why a submission was not taken.
public enum SubmissionRefusal: Sendable, Equatable {
    /// The document did not cover the state vector within 2 s.
    case documentBehind
    case noSuchDocument
    case notAllowed
    /// The file is absent or no Y.Text, or its name or language is invalid.
    case invalidFile(String)
    case noProblem
    case battle(BattleRefusal)
    /// The disk is full: the room is read-only until it is not.
    case diskFull
    case unavailable

    public var code: String {
        switch self {
        case .documentBehind: "document_behind"
        case .noSuchDocument: "no_such_document"
        case .notAllowed: "not_allowed"
        case .invalidFile: "invalid_file"
        case .noProblem: "no_problem"
        case .battle(let refusal): refusal.code
        case .diskFull: "disk_full"
        case .unavailable: "unavailable"
        }
    }
}
