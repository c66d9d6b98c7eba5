import Foundation
import Gateway
import Problems
import Testing

/// Problems, submissions, runs and tickets over HTTP, on real stores and a scripted sandbox.
@Suite struct WorkRouteTests {
    private static func fill(_ api: ApiFixture) async throws {
        let trees = (1...5).map { ApiFixture.sum("sum\($0)", title: "Sum number \($0)", difficulty: $0) }
        _ = try await api.catalogue.importPackages(trees, publish: true, atMs: 0)
        _ = try await api.catalogue.importPackages([ApiFixture.sum("secret")], publish: false, atMs: 0)
    }

    private static func ids(_ answer: RawAnswer) -> [String] {
        (answer.json["items"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
    }

    @Test func catalogueIsPagedAndFiltered() async throws {
        try await ApiFixture.with { api async throws in
            try await Self.fill(api)
            let all = try await api.server.get("/api/v1/problems")
            #expect(Self.ids(all) == ["sum1", "sum2", "sum3", "sum4", "sum5"])
            #expect(all.json["next_cursor"] is NSNull)

            var seen: [String] = []
            var target = "/api/v1/problems?limit=2"
            while true {
                let page = try await api.server.get(target)
                seen += Self.ids(page)
                guard let cursor = page.json["next_cursor"] as? String else { break }
                target = "/api/v1/problems?limit=2&cursor=\(cursor)"
            }
            #expect(seen == ["sum1", "sum2", "sum3", "sum4", "sum5"])
            #expect(Self.ids(try await api.server.get("/api/v1/problems?limit=5")).count == 5)

            #expect(Self.ids(try await api.server.get("/api/v1/problems?difficulty=3")) == ["sum3"])
            #expect(Self.ids(try await api.server.get("/api/v1/problems?q=NUMBER%204")) == ["sum4"])
            #expect(Self.ids(try await api.server.get("/api/v1/problems?topic=nothing")).isEmpty)
        }
    }

    @Test(arguments: [
        "limit=0", "limit=101", "limit=x", "limit=", "difficulty=11", "difficulty=a", "cursor=",
    ])
    func badListParametersAreNamed(_ query: String) async throws {
        try await ApiFixture.with { api async throws in
            let answer = try await api.server.get("/api/v1/problems?\(query)")
            #expect(answer.status == 422)
            #expect(answer.faultyFields == [String(query.prefix { $0 != "=" })])
        }
    }

    @Test func problemHasStatementLimitsAndSamples() async throws {
        try await ApiFixture.with { api async throws in
            try await Self.fill(api)
            let answer = try await api.server.get("/api/v1/problems/sum1")
            #expect(answer.status == 200)
            let statement = try #require(answer.json["statement"] as? [String: Any])
            #expect((statement["html"] as? String)?.contains("sum of the two") == true)
            #expect((statement["markdown"] as? String)?.contains("Print") == true)
            #expect((answer.json["limits"] as? [String: Any])?["time_limit_ms"] is Int)
            let samples = try #require(answer.json["samples"] as? [[String: Any]])
            #expect(samples.first?["answer"] as? String == "3\n")
            #expect(!answer.text.contains("20 22"))
        }
    }

    @Test func draftsAreForAuthors() async throws {
        try await ApiFixture.with { api async throws in
            try await Self.fill(api)
            #expect(try await api.server.get("/api/v1/problems/secret").status == 404)
            let (token, _) = try await api.account("ann")
            #expect(try await api.server.get("/api/v1/problems/secret", token: token).status == 404)
            let author = try await api.staff("writer", .author)
            #expect(try await api.server.get("/api/v1/problems/secret", token: author).status == 200)
            #expect(Self.ids(try await api.server.get("/api/v1/problems", token: author)).contains("secret"))
        }
    }

    @Test func importIsForAuthorsAndReplacesNothing() async throws {
        try await ApiFixture.with { api async throws in
            try await Self.fill(api)
            let zip = [("Content-Type", "application/zip")]
            let (user, _) = try await api.account("ann")
            let author = try await api.staff("writer", .author)
            let moderator = try await api.staff("keeper", .moderator)
            func post(_ token: String?, _ body: String, _ headers: [(String, String)]) async throws
                -> RawAnswer
            {
                try await api.server.send(
                    "POST", "/api/v1/problems", token: token, headers: headers, body: Array(body.utf8))
            }
            #expect(try await post(nil, "fresh", zip).status == 401)
            #expect(try await post(user, "fresh", zip).status == 403)
            #expect(try await post(author, "fresh", [("Content-Type", "application/json")]).status == 415)
            let made = try await post(author, "fresh", zip)
            #expect(made.status == 201)
            #expect(made.json["status"] as? String == "draft")
            #expect(made.header("location") == "/api/v1/problems/fresh")
            #expect(try await post(author, "sum1", zip).status == 409)
            #expect(try await post(moderator, "sum1", zip).status == 201)
            let bad = try await post(author, "../..", zip)
            #expect(bad.status == 422)
            #expect(bad.problemCode == "unreadable_package")
        }
    }

    @Test func practiceIsJudgedAndSeenByItsAuthorOnly() async throws {
        try await ApiFixture.with { api async throws in
            try await Self.fill(api)
            let (ann, annID) = try await api.account("ann")
            let (bob, _) = try await api.account("bob")
            let taken = try await api.server.post(
                "/api/v1/problems/sum1/submissions", #"{"language":"python3","source":"print(3)"}"#,
                token: ann)
            #expect(taken.status == 202)
            #expect(taken.json["snapshot"] is NSNull)
            let location = try #require(taken.header("location"))
            let done = try await api.wait(for: location, token: ann) {
                $0.json["status"] as? String == "finished"
            }
            // Right on the sample, wrong on the secret test.
            #expect(done.json["verdict"] as? String == "WA")
            #expect(done.json["user_id"] as? String == annID)
            #expect(done.json["language"] as? String == "python")
            #expect((done.json["tests"] as? [[String: Any]])?.first?["cpu_time_ms"] as? Int == 3)
            #expect(try await api.server.get(location, token: bob).status == 404)
            #expect(try await api.server.get(location).status == 401)
        }
    }

    @Test(arguments: [
        (#"{"language":"cobol","source":"x"}"#, "language"),
        (#"{"language":"rust","source":"x"}"#, "language"),
        (#"{"language":"python","source":""}"#, "source"), (#"{"language":"python"}"#, "source"),
        (#"{"language":"python","source":"\#(String(repeating: "a", count: 140_000))"}"#, "source"),
    ])
    func badSubmissionsAreNamed(_ body: String, _ field: String) async throws {
        try await ApiFixture.with { api async throws in
            try await Self.fill(api)
            let (ann, _) = try await api.account("ann")
            let answer = try await api.server.post("/api/v1/problems/sum1/submissions", body, token: ann)
            #expect(answer.status == 422)
            #expect(answer.faultyFields == [field])
            #expect(
                try await api.server.post("/api/v1/problems/nothing/submissions", body, token: ann).status
                    == (field == "source" && body.count < 30 ? 422 : 404))
        }
    }

    @Test func runShowsWhatTheSandboxShows() async throws {
        try await ApiFixture.with { api async throws in
            let (ann, _) = try await api.account("ann")
            let (bob, _) = try await api.account("bob")
            let taken = try await api.server.post(
                "/api/v1/runs", #"{"language":"python","source":"print(3)","stdin":"x"}"#, token: ann)
            #expect(taken.status == 202)
            let location = try #require(taken.header("location"))
            let done = try await api.wait(for: location, token: ann) {
                $0.json["status"] as? String == "finished"
            }
            #expect(done.json["verdict"] as? String == "AC")
            #expect(done.json["stdout"] as? String == "3\n")
            #expect(done.json["signal"] is NSNull)
            #expect(done.json["layers"] as? [String] == ["scripted"])
            #expect((done.json["compile"] as? [String: Any])?["exit_code"] as? Int == 0)
            #expect(try await api.server.get(location, token: bob).status == 404)
            let both = try await api.server.post(
                "/api/v1/runs", #"{"language":"python","source":"x","room_id":"r"}"#, token: ann)
            #expect(both.status == 422)
            let room = try await api.server.post(
                "/api/v1/runs", #"{"language":"python","room_id":"r","document":"main"}"#, token: ann)
            #expect(room.status == 404)
        }
    }

    @Test func languagesAreListedWithVersionsOrReasons() async throws {
        try await ApiFixture.with { api async throws in
            let answer = try await api.server.get("/api/v1/languages")
            #expect(answer.status == 200 && answer.json["next_cursor"] is NSNull)
            let items = answer.json["items"] as? [[String: Any]] ?? []
            #expect(items.compactMap { $0["id"] as? String } == ["cpp", "python"])
            #expect(items.compactMap { $0["available"] as? Bool } == [false, true])
            #expect(items[0]["version"] is NSNull && items[0]["reason"] as? String == "there is no compiler")
            #expect(items[1]["version"] as? String == "Python 3 3.9" && items[1]["reason"] is NSNull)
            #expect(items[1]["file_name"] as? String == "main.py")
        }
    }

    @Test func ticketIsMadeShownAndCancelled() async throws {
        try await ApiFixture.with { api async throws in
            let (ann, _) = try await api.account("ann")
            let (bob, _) = try await api.account("bob")
            let wish = #"{"mode":"duel","languages":["python"],"topics":[],"rated":true}"#
            let made = try await api.server.post("/api/v1/matchmaking/tickets", wish, token: ann)
            #expect(made.status == 201)
            #expect(made.json["status"] as? String == "waiting")
            #expect(made.json["room_id"] is NSNull)
            let location = try #require(made.header("location"))
            #expect(try await api.server.get(location, token: bob).status == 404)
            let twice = try await api.server.post("/api/v1/matchmaking/tickets", wish, token: ann)
            #expect(twice.status == 409)
            #expect(twice.problemCode == "already_waiting")
            let cancelled = try await api.server.send("DELETE", location, token: ann)
            #expect(cancelled.status == 200)
            #expect(cancelled.json["status"] as? String == "cancelled")
            let guest = try await api.server.send("POST", "/api/v1/sessions/guest")
            let guestToken = try #require(guest.json["access_token"] as? String)
            #expect(
                try await api.server.post("/api/v1/matchmaking/tickets", wish, token: guestToken).status
                    == 403)
            let odd = try await api.server.post(
                "/api/v1/matchmaking/tickets", #"{"mode":"chess","languages":["python"]}"#, token: ann)
            #expect(odd.faultyFields == ["mode"])
            let none = try await api.server.post(
                "/api/v1/matchmaking/tickets", #"{"mode":"duel","languages":[]}"#, token: ann)
            #expect(none.faultyFields == ["languages"])
        }
    }

    @Test func operationRoutesAnswer() async throws {
        try await ApiFixture.with { api async throws in
            #expect(try await api.server.get("/healthz").json["status"] as? String == "ok")
            #expect(try await api.server.get("/readyz").status == 200)
            api.readiness.beginDraining()
            #expect(try await api.server.get("/readyz").status == 503)
            let keys = try await api.server.get("/.well-known/jwks.json")
            #expect((keys.json["keys"] as? [Any])?.isEmpty == false)
            let metrics = try await api.server.get("/metrics")
            #expect(metrics.text.contains("http_server_request_duration_seconds_bucket{"))
            #expect(metrics.text.contains("http_route=\"/healthz\""))
            #expect(metrics.text.contains("coduel_build_info{version="))
            let description = try await api.server.get("/api/openapi.yaml")
            #expect(description.text.hasPrefix("openapi: 3.1"))
        }
    }
}
