import Gateway
import Identity
import Testing

/// Sessions, cookies, tokens, profiles and the end of an account, over HTTP and on real stores.
@Suite struct AccountLifeRouteTests {
    private static let logIn = #"{"login":"ann","password":"correct horse","cookie":true}"#

    /// Values of the cookies that an answer sets.
    private func cookies(_ answer: RawAnswer) -> [String: String] {
        var found: [String: String] = [:]
        for (name, value) in answer.headers where name.lowercased() == "set-cookie" {
            let parts = value.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1)
            found[String(parts[0])] = parts.count == 2 ? String(parts[1]) : ""
        }
        return found
    }

    @Test func refreshTokenLivesInACookieWithACsrfToken() async throws {
        try await ApiFixture.with { api async throws in
            _ = try await api.account("ann")
            let session = try await api.server.post("/api/v1/sessions", Self.logIn)
            #expect(session.json["refresh_token"] == nil)
            let set = session.headers.filter { $0.0.lowercased() == "set-cookie" }.map(\.1)
            let first = try #require(set.first { $0.hasPrefix("__Host-coduel_refresh=") })
            for part in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/"] { #expect(first.contains(part)) }
            #expect(!first.contains("Domain"))
            let jar = cookies(session)
            let refresh = try #require(jar["__Host-coduel_refresh"])
            let csrf = try #require(jar["__Host-coduel_csrf"])
            #expect(session.json["csrf_token"] as? String == csrf)
            let cookie = (
                "Cookie", "theme=dark; __Host-coduel_refresh=\(refresh); __Host-coduel_csrf=\(csrf)"
            )

            let bare = try await api.server.post("/api/v1/sessions/refresh", "{}", headers: [cookie])
            #expect(bare.status == 403)
            #expect(bare.problemCode == "csrf_token_missing")
            let wrong = try await api.server.post(
                "/api/v1/sessions/refresh", "{}", headers: [cookie, ("X-CSRF-Token", "0123")])
            #expect(wrong.status == 403)
            let foreign = try await api.server.post(
                "/api/v1/sessions/refresh", "{}",
                headers: [cookie, ("X-CSRF-Token", csrf), ("Origin", "https://evil.example")])
            #expect(foreign.status == 403)
            let good = try await api.server.post(
                "/api/v1/sessions/refresh", "{}", headers: [cookie, ("X-CSRF-Token", csrf)])
            #expect(good.status == 200)
            #expect(good.json["refresh_token"] == nil)
            #expect(cookies(good)["__Host-coduel_refresh"] != refresh)
            let none = try await api.server.post("/api/v1/sessions/refresh", "{}")
            #expect(none.status == 401)

            let token = try #require(good.json["access_token"] as? String)
            let out = try await api.server.send(
                "DELETE", "/api/v1/sessions/current", token: token, headers: [cookie])
            #expect(cookies(out)["__Host-coduel_refresh"] == "")
        }
    }

    @Test func sessionsAreListedAndEnded() async throws {
        try await ApiFixture.with { api async throws in
            let (token, _) = try await api.account("ann")
            _ = try await api.server.post(
                "/api/v1/sessions", Self.logIn, headers: [("User-Agent", "phone")])
            let list = try await api.server.get("/api/v1/sessions", token: token)
            let items = try #require(list.json["items"] as? [[String: Any]])
            #expect(items.map { $0["user_agent"] as? String } == ["phone", ""])
            #expect(items.map { $0["current"] as? Bool } == [false, true])
            let other = try #require(items[0]["id"] as? String)
            let (stranger, _) = try await api.account("bob")
            #expect(
                try await api.server.send("DELETE", "/api/v1/sessions/\(other)", token: stranger).status
                    == 404)
            #expect(
                try await api.server.send("DELETE", "/api/v1/sessions/\(other)", token: token).status == 204)
            let rest = try await api.server.send("DELETE", "/api/v1/sessions", token: token)
            #expect(rest.json["ended"] as? Int == 0)
            #expect(try await api.server.get("/api/v1/me", token: token).status == 200)
        }
    }

    @Test func personalTokensStayWithinTheirScopes() async throws {
        try await ApiFixture.with { api async throws in
            let token = try await api.staff("mod", .moderator)
            func made(_ scopes: String) async throws -> String {
                let answer = try await api.server.post(
                    "/api/v1/me/tokens", #"{"name":"ci","scopes":[\#(scopes)]}"#, token: token)
                #expect(answer.status == 201)
                return answer.json["token"] as? String ?? ""
            }
            let reader = try await made(#""read""#)
            let writer = try await made(#""write""#)
            #expect(try await api.server.get("/api/v1/me", token: reader).status == 200)
            #expect(try await api.server.get("/api/v1/me", token: writer).problemCode == "scope_missing")
            let profile = #"{"bio":"by token"}"#
            func put(_ token: String) async throws -> RawAnswer {
                try await api.server.send(
                    "PUT", "/api/v1/me/profile", token: token,
                    headers: [("Content-Type", "application/json")], body: Array(profile.utf8))
            }
            #expect(try await put(reader).problemCode == "scope_missing")
            #expect(try await put(writer).status == 200)
            // What touches the account needs a log-in, whatever the scopes.
            let all = try await made(#""read","write","sync","admin""#)
            for (method, path) in [
                ("POST", "/api/v1/me/tokens"), ("GET", "/api/v1/me/tokens"), ("GET", "/api/v1/sessions"),
                ("DELETE", "/api/v1/sessions"), ("PUT", "/api/v1/me/password"), ("GET", "/api/v1/me/export"),
                ("DELETE", "/api/v1/me"), ("POST", "/api/v1/me/email-verification"),
            ] {
                let answer = try await api.server.send(
                    method, path, token: all, headers: [("Content-Type", "application/json")],
                    body: Array("{}".utf8))
                #expect(answer.problemCode == "session_required", "\(method) \(path)")
            }
        }
    }

    @Test func profilesAndPicturesAreChecked() async throws {
        try await ApiFixture.with { api async throws in
            let (token, id) = try await api.account("ann")
            let bad = try await api.server.send(
                "PUT", "/api/v1/me/profile", token: token, headers: [("Content-Type", "application/json")],
                body: Array(#"{"country":"XX","time_zone":"Mars/Base"}"#.utf8))
            #expect(bad.status == 422)
            #expect(Set(bad.faultyFields) == ["country", "time_zone"])
            let svg = try await api.server.send(
                "PUT", "/api/v1/me/avatar", token: token, headers: [("Content-Type", "image/svg+xml")],
                body: Array("<svg/>".utf8))
            #expect(svg.status == 415)
            let lie = try await api.server.send(
                "PUT", "/api/v1/me/avatar", token: token, headers: [("Content-Type", "image/png")],
                body: Array("<svg/>".utf8))
            #expect(lie.status == 422)
            let large = try await api.server.send(
                "PUT", "/api/v1/me/avatar", token: token, headers: [("Content-Type", "image/png")],
                body: Array(repeating: 0, count: Identity.Limits.avatarBytes + 1))
            #expect(large.status == 413)
            let set = try await api.server.send(
                "PUT", "/api/v1/me/avatar", token: token, headers: [("Content-Type", "image/png")],
                body: Self.picture)
            #expect(set.status == 200)
            let shown = try await api.server.get("/api/v1/users/\(id)/avatar")
            #expect(shown.status == 200 && shown.body == Self.picture)
            #expect(shown.header("content-type") == "image/png")
            #expect(shown.header("x-content-type-options") == "nosniff")
            let tag = try #require(shown.header("etag"))
            let again = try await api.server.get(
                "/api/v1/users/\(id)/avatar", headers: [("If-None-Match", tag)])
            #expect(again.status == 304 && again.body.isEmpty)
            let person = try await api.server.get("/api/v1/users/\(id)", token: token)
            #expect((person.json["avatar_url"] as? String)?.hasPrefix("/api/v1/users/\(id)/avatar") == true)
            #expect(person.json["email"] == nil)
        }
    }

    /// A PNG of 16 × 16 as far as anyone here looks.
    private static let picture: [UInt8] =
        [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + Array("IHDR".utf8)
        + [0, 0, 0, 16, 0, 0, 0, 16, 8, 2, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 1] + Array("IDAT".utf8)
        + [9, 1, 2, 3, 4, 0, 0, 0, 0] + Array("IEND".utf8) + [1, 2, 3, 4]

    @Test func anAccountIsExportedAndDeleted() async throws {
        try await ApiFixture.with { api async throws in
            let (token, id) = try await api.account("ann")
            let export = try await api.server.get("/api/v1/me/export", token: token)
            #expect(export.status == 200)
            let accounts = try #require(export.json["accounts"] as? [[String: Any]])
            #expect(accounts.first?["email"] as? String == "ann@example.org")
            #expect(!export.text.contains("argon2"))
            func delete(_ body: String) async throws -> RawAnswer {
                try await api.server.send(
                    "DELETE", "/api/v1/me", token: token, headers: [("Content-Type", "application/json")],
                    body: Array(body.utf8))
            }
            #expect(try await delete("{}").status == 401)
            #expect(try await delete(#"{"password":"correct horse"}"#).status == 204)
            #expect(try await api.server.get("/api/v1/me", token: token).status == 401)
            let (other, _) = try await api.account("bob")
            let gone = try await api.server.get("/api/v1/users/\(id)", token: other)
            #expect((gone.json["handle"] as? String)?.hasPrefix("deleted-") == true)
            // The name and the address are free again.
            _ = try await api.account("ann")
        }
    }

    @Test func mailCodesAnswerAlikeForEveryone() async throws {
        try await ApiFixture.with { api async throws in
            _ = try await api.account("ann")
            for login in ["ann", "nobody"] {
                let answer = try await api.server.post(
                    "/api/v1/password-resets", #"{"login":"\#(login)"}"#)
                #expect(answer.status == 202 && answer.body.isEmpty)
            }
            let code = try await api.server.post("/api/v1/email-verifications", #"{"code":"abc"}"#)
            #expect(code.status == 422)
            let reset = try await api.server.post(
                "/api/v1/password-resets/complete", #"{"code":"abc","password":"another good phrase"}"#)
            #expect(reset.status == 422)
        }
    }
}
