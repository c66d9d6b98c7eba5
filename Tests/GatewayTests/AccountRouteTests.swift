import Gateway
import Testing

/// Accounts and sessions over HTTP, on real stores.
@Suite struct AccountRouteTests {
    @Test func registersLogsInAndShowsTheCaller() async throws {
        try await ApiFixture.with { api async throws in
            let made = try await api.server.post(
                "/api/v1/users", #"{"handle":"ann","email":"ann@example.org","password":"correct horse"}"#)
            #expect(made.status == 201)
            #expect(made.json["handle"] as? String == "ann")
            #expect(made.header("cache-control") == "no-store")

            let session = try await api.server.post(
                "/api/v1/sessions", #"{"login":"ann","password":"correct horse"}"#)
            #expect(session.status == 201)
            #expect(session.json["token_type"] as? String == "Bearer")
            #expect(session.json["expires_in"] as? Int == 600)
            #expect(session.header("cache-control") == "no-store")
            let token = try #require(session.json["access_token"] as? String)

            let me = try await api.server.get("/api/v1/me", token: token)
            #expect(me.status == 200)
            #expect(me.json["id"] as? String == made.json["id"] as? String)
            #expect(me.json["roles"] as? [String] == ["user"])
            let duel = try #require((me.json["ratings"] as? [String: Any])?["duel"] as? [String: Any])
            #expect(duel["rating"] as? Double == 1_500)
            #expect(duel["provisional"] as? Bool == true)
            #expect((me.json["created_at"] as? String)?.hasSuffix("Z") == true)
        }
    }

    @Test func takenAndBadFieldsAreNamed() async throws {
        try await ApiFixture.with { api async throws in
            _ = try await api.account("ann")
            let taken = try await api.server.post(
                "/api/v1/users", #"{"handle":"ANN","email":"other@example.org","password":"correct horse"}"#)
            #expect(taken.status == 409)
            #expect(taken.problemCode == "handle_taken")
            let bad = try await api.server.post(
                "/api/v1/users", #"{"handle":"!","email":"nonsense","password":"x"}"#)
            #expect(bad.status == 422)
            #expect(Set(bad.faultyFields) == ["handle", "email", "password"])
            let missing = try await api.server.post("/api/v1/users", #"{"handle":"bob"}"#)
            #expect(missing.status == 422)
            let wrong = try await api.server.post("/api/v1/sessions", #"{"login":"ann","password":"guess"}"#)
            #expect(wrong.status == 401)
            #expect(wrong.header("www-authenticate") != nil)
        }
    }

    @Test func guestSessionNeedsNoBody() async throws {
        try await ApiFixture.with { api async throws in
            let guest = try await api.server.send("POST", "/api/v1/sessions/guest")
            #expect(guest.status == 201)
            let token = try #require(guest.json["access_token"] as? String)
            let me = try await api.server.get("/api/v1/me", token: token)
            #expect(me.json["is_guest"] as? Bool == true)
        }
    }

    @Test func endedSessionIsRefusedAtOnce() async throws {
        try await ApiFixture.with { api async throws in
            let (token, _) = try await api.account("ann")
            #expect(
                try await api.server.send("DELETE", "/api/v1/sessions/current", token: token).status == 204)
            let answer = try await api.server.get("/api/v1/me", token: token)
            #expect(answer.status == 401)
            #expect(answer.problemCode == "session_ended")
        }
    }

    @Test func refreshRotates() async throws {
        try await ApiFixture.with { api async throws in
            let session = try await api.server.send("POST", "/api/v1/sessions/guest")
            let first = try #require(session.json["refresh_token"] as? String)
            let renewed = try await api.server.post(
                "/api/v1/sessions/refresh", #"{"refresh_token":"\#(first)"}"#)
            #expect(renewed.status == 200)
            #expect(renewed.json["refresh_token"] as? String != first)
            let unknown = try await api.server.post("/api/v1/sessions/refresh", #"{"refresh_token":"abc"}"#)
            #expect(unknown.status == 401)
        }
    }

    @Test func syncTokenIsNoAccessToken() async throws {
        try await ApiFixture.with { api async throws in
            let (token, _) = try await api.account("ann")
            let caller = try await api.identity.authenticate(accessToken: token)
            let sync = try await api.identity.mintSyncToken(
                roomID: "r", epoch: 1, for: caller, ttlSeconds: 60)
            #expect(try await api.server.get("/api/v1/me", token: sync.token).status == 401)
        }
    }

    @Test func registrationWithAKeyHappensOnce() async throws {
        try await ApiFixture.with { api async throws in
            let body = #"{"handle":"ann","email":"ann@example.org","password":"correct horse"}"#
            let key = [("Idempotency-Key", "4f1c")]
            let first = try await api.server.post("/api/v1/users", body, headers: key)
            let again = try await api.server.post("/api/v1/users", body, headers: key)
            #expect(first.status == 201)
            #expect(again.status == 201)
            #expect(again.body == first.body)
            #expect(again.header("idempotency-replayed") == "true")
            let other = try await api.server.post(
                "/api/v1/users", #"{"handle":"bob","email":"bob@example.org","password":"correct horse"}"#,
                headers: key)
            #expect(other.status == 422)
            #expect(try await api.server.post("/api/v1/users", body).status == 409)
        }
    }
}
