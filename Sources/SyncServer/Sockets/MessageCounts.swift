import SyncProtocol

/// The types of messages of the sync protocol, as an operator's counts name them.
public enum SyncMessageKind: Int, Sendable, CaseIterable {
    case syncStep1, syncStep2, update, awareness, queryAwareness, auth, stateless, syncStatus, unknown

    public var name: String {
        switch self {
        case .syncStep1: "sync_step1"
        case .syncStep2: "sync_step2"
        case .update: "update"
        case .awareness: "awareness"
        case .queryAwareness: "query_awareness"
        case .auth: "auth"
        case .stateless: "stateless"
        case .syncStatus: "sync_status"
        case .unknown: "unknown"
        }
    }

    init(_ message: ClientMessage) {
        switch message {
        case .syncStep1: self = .syncStep1
        case .syncStep2: self = .syncStep2
        case .update: self = .update
        case .awareness: self = .awareness
        case .queryAwareness: self = .queryAwareness
        case .stateless: self = .stateless
        case .unknown: self = .unknown
        }
    }

    /// Of a frame that the server made: its first bytes tell.
    init(frame: [UInt8]) {
        switch (frame.first, frame.dropFirst().first) {
        case (0, 0): self = .syncStep1
        case (0, 1): self = .syncStep2
        case (0, _): self = .update
        case (1, _): self = .awareness
        case (2, _): self = .auth
        case (3, _): self = .queryAwareness
        case (5, _): self = .stateless
        case (8, _): self = .syncStatus
        default: self = .unknown
        }
    }
}

/// How many messages of each type there were.
public final class MessageCounts: Sendable {
    private let counts = SyncMessageKind.allCases.map { _ in Tally() }

    public init() {}

    public func value(_ kind: SyncMessageKind) -> UInt64 { counts[kind.rawValue].value }

    func add(_ kind: SyncMessageKind, _ amount: Int = 1) { counts[kind.rawValue].add(amount) }
}
