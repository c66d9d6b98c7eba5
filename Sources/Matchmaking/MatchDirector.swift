/// Brings waiting tickets together.
///
/// **What a crash leaves.** A ticket is answered when it is on disk, and waits again after a restart. A room is on
/// disk before its tickets are marked, and both tickets are marked in one transaction: whoever is matched has a room.
/// A room whose tickets were not marked has no players who know of it and ends by itself.
///
/// **Races.** The store decides: cancelling, expiring and matching each need a ticket that still waits there. The
/// pool in memory follows, and heals when it turns out to be wrong.
public actor MatchDirector {
    private let store: any MatchmakingStore
    private let settings: MatchSettings
    private let ports: MatchPorts
    private let glicko: Glicko2
    private let matchFunction: MatchFunction
    private var pool = MatchPool()
    private var isRestored = false
    private var isTicking = false
    private let settlements: SettlementQueue

    public init(
        store: any MatchmakingStore, settings: MatchSettings, ports: MatchPorts, glicko: Glicko2 = Glicko2()
    ) {
        self.store = store
        self.settings = settings
        self.ports = ports
        self.glicko = glicko
        matchFunction = MatchFunction(widening: settings.widening)
        settlements = SettlementQueue(store: store, glicko: glicko)
    }

    // MARK: Tickets

    /// Takes a wish into the pool; answered when it is on disk.
    ///
    /// - Parameters:
    ///   - languages: best first; ids of `MatchSettings.languages`.
    ///   - topics: empty for any.
    ///   - isGuest: guests play unrated.
    public func enter(
        userID: String, handle: String, isGuest: Bool, mode: MatchMode, languages: [String], topics: [String],
        rated: Bool, watch: Ticket.Watch?
    ) async throws(MatchmakingError) -> Ticket {
        let languages = try checkedLanguages(languages)
        let topics = try checkedTopics(topics)
        guard !(rated && isGuest) else {
            throw MatchmakingError(.ratedNeedsAccount, "Guests play unrated; log in for rated play.")
        }
        try await restore()
        if let waiting = pool.ticketID(of: userID, mode: mode) {
            throw MatchmakingError(
                .alreadyWaiting, "A ticket of this mode is waiting already.", ticketID: waiting)
        }
        guard pool.count < MatchmakingLimits.maximumWaitingTickets else {
            throw MatchmakingError(.poolFull, "Too many are waiting; try again in a moment.")
        }
        let id = ports.newTicketID()
        pool.reserve(id, userID: userID, mode: mode)
        do {
            let rating = try await store.rating(of: userID, mode: mode) ?? .initial
            let nowMs = ports.now()
            let ticket = Ticket(
                id: id, userID: userID, handle: handle, mode: mode, languages: languages, topics: topics,
                rated: rated, watch: watch ?? .closed, rating: glicko.aged(rating, atMs: nowMs),
                createdAtMs: nowMs)
            try await store.save(ticket)
            pool.insert(ticket)
            return ticket
        } catch {
            pool.release(id, userID: userID, mode: mode)
            throw Self.unavailable
        }
    }

    /// A ticket as it stands on disk; somebody else's is not found.
    public func ticket(_ id: String, of userID: String) async throws(MatchmakingError) -> Ticket {
        let found: Ticket?
        do { found = try await store.ticket(id) } catch { throw Self.unavailable }
        guard let found, found.userID == userID else {
            throw MatchmakingError(.ticketNotFound, "There is no such ticket.")
        }
        return found
    }

    /// Cancels a ticket that still waits. Cancelling an ended one again changes nothing; a matched one throws
    /// `alreadyMatched`.
    public func cancel(_ id: String, of userID: String) async throws(MatchmakingError) {
        _ = try await ticket(id, of: userID)
        do { _ = try await store.end(id, as: .cancelled) } catch { throw Self.unavailable }
        pool.remove(id)
        if try await ticket(id, of: userID).status == .matched {
            throw MatchmakingError(.alreadyMatched, "The ticket is matched already.", ticketID: id)
        }
    }

    // MARK: Ticks

    /// Ticks until its task is cancelled.
    public func run() async {
        while !Task.isCancelled {
            ports.onTick(await tick())
            do { try await ports.pause(settings.tickMs) } catch { return }
        }
    }

    /// One round: expires, proposes, resolves, creates the rooms. A second call while one is under way does nothing.
    @discardableResult
    public func tick() async -> MatchTickReport {
        var report = MatchTickReport()
        guard !isTicking else { return report }
        isTicking = true
        defer { isTicking = false }
        do { try await restore() } catch { return report }
        report.expired = await expire()
        let nowMs = ports.now()
        let free = pool.free(atMs: nowMs, createdAfterMs: nowMs - settings.ticketLifetimeMs)
        report.waiting = free.count
        let matches = MatchEvaluator().resolve(matchFunction.proposals(for: free, atMs: nowMs))
        report.proposed = matches.count
        pool.take(matches.flatMap(\.tickets))
        report.matched = await withTaskGroup(of: Bool.self) { group in
            var matched = 0
            for (started, match) in matches.enumerated() {
                if started >= MatchmakingLimits.concurrentRooms, await group.next() == true { matched += 1 }
                group.addTask { await self.carryOut(match) }
            }
            for await succeeded in group where succeeded { matched += 1 }
            return matched
        }
        report.missed = report.proposed - report.matched
        return report
    }

    private func expire() async -> Int {
        var expired = 0
        for var ticket in pool.expired(createdBeforeMs: ports.now() - settings.ticketLifetimeMs) {
            // On failure it stays and is tried again by the next tick; it is not matched any more.
            guard let ended = try? await store.end(ticket.id, as: .expired) else { continue }
            pool.remove(ticket.id)
            guard ended else { continue }
            expired += 1
            ticket.status = .expired
            await ports.onExpired(ticket)
        }
        return expired
    }

    private func carryOut(_ match: ProposedMatch) async -> Bool {
        guard let roomID = try? await ports.createRoom(match) else {
            await reconcile(match, newRoomID: nil)
            return false
        }
        // A store that fails here may have committed: then the tickets on disk tell.
        if (try? await store.markMatched(match.tickets.map(\.id), roomID: roomID)) == true {
            for ticket in match.tickets { pool.remove(ticket.id) }
            await ports.onMatched(match, roomID)
            return true
        }
        guard let foundRoomID = await reconcile(match, newRoomID: roomID) else { return false }
        await ports.onMatched(match, foundRoomID)
        return true
    }

    /// Brings the pool in line with the store after a match that failed or whose fate is not known. Answers the room
    /// that both tickets are matched into on disk, nil when there is none. The new room is discarded only when it is
    /// certain that nobody was matched into it.
    @discardableResult
    private func reconcile(_ match: ProposedMatch, newRoomID: String?) async -> String? {
        let restsUntilMs = ports.now() + MatchmakingLimits.retryAfterFailureMs
        var roomIDs: [String?] = []
        for ticket in match.tickets {
            guard let stored = try? await store.ticket(ticket.id) else {
                pool.putBack(ticket.id, restsUntilMs: restsUntilMs)
                continue
            }
            if stored.status == .waiting {
                // Whose opponent left is matched again by the next tick.
                pool.putBack(ticket.id, restsUntilMs: newRoomID == nil ? restsUntilMs : 0)
            } else {
                pool.remove(ticket.id)
            }
            roomIDs.append(stored.status == .matched ? stored.roomID : nil)
        }
        let isCertain = roomIDs.count == match.tickets.count
        if let newRoomID, isCertain, !roomIDs.contains(newRoomID) { await ports.discardRoom(newRoomID) }
        guard isCertain, let roomID = roomIDs.first, Set(roomIDs).count == 1 else { return nil }
        return roomID
    }

    /// Takes up the tickets that waited when the process ended. Of two of one user and mode the older one stays.
    private func restore() async throws(MatchmakingError) {
        guard !isRestored else { return }
        let waiting: [Ticket]
        do { waiting = try await store.waitingTickets() } catch { throw Self.unavailable }
        guard !isRestored else { return }
        isRestored = true
        for ticket in waiting.sorted(by: { ($0.createdAtMs, $0.id) < ($1.createdAtMs, $1.id) })
        where pool.ticketID(of: ticket.userID, mode: ticket.mode) == nil {
            pool.insert(ticket)
        }
    }

    // MARK: Ratings

    /// Writes the ratings of a finished battle, once a battle.
    public func settle(
        battleID: String, mode: MatchMode, outcome: MatchOutcome
    ) async throws(MatchmakingError) -> Settlement {
        try await settlements.settle(battleID: battleID, mode: mode, outcome: outcome, atMs: ports.now())
    }

    /// A user's rating as it stands now; the initial one before the first rated game.
    public func rating(of userID: String, mode: MatchMode) async throws(MatchmakingError) -> Rating {
        do {
            return glicko.aged(try await store.rating(of: userID, mode: mode) ?? .initial, atMs: ports.now())
        } catch {
            throw Self.unavailable
        }
    }

    // MARK: Checks

    private func checkedLanguages(_ languages: [String]) throws(MatchmakingError) -> [String] {
        var distinct: [String] = []
        for language in languages.prefix(MatchmakingLimits.maximumLanguagesPerTicket + 1)
        where !distinct.contains(language) {
            guard settings.languages.contains(language) else {
                throw MatchmakingError(
                    .invalidLanguages,
                    "A language is not known here; known: \(settings.languages.sorted().joined(separator: ", "))."
                )
            }
            distinct.append(language)
        }
        guard !distinct.isEmpty, languages.count <= MatchmakingLimits.maximumLanguagesPerTicket else {
            throw MatchmakingError(
                .invalidLanguages, "Name 1 to \(MatchmakingLimits.maximumLanguagesPerTicket) languages.")
        }
        return distinct
    }

    private func checkedTopics(_ topics: [String]) throws(MatchmakingError) -> [String] {
        guard topics.count <= MatchmakingLimits.maximumTopicsPerTicket,
            topics.allSatisfy({ 1...MatchmakingLimits.maximumTopicLength ~= $0.utf8.count })
        else {
            throw MatchmakingError(
                .invalidTopics,
                "Name at most \(MatchmakingLimits.maximumTopicsPerTicket) topics of 1 to "
                    + "\(MatchmakingLimits.maximumTopicLength) bytes.")
        }
        var distinct: [String] = []
        for topic in topics where !distinct.contains(topic) { distinct.append(topic) }
        return distinct
    }

    private static let unavailable = MatchmakingError(
        .unavailable, "Matchmaking is not available; try again.")
}
