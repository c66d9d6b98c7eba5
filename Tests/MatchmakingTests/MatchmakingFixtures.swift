import Foundation
import Matchmaking
import TestSupport

enum StoreFailure: Error { case down }

/// The store's contract in memory, with failures on demand.
actor MemoryStore: MatchmakingStore {
    private(set) var tickets: [String: Ticket] = [:]
    private(set) var ratings: [String: Rating] = [:]
    private var settled: Set<String> = []
    var isDown = false
    /// The next `markMatched` commits and then fails, as a store whose connection breaks.
    var losesNextAnswer = false

    func set(down: Bool) { isDown = down }
    func loseNextAnswer() { losesNextAnswer = true }
    func put(_ rating: Rating, of userID: String, mode: MatchMode) { ratings["\(mode) \(userID)"] = rating }

    private func check() throws {
        if isDown { throw StoreFailure.down }
    }

    func save(_ ticket: Ticket) async throws {
        try check()
        tickets[ticket.id] = ticket
    }

    func ticket(_ id: String) async throws -> Ticket? {
        try check()
        return tickets[id]
    }

    func waitingTickets() async throws -> [Ticket] {
        try check()
        return tickets.values.filter { $0.status == .waiting }
    }

    func markMatched(_ ticketIDs: [String], roomID: String) async throws -> Bool {
        try check()
        guard ticketIDs.allSatisfy({ tickets[$0]?.status == .waiting }) else { return false }
        for id in ticketIDs {
            tickets[id]?.status = .matched
            tickets[id]?.roomID = roomID
        }
        if losesNextAnswer {
            losesNextAnswer = false
            throw StoreFailure.down
        }
        return true
    }

    func end(_ ticketID: String, as status: TicketStatus) async throws -> Bool {
        try check()
        guard tickets[ticketID]?.status == .waiting else { return false }
        tickets[ticketID]?.status = status
        return true
    }

    func rating(of userID: String, mode: MatchMode) async throws -> Rating? {
        try check()
        return ratings["\(mode) \(userID)"]
    }

    func settle(battleID: String, mode: MatchMode, ratings new: [String: Rating]) async throws -> Bool {
        try check()
        guard settled.insert(battleID).inserted else { return false }
        for (user, rating) in new { ratings["\(mode) \(user)"] = rating }
        return true
    }
}

/// The rooms a director created and what it told the world.
actor World {
    private(set) var rooms: [String: ProposedMatch] = [:]
    private(set) var discarded: [String] = []
    private(set) var told: [String: String] = [:]
    private(set) var expired: [String] = []
    var roomFails = false
    /// Runs while a room is being created.
    var duringCreation: (@Sendable () async -> Void)?

    func set(roomFails: Bool) { self.roomFails = roomFails }
    func set(duringCreation: (@Sendable () async -> Void)?) { self.duringCreation = duringCreation }

    func create(_ match: ProposedMatch) async throws -> String {
        if roomFails { throw StoreFailure.down }
        await duringCreation?()
        let id = "room\(rooms.count)"
        rooms[id] = match
        return id
    }

    func discard(_ roomID: String) { discarded.append(roomID) }
    func tell(_ match: ProposedMatch, _ roomID: String) {
        for ticket in match.tickets { told[ticket.id] = roomID }
    }
    func tellExpired(_ ticket: Ticket) { expired.append(ticket.id) }
}

/// Time that tests move; read without waiting, as the director's port asks.
final class ManualClock: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Int64 = 1_000_000
    private var ids = 0

    var nowMs: Int64 {
        lock.lock()
        defer { lock.unlock() }
        return value
    }

    func advance(_ ms: Int64) {
        lock.lock()
        defer { lock.unlock() }
        value += ms
    }

    func nextID() -> String {
        lock.lock()
        defer { lock.unlock() }
        ids += 1
        return "t\(ids)"
    }
}

struct Arena {
    let store: MemoryStore
    let world = World()
    let clock: ManualClock
    let director: MatchDirector

    init(store: MemoryStore = MemoryStore(), clock: ManualClock = ManualClock()) {
        self.store = store
        self.clock = clock
        let world = self.world
        director = MatchDirector(
            store: store, settings: MatchSettings(languages: ["python", "c", "cpp"]),
            ports: MatchPorts(
                createRoom: { try await world.create($0) }, discardRoom: { await world.discard($0) },
                onMatched: { await world.tell($0, $1) }, onExpired: { await world.tellExpired($0) },
                now: { clock.nowMs }, newTicketID: { clock.nextID() },
                pause: { try await Task.sleep(for: .milliseconds($0)) }))
    }

    @discardableResult
    func enter(
        _ user: String, mode: MatchMode = .duel, languages: [String] = ["python"], topics: [String] = [],
        rated: Bool = true, isGuest: Bool = false
    ) async throws -> Ticket {
        try await director.enter(
            userID: user, handle: user, isGuest: isGuest, mode: mode, languages: languages, topics: topics,
            rated: rated, watch: nil)
    }
}

func makeTicket(
    _ id: String, user: String? = nil, rating: Double = 1_500, deviation: Double = 60,
    waited seconds: Int64 = 0,
    mode: MatchMode = .duel, languages: [String] = ["python"], topics: [String] = [], rated: Bool = true,
    watch: Ticket.Watch = .closed
) -> Ticket {
    Ticket(
        id: id, userID: user ?? "u-\(id)", handle: id, mode: mode, languages: languages, topics: topics,
        rated: rated, watch: watch, rating: Rating(rating: rating, deviation: deviation, volatility: 0.06),
        createdAtMs: poolNowMs - seconds * 1_000)
}

let poolNowMs: Int64 = 10_000_000
