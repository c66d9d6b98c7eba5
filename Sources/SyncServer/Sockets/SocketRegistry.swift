import NIOCore
import Rooms
import SyncProtocol
import Synchronization

/// All open sockets of the sync endpoints: counted by address and by user, listed and closed by whoever runs the
/// server. Thread-safe.
public final class SocketRegistry: Sendable {
    private struct User {
        var meter: UserMeter
        var sockets = 0
        /// Closed by an administrator: kept out until then, ms since 1970.
        var keptOutUntilMs: Int64 = 0
    }

    private struct State {
        var sockets: [UInt64: OpenSocket] = [:]
        var addresses: [String: Int] = [:]
        /// By user id; of those without an account by address.
        var users: [String: User] = [:]
        var lastID: UInt64 = 0
    }

    public let limits: SocketLimits
    public let statistics: SyncStatistics
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())

    /// How long a user is kept out whose sockets were closed by hand, ms.
    public static let keepOutMs: Int64 = 60_000
    /// Those without an account (in open rooms) are told apart by their address, which an office or a proxy may share.
    static let peopleOfAddress = 20
    /// Users remembered without a socket, because they still have something to pay for.
    static let idleUsers = 20_000
    /// A user who has to wait longer than this for what was done already is closed instead.
    static let longestDebt = TimeAmount.seconds(30)

    public init(
        limits: SocketLimits = .standard, statistics: SyncStatistics, now: @escaping @Sendable () -> Int64
    ) {
        self.limits = limits
        self.statistics = statistics
        self.now = now
    }

    /// Whether an address may open one more socket.
    public func mayOpen(from address: String) -> Bool {
        let isFull = state.withLock { $0.addresses[address, default: 0] >= limits.socketsPerAddress }
        if isFull { statistics.count(.socketsPerAddress) }
        return !isFull
    }

    public func open(from address: String) -> OpenSocket {
        let atMs = now()
        return state.withLock { state in
            state.lastID += 1
            let socket = OpenSocket(id: state.lastID, address: address, openedAtMs: atMs)
            state.sockets[socket.id] = socket
            state.addresses[address, default: 0] += 1
            return socket
        }
    }

    func closed(_ socket: OpenSocket) {
        let people = socket.state.withLock { state in
            state.isOpen = false
            state.close = nil
            state.documents = [:]
            return state.people
        }
        let deadline = NIODeadline.now()
        state.withLock { state in
            guard state.sockets.removeValue(forKey: socket.id) != nil else { return }
            let left = state.addresses[socket.address, default: 1] - 1
            state.addresses[socket.address] = left > 0 ? left : nil
            for person in people { Self.release(Self.key(person.userID, socket), &state, at: deadline) }
        }
    }

    /// Says who is behind a socket.
    ///
    /// - Throws: when the user has too many sockets, has too much to pay for, or was shown out a moment ago.
    func identify(_ socket: OpenSocket, as caller: RoomCaller) throws(DoorRefusal) {
        let isKnown = socket.state.withLock { $0.people.contains { $0.userID == caller.userID } }
        guard !isKnown else { return }
        let key = Self.key(caller.userID, socket)
        let atMs = now()
        let deadline = NIODeadline.now()
        let meter = try state.withLock { state throws(DoorRefusal) in
            Self.forgetIdle(&state, at: deadline, atMs)
            var user = state.users[key] ?? User(meter: Self.meter(for: caller, limits))
            guard user.keptOutUntilMs <= atMs else {
                throw DoorRefusal(.forbidden, "your sockets were closed by an administrator; wait a minute")
            }
            guard caller.userID.isEmpty || user.sockets < limits.socketsPerUser else {
                statistics.count(.socketsPerUser)
                throw DoorRefusal(.tooFast, "too many sockets of one account")
            }
            guard user.meter.debt(at: deadline) <= Self.longestDebt else {
                statistics.count(.userWork)
                throw DoorRefusal(.tooFast, "what was sent before is still being paid for")
            }
            user.sockets += 1
            state.users[key] = user
            return user.meter
        }
        let isOpen = socket.state.withLock { state in
            if state.isOpen {
                state.people.append(.init(userID: caller.userID, handle: caller.handle, meter: meter))
            }
            return state.isOpen
        }
        if !isOpen { state.withLock { Self.release(key, &$0, at: deadline) } }
    }

    private static func meter(for caller: RoomCaller, _ limits: SocketLimits) -> UserMeter {
        caller.userID.isEmpty ? UserMeter(limits, people: peopleOfAddress) : UserMeter(limits)
    }

    private static func key(_ userID: String, _ socket: OpenSocket) -> String {
        userID.isEmpty ? "address \(socket.address)" : userID
    }

    private static func release(_ key: String, _ state: inout State, at deadline: NIODeadline) {
        guard let left = state.users[key]?.sockets else { return }
        state.users[key]?.sockets = left - 1
        guard left <= 1, state.users[key]?.keptOutUntilMs == 0,
            state.users[key]?.meter.isIdle(at: deadline) == true
        else { return }
        state.users[key] = nil
    }

    /// Forgets users without sockets who have nothing to pay for; where that is not enough, all without sockets.
    private static func forgetIdle(_ state: inout State, at deadline: NIODeadline, _ atMs: Int64) {
        guard state.users.count >= idleUsers + state.sockets.count else { return }
        state.users = state.users.filter {
            $0.value.sockets > 0 || $0.value.keptOutUntilMs > atMs || !$0.value.meter.isIdle(at: deadline)
        }
        guard state.users.count >= idleUsers + state.sockets.count else { return }
        state.users = state.users.filter { $0.value.sockets > 0 }
    }

    // MARK: For those who run the server

    /// Sockets whose id is greater than `after`, by id.
    public func sockets(after: UInt64, limit: Int) -> [SocketView] {
        let all = state.withLock { state in
            state.sockets.filter { $0.key > after }.sorted { $0.key < $1.key }.prefix(limit).map(\.value)
        }
        return all.map(\.view)
    }

    /// Closes one socket; its user is kept out for a minute. False when there is none.
    public func close(_ id: UInt64) -> Bool {
        guard let socket = state.withLock({ $0.sockets[id] }) else { return false }
        let users = socket.state.withLock { $0.people.map(\.userID) }
        keepOut(users.filter { !$0.isEmpty })
        return socket.close(DoorRefusal(.forbidden, "an administrator closed this socket"))
    }

    /// Closes all sockets of a user, who is kept out for a minute; gives how many.
    public func closeAll(of userID: String, reason: String) -> Int {
        keepOut([userID])
        let all = state.withLock { Array($0.sockets.values) }
        return all.count { socket in
            let isTheirs = socket.state.withLock { $0.people.contains { $0.userID == userID } }
            return isTheirs && socket.close(DoorRefusal(.forbidden, reason))
        }
    }

    private func keepOut(_ userIDs: [String]) {
        let untilMs = now() + Self.keepOutMs
        state.withLock { state in
            for id in userIDs {
                state.users[id, default: User(meter: UserMeter(limits))].keptOutUntilMs = untilMs
            }
        }
    }
}
