import Gateway
import Testing

/// Server-sent events, over a socket and in memory.
@Suite struct EventTests {
    /// The stream's text up to the point where `enough` is in it.
    private static func stream(
        _ api: ApiFixture, token: String, lastEventID: String? = nil, until enough: String,
        meanwhile: @escaping @Sendable () async throws -> Void = {}
    ) async throws -> String {
        let resume = lastEventID.map { "Last-Event-ID: \($0)\r\n" } ?? ""
        let request =
            "GET /api/v1/me/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(token)\r\n\(resume)\r\n"
        let port = api.server.port
        async let received = RawHTTP.exchange(port: port, Array(request.utf8)) {
            String(decoding: $0, as: UTF8.self).contains(enough)
        }
        try await meanwhile()
        return String(decoding: try await received, as: UTF8.self)
    }

    /// Waits until that many streams are open.
    private static func opened(_ events: UserEvents, _ count: Int) async throws {
        for _ in 0..<400 where events.subscriberCount < count { try await Task.sleep(for: .milliseconds(10)) }
    }

    @Test func eventsArriveAndResume() async throws {
        try await ApiFixture.with { api async throws in
            let (ann, annID) = try await api.account("ann")
            let (_, bobID) = try await api.account("bob")
            let first = try await Self.stream(api, token: ann, until: "\"n\":2") {
                try await Self.opened(api.events, 1)
                api.events.publish(userID: bobID, type: "match.found", json: #"{"n":99}"#)
                api.events.publish(userID: annID, type: "match.found", json: #"{"n":1}"#)
                api.events.publish(userID: annID, type: "submission.finished", json: #"{"n":2}"#)
            }
            #expect(first.contains("text/event-stream"))
            #expect(first.contains("event: match.found\nid: run1-2\ndata: {\"n\":1}\n\n"))
            #expect(!first.contains("\"n\":99"))

            api.events.publish(userID: annID, type: "badge.awarded", json: #"{"n":3}"#)
            let second = try await Self.stream(api, token: ann, lastEventID: "run1-2", until: "\"n\":3")
            #expect(second.contains("\"n\":2"))
            #expect(!second.contains("\"n\":1"))
            #expect(!second.contains("events.reset"))

            let lost = try await Self.stream(api, token: ann, lastEventID: "oldrun-7", until: "\"n\":3")
            #expect(lost.contains("event: events.reset"))

            // Without an id nothing old comes.
            let fresh = try await Self.stream(api, token: ann, until: "id: run1-4")
            #expect(!fresh.contains("data:"))
        }
    }

    @Test func streamNeedsATokenAndEndsWithItsSession() async throws {
        try await ApiFixture.with { api async throws in
            #expect(try await api.server.get("/api/v1/me/events").status == 401)
            let (ann, _) = try await api.account("ann")
            let caller = try await api.identity.authenticate(accessToken: ann)
            async let answer = api.server.get("/api/v1/me/events", token: ann)
            try await Self.opened(api.events, 1)
            api.events.endSession(caller.sessionID)
            #expect(try await answer.status == 200)
            #expect(api.events.subscriberCount == 0)
        }
    }

    @Test func heartbeatFindsOutThatTheClientIsGone() async throws {
        let events = UserEvents(run: "r")
        let route = Route(.get, "/events", access: .open, limits: []) { _, _ in
            EventStream.response(
                try events.subscribe(userID: "ann", sessionID: "s", lastEventID: nil), of: events,
                heartbeat: .milliseconds(20))
        }
        try await withServer(gateway([route])) { server async throws in
            let received = try await RawHTTP.exchange(
                port: server.port, Array("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8),
                enough: { String(decoding: $0, as: UTF8.self).contains(":\n\n") })
            #expect(String(decoding: received, as: UTF8.self).contains("retry: 2000\n\n"))
            for _ in 0..<400 where events.subscriberCount > 0 { try await Task.sleep(for: .milliseconds(10)) }
            #expect(events.subscriberCount == 0)
        }
    }

    @Test func closingEndsAllStreamsAndTakesNoMore() async throws {
        let events = UserEvents(run: "r")
        let open = try events.subscribe(userID: "ann", sessionID: "s", lastEventID: nil)
        events.close()
        for await _ in open.items { Issue.record("an item after the end") }
        #expect(throws: HTTPProblem.self) {
            try events.subscribe(userID: "ann", sessionID: "s", lastEventID: nil)
        }
    }

    @Test func oneUserHasOnlySoManyStreams() throws {
        let events = UserEvents(run: "r")
        var open: [UserEvents.Subscription] = []
        for _ in 0..<GatewayLimits.eventSubscribersPerUser {
            open.append(try events.subscribe(userID: "ann", sessionID: "s", lastEventID: nil))
        }
        #expect(throws: HTTPProblem.self) {
            try events.subscribe(userID: "ann", sessionID: "s", lastEventID: nil)
        }
        open.first?.cancel()
        open.first?.cancel()
        #expect(events.subscriberCount == GatewayLimits.eventSubscribersPerUser - 1)
        _ = try events.subscribe(userID: "ann", sessionID: "s", lastEventID: nil)
    }

    @Test func streamThatLagsEndsAndCanResume() async throws {
        let events = UserEvents(run: "r")
        let slow = try events.subscribe(userID: "ann", sessionID: "s", lastEventID: nil)
        for index in 0..<(GatewayLimits.eventBacklog + 10) {
            events.publish(userID: "ann", type: "t", json: "{\"n\":\(index)}")
        }
        var got: [UInt64] = []
        for await item in slow.items {
            if case .event(let event) = item { got.append(event.sequence) }
        }
        #expect(got.count == GatewayLimits.eventBacklog)
        #expect(events.subscriberCount == 0)
        let again = try events.subscribe(
            userID: "ann", sessionID: "s", lastEventID: events.id(of: try #require(got.last)))
        #expect(again.missed.map(\.sequence) == (UInt64(got.count + 1)...UInt64(got.count + 10)).map { $0 })
        #expect(!again.hasGap)
    }

    @Test func memoryOfAUserIsBoundedAndTheGapIsTold() throws {
        let events = UserEvents(run: "r")
        for _ in 0..<(GatewayLimits.eventsPerUser + 5) {
            events.publish(userID: "ann", type: "t", json: "{}")
        }
        let early = try events.subscribe(userID: "ann", sessionID: "s", lastEventID: "r-3")
        #expect(early.hasGap)
        #expect(early.missed.count == GatewayLimits.eventsPerUser)
        let exact = try events.subscribe(userID: "ann", sessionID: "s", lastEventID: "r-5")
        #expect(!exact.hasGap)
        events.publish(
            userID: "ann", type: "t", json: String(repeating: "x", count: GatewayLimits.eventBytes + 1))
        #expect(exact.missed.count == GatewayLimits.eventsPerUser)
    }

    @Test func usersAreForgottenOldestFirst() throws {
        let events = UserEvents(run: "r")
        events.publish(userID: "first", type: "t", json: "{}")
        for index in 0..<GatewayLimits.eventUsers {
            events.publish(userID: "u\(index)", type: "t", json: "{}")
        }
        let first = try events.subscribe(userID: "first", sessionID: "s", lastEventID: "r-0")
        #expect(first.hasGap)
        let last = try events.subscribe(
            userID: "u\(GatewayLimits.eventUsers - 1)", sessionID: "s",
            lastEventID: events.id(of: UInt64(GatewayLimits.eventUsers)))
        #expect(!last.hasGap)
        #expect(last.missed.count == 1)
    }

    @Test(arguments: ["", "r", "r-", "r-x", "r-99999999999999999999999", "-1", "R-1", "r--1"])
    func idsThatAreNotOursGiveAReset(_ id: String) throws {
        let events = UserEvents(run: "r")
        events.publish(userID: "ann", type: "t", json: "{}")
        #expect(try events.subscribe(userID: "ann", sessionID: "s", lastEventID: id).hasGap)
    }
}
