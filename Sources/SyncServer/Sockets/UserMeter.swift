import NIOCore
import Synchronization

/// Which limit somebody is over.
public enum OverLimit: String, Sendable, CaseIterable {
    case socketMessages = "socket_messages"
    case socketBytes = "socket_bytes"
    case userMessages = "user_messages"
    case userBytes = "user_bytes"
    case userWork = "user_work"
    case socketsPerUser = "sockets_per_user"
    case socketsPerAddress = "sockets_per_address"
    case documentsPerSocket = "documents_per_socket"
    case admission
    case openRooms = "open_rooms"
    case awarenessBytes = "awareness_bytes"
    case awarenessClients = "awareness_clients"
}

/// What all sockets of one user send together. Sockets live on several loops; a lock is held for a few instructions.
final class UserMeter: Sendable {
    private struct State {
        var messages: TokenBucket
        var bytes: TokenBucket
        var work: TokenBucket
    }

    private let state: Mutex<State>

    /// - Parameter people: how many users share it.
    init(_ limits: SocketLimits, people: Int = 1) {
        func bucket(_ rate: Rate) -> TokenBucket {
            TokenBucket(
                Rate(perSecond: rate.perSecond * Double(people), burst: rate.burst * Double(people)))
        }
        state = Mutex(
            State(
                messages: bucket(limits.userMessages), bytes: bucket(limits.userBytes),
                work: bucket(limits.userWork)))
    }

    /// Counts a message; gives which limit it is over and how long to wait.
    func count(bytes: Int, at now: NIODeadline) -> (limit: OverLimit, wait: TimeAmount)? {
        state.withLock { state in
            let slow = state.messages.take(1, at: now).map { (limit: OverLimit.userMessages, wait: $0) }
            let wide = state.bytes.take(Double(bytes), at: now).map { (limit: OverLimit.userBytes, wait: $0) }
            return [slow, wide].compactMap(\.self).max { $0.wait < $1.wait }
        }
    }

    /// Charges work; gives how long the user is not read for it.
    func charge(work: UInt64, at now: NIODeadline) -> TimeAmount? {
        state.withLock { $0.work.take(Double(work), at: now) }
    }

    /// How long the user's debts take to be paid.
    func debt(at now: NIODeadline) -> TimeAmount { state.withLock { $0.work.debt(at: now) } }

    func isIdle(at now: NIODeadline) -> Bool {
        state.withLock { state in
            state.messages.isFull(at: now) && state.bytes.isFull(at: now) && state.work.isFull(at: now)
        }
    }
}
