import CRDT
import SyncProtocol

/// One open socket on one document.
struct Subscriber {
    let id: SubscriberID
    let caller: RoomCaller
    let document: String
    var access: DocumentAccess
    /// As it was counted when it came; who is invited meanwhile goes as the watcher they came as.
    var isParticipant = false
    /// Set by the first refused write; every later write of the socket is refused for the same reason.
    var quarantine: WriteRefusal?
    /// Whether a write was refused because the disk is full; asked for again when it is not.
    var isSuspended = false
    /// The one client id of the server's that it may write under: of an edit by HTTP, computed by the server.
    var editor: UInt64?
    /// Client ids whose presence this socket announced.
    var presenceClients: Set<ClientID> = []
    /// Work of the document that its writes caused and that the host was not told yet.
    var work: UInt64 = 0
    /// When it was last told who is present.
    var greetedAtMs: Int64?
    /// Announcements since the beginning of the present second, for those who may not write.
    var presenceCount = 0
    var presenceSecond: Int64 = 0

    var tier: Tiers {
        switch access {
        case .write: .writers
        case .read: .readers
        case .delayedRead, .none: .delayed
        }
    }
}

/// A client's message, decoded where its socket lives.
public enum Inbound: Sendable {
    case step1(StateVector)
    /// A step 2 or an update.
    case update(Update, isStep2: Bool)
    /// A write that could not be decoded or is too large.
    case refusedWrite(WriteRefusal)
    case awareness(AwarenessUpdate)
    case queryAwareness
    /// `newID` names what the message may create: a chat line or a submission.
    case stateless(String, newID: String)
}
