import Matchmaking
import Testing

@Suite struct MatchDirectorTests {
    @Test func twoEqualTicketsMeetInOneTick() async throws {
        let arena = Arena()
        let a = try await arena.enter("ann")
        let b = try await arena.enter("bob", languages: ["c", "python"])
        #expect(a.status == .waiting && a.rating.rating == 1_500)
        let report = await arena.director.tick()
        #expect(report.matched == 1 && report.waiting == 2)
        let stored = try await arena.director.ticket(a.id, of: "ann")
        #expect(stored.status == .matched)
        let roomID = try #require(stored.roomID)
        #expect(await arena.world.rooms[roomID]?.language == "python")
        #expect(await arena.world.told == [a.id: roomID, b.id: roomID])
        #expect(await arena.director.tick().waiting == 0)
    }

    @Test func runTicksUntilCancelled() async throws {
        let arena = Arena()
        let run = Task { await arena.director.run() }
        let a = try await arena.enter("ann")
        try await arena.enter("bob")
        let clock = ContinuousClock()
        let start = clock.now
        while try await arena.director.ticket(a.id, of: "ann").status == .waiting,
            clock.now - start < .seconds(60)
        {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try await arena.director.ticket(a.id, of: "ann").status == .matched)
        run.cancel()
        await run.value
    }

    @Test func refusals() async throws {
        let arena = Arena()
        func code(_ enter: () async throws -> Ticket) async -> MatchmakingError.Code? {
            do {
                _ = try await enter()
                return nil
            } catch {
                return (error as? MatchmakingError)?.code
            }
        }
        #expect(await code { try await arena.enter("ann", languages: []) } == .invalidLanguages)
        #expect(
            await code { try await arena.enter("ann", languages: ["python", "cobol"]) } == .invalidLanguages)
        let many = Array(repeating: "python", count: MatchmakingLimits.maximumLanguagesPerTicket + 1)
        #expect(await code { try await arena.enter("ann", languages: many) } == .invalidLanguages)
        #expect(await code { try await arena.enter("ann", topics: [""]) } == .invalidTopics)
        let long = String(repeating: "x", count: MatchmakingLimits.maximumTopicLength + 1)
        #expect(await code { try await arena.enter("ann", topics: [long]) } == .invalidTopics)
        #expect(await code { try await arena.enter("gus", isGuest: true) } == .ratedNeedsAccount)
        #expect(await code { try await arena.enter("gus", rated: false, isGuest: true) } == nil)
        #expect(await code { try await arena.enter("ann", languages: ["python", "python"]) } == nil)
        #expect(await code { try await arena.enter("ann") } == .alreadyWaiting)
        #expect(await code { try await arena.enter("ann", mode: .pair) } == nil, "another mode")
    }

    @Test func oneTicketAUserAlsoWhenAskedAtOnce() async throws {
        let arena = Arena()
        let entered = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<50 { group.addTask { (try? await arena.enter("ann")) != nil } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(entered == 1)
        #expect(try await arena.store.waitingTickets().count == 1)
    }

    @Test func poolIsBounded() async throws {
        let arena = Arena()
        for number in 0..<MatchmakingLimits.maximumWaitingTickets {
            try await arena.enter("u\(number)", languages: ["c"])
        }
        await #expect(throws: MatchmakingError.self) { try await arena.enter("late") }
        await arena.director.tick()
        try await arena.enter("late")
    }

    @Test func cancelAndItsRaces() async throws {
        let arena = Arena()
        let a = try await arena.enter("ann")
        await #expect(throws: MatchmakingError(.ticketNotFound, "There is no such ticket.")) {
            try await arena.director.cancel(a.id, of: "bob")
        }
        try await arena.director.cancel(a.id, of: "ann")
        try await arena.director.cancel(a.id, of: "ann")
        #expect(try await arena.director.ticket(a.id, of: "ann").status == .cancelled)
        let b = try await arena.enter("bob")
        let again = try await arena.enter("ann")
        // Ann leaves while the room is being created.
        await arena.world.set(duringCreation: { try? await arena.director.cancel(again.id, of: "ann") })
        let report = await arena.director.tick()
        #expect(report.proposed == 1 && report.missed == 1)
        #expect(await arena.world.discarded.count == 1)
        #expect(await arena.world.told.isEmpty)
        #expect(try await arena.director.ticket(b.id, of: "bob").status == .waiting)
        await arena.world.set(duringCreation: nil)
        let c = try await arena.enter("cem")
        #expect(await arena.director.tick().matched == 1, "bob is free again at once")
        await #expect(throws: MatchmakingError.self) { try await arena.director.cancel(c.id, of: "cem") }
    }

    @Test func expiry() async throws {
        let arena = Arena()
        let a = try await arena.enter("ann")
        arena.clock.advance(599_999)
        #expect(await arena.director.tick().expired == 0)
        await arena.store.set(down: true)
        arena.clock.advance(1)
        #expect(await arena.director.tick().expired == 0)
        await arena.store.set(down: false)
        let b = try await arena.enter("bob")
        let report = await arena.director.tick()
        #expect(report.expired == 1 && report.matched == 0, "an expired ticket is not matched")
        #expect(await arena.world.expired == [a.id])
        #expect(try await arena.director.ticket(a.id, of: "ann").status == .expired)
        #expect(try await arena.director.ticket(b.id, of: "bob").status == .waiting)
        try await arena.enter("ann")
    }

    @Test func roomThatFailsIsTriedAgainLater() async throws {
        let arena = Arena()
        try await arena.enter("ann")
        try await arena.enter("bob")
        await arena.world.set(roomFails: true)
        #expect(await arena.director.tick().missed == 1)
        await arena.world.set(roomFails: false)
        #expect(await arena.director.tick().proposed == 0, "rests first")
        arena.clock.advance(MatchmakingLimits.retryAfterFailureMs)
        #expect(await arena.director.tick().matched == 1)
    }

    @Test func waitingTicketsSurviveARestart() async throws {
        let before = Arena()
        let a = try await before.enter("ann")
        let after = Arena(store: before.store, clock: before.clock)
        await #expect(throws: MatchmakingError.self) { try await after.enter("ann") }
        try await after.enter("bob")
        #expect(await after.director.tick().matched == 1)
        #expect(try await after.director.ticket(a.id, of: "ann").status == .matched)
    }

    @Test func crashAfterTheRoomLeavesTicketsWaiting() async throws {
        // The process ends while the room is created: nothing was marked.
        let before = Arena()
        let a = try await before.enter("ann")
        try await before.enter("bob")
        await before.world.set(duringCreation: { await before.store.set(down: true) })
        #expect(await before.director.tick().matched == 0)
        #expect(await before.world.discarded.isEmpty, "its fate is not known")
        await before.store.set(down: false)
        let after = Arena(store: before.store, clock: before.clock)
        #expect(await after.director.tick().matched == 1)
        let stored = try await after.director.ticket(a.id, of: "ann")
        #expect(await after.world.rooms[stored.roomID ?? ""] != nil)
    }

    @Test func commitWithALostAnswerIsFound() async throws {
        let arena = Arena()
        let a = try await arena.enter("ann")
        try await arena.enter("bob")
        await arena.store.loseNextAnswer()
        #expect(await arena.director.tick().matched == 1)
        let roomID = try await arena.director.ticket(a.id, of: "ann").roomID
        #expect(await arena.world.told[a.id] == roomID)
        #expect(await arena.world.discarded.isEmpty)
    }

    @Test func storeThatIsDownIsSaid() async throws {
        let arena = Arena()
        await arena.store.set(down: true)
        await #expect(throws: MatchmakingError.self) { try await arena.enter("ann") }
        await arena.store.set(down: false)
        try await arena.enter("ann")
    }

    /// Everyone enters, some leave at random while ticks run: no ticket in two rooms, no room without two tickets.
    @Test func manyTicketsAtOnce() async throws {
        let arena = Arena()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<1_000 {
                group.addTask {
                    guard
                        let ticket = try? await arena.enter(
                            "u\(number)", topics: number % 3 == 0 ? ["dp"] : [])
                    else { return }
                    if number % 5 == 0 { try? await arena.director.cancel(ticket.id, of: "u\(number)") }
                }
            }
            for _ in 0..<20 { group.addTask { await arena.director.tick() } }
        }
        while await arena.director.tick().proposed > 0 {}
        let tickets = await arena.store.tickets.values
        let byRoom = Dictionary(grouping: tickets.filter { $0.status == .matched }, by: \.roomID)
        #expect(byRoom.values.allSatisfy { $0.count == 2 })
        #expect(byRoom[nil] == nil)
        #expect(tickets.filter { $0.status == .waiting }.count <= 1)
        let rooms = await arena.world.rooms.count - arena.world.discarded.count
        #expect(rooms == byRoom.count)
        #expect(await arena.world.told.count == byRoom.count * 2)
    }
}

@Suite struct SettlementTests {
    @Test func ratingsAreWrittenOnce() async throws {
        let arena = Arena()
        let outcome = MatchOutcome(players: ["ann", "bob"], winner: "bob", rated: true)
        let first = try await arena.director.settle(battleID: "b1", mode: .duel, outcome: outcome)
        guard case .rated(let changes) = first else {
            Issue.record("not rated")
            return
        }
        #expect(changes.map(\.userID) == ["ann", "bob"])
        #expect(changes[1].after.rating > 1_600 && changes[0].after.rating < 1_400)
        let stored = await arena.store.ratings
        #expect(
            try await arena.director.settle(battleID: "b1", mode: .duel, outcome: outcome) == .alreadySettled)
        #expect(await arena.store.ratings == stored)
        #expect(try await arena.director.rating(of: "bob", mode: .duel).rating == changes[1].after.rating)
        #expect(try await arena.director.rating(of: "bob", mode: .pair) == .initial)
    }

    @Test func unratedAndGuestsMoveNobody() async throws {
        let arena = Arena()
        let unrated = MatchOutcome(players: ["ann", "bob"], winner: nil, rated: false)
        let guest = MatchOutcome(players: ["ann", "bob"], winner: "ann", rated: true, guests: ["bob"])
        for outcome in [unrated, guest] {
            #expect(try await arena.director.settle(battleID: "b", mode: .duel, outcome: outcome) == .unrated)
        }
        #expect(await arena.store.ratings.isEmpty)
        for outcome in [
            MatchOutcome(players: ["ann"], winner: nil, rated: true),
            MatchOutcome(players: ["ann", "ann"], winner: nil, rated: true),
            MatchOutcome(players: ["ann", "bob"], winner: "eve", rated: true),
        ] {
            await #expect(throws: MatchmakingError.self) {
                try await arena.director.settle(battleID: "b", mode: .duel, outcome: outcome)
            }
        }
    }

    /// Battles of one user that end together: no change is lost.
    @Test func settlementsDoNotOverwriteEachOther() async throws {
        let arena = Arena()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<40 {
                group.addTask {
                    _ = try await arena.director.settle(
                        battleID: "b\(number)", mode: .duel,
                        outcome: MatchOutcome(players: ["ann", "x\(number)"], winner: "ann", rated: true))
                }
            }
            try await group.waitForAll()
        }
        var expected = Rating.initial
        for _ in 0..<40 {
            expected = Glicko2().rate(expected, against: .initial, scoreOfFirst: 1, atMs: arena.clock.nowMs).0
        }
        let stored = try #require(await arena.store.ratings["duel ann"])
        #expect(abs(stored.rating - expected.rating) < 1e-6)
    }
}
