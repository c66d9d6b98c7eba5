import Gateway
import Hummingbird
import Identity
import Testing

/// What the gateway refuses, seen from a socket.
@Suite struct AdmissionTests {
    private struct Note: Codable {
        var title: String
        var pageCount: Int
        var tags: [String]?
    }

    private static let routes = [
        Route(.get, "/open", access: .open, limits: []) { _, _ in .json(["ok": true]) },
        Route(.get, "/notes/{id}", access: .optional) { _, context in
            .json(["id": try context.parameter("id"), "caller": context.caller?.userID ?? ""])
        },
        Route(.post, "/notes", body: .json(limit: 1_024), limits: [.writes]) { _, context in
            .json(try context.decode(Note.self), status: .created)
        },
        Route(.delete, "/notes/{id}", access: .roles([.moderator]), limits: [.writes]) { _, _ in
            Response(status: .noContent)
        },
        Route(
            .post, "/files", access: .open, body: .bytes(limit: 100_000, types: ["application/zip"]),
            limits: []
        ) { _, context in .json(["bytes": context.body.readableBytes]) },
        Route(.get, "/broken", access: .open, limits: []) { _, _ in
            throw RawHTTPError(message: "secret of the inside")
        },
    ]

    @Test func unknownPathIsNotFoundBeforeAnyToken() async throws {
        try await withServer(gateway(Self.routes)) { server async throws in
            let answer = try await server.get("/nothing/here", headers: [("Authorization", "Bearer bad")])
            #expect(answer.status == 404)
            #expect(answer.problemCode == "not_found")
            #expect(answer.json["status"] as? Int == 404)
            #expect(answer.json["title"] as? String == "Not Found")
            #expect((answer.json["type"] as? String)?.isEmpty == false)
            #expect(answer.json["detail"] is String)
        }
    }

    @Test func wrongMethodNamesTheRightOnes() async throws {
        try await withServer(gateway(Self.routes)) { server async throws in
            let answer = try await server.send("PUT", "/notes/1")
            #expect(answer.status == 405)
            #expect(answer.header("allow") == "DELETE, GET, HEAD")
        }
    }

    @Test func headIsAnsweredWithoutBody() async throws {
        try await withServer(gateway(Self.routes)) { server async throws in
            let answer = try await server.send("HEAD", "/open")
            #expect(answer.status == 200)
            #expect(answer.body.isEmpty)
            #expect(answer.header("content-length") == "11")
        }
    }

    @Test func tokenIsAskedForAndChecked() async throws {
        try await withServer(gateway(Self.routes)) { server async throws in
            let missing = try await server.post("/notes", "{}")
            #expect(missing.status == 401)
            #expect(missing.header("www-authenticate")?.hasPrefix("Bearer") == true)
            for bad in [
                "Bearer nonsense", "Basic dXNlcjpwYXNz", "Bearer",
                "Bearer " + String(repeating: "a", count: 9_000),
            ] {
                let answer = try await server.get("/notes/1", headers: [("Authorization", bad)])
                #expect(answer.status == 401)
                #expect(answer.header("www-authenticate")?.contains("error=\"invalid_token\"") == true)
            }
            #expect(try await server.get("/notes/1").status == 200)
            #expect(try await server.get("/notes/1", token: "user:ann").json["caller"] as? String == "ann")
        }
    }

    @Test func roleIsChecked() async throws {
        try await withServer(gateway(Self.routes)) { server async throws in
            #expect(try await server.send("DELETE", "/notes/1", token: "user:ann").status == 403)
            #expect(try await server.send("DELETE", "/notes/1", token: "admin:root").status == 204)
        }
    }

    @Test func bodyMustBeWhatItSays() async throws {
        try await withServer(gateway(Self.routes)) { server async throws in
            let good = #"{"title":"a","page_count":3}"#
            let made = try await server.post("/notes", good, token: "user:ann")
            #expect(made.status == 201)
            #expect(made.json["page_count"] as? Int == 3)

            for type in ["text/plain", "application/jsonp", "application/x-www-form-urlencoded"] {
                let answer = try await server.send(
                    "POST", "/notes", token: "user:ann", headers: [("Content-Type", type)],
                    body: Array(good.utf8))
                #expect(answer.status == 415)
            }
            let untyped = try await server.send("POST", "/notes", token: "user:ann", body: Array(good.utf8))
            #expect(untyped.status == 415)
            let packed = try await server.post(
                "/notes", good, token: "user:ann", headers: [("Content-Encoding", "gzip")])
            #expect(packed.status == 415)
            let typed = try await server.send(
                "POST", "/notes", token: "user:ann",
                headers: [("Content-Type", "application/json; charset=utf-8")],
                body: Array(good.utf8))
            #expect(typed.status == 201)
        }
    }

    @Test(arguments: [
        "{", "nope", "{\"title\":\"a\",}", "[1,2", "\u{0}", "{\"title\":\"\\ud800", "", "01", "{\"a\":.5}",
        "{a:1}", "{} {}", "NaN",
        String(repeating: "[", count: 200), String(repeating: "{\"a\":", count: 100),
    ])
    func badJSONIsRefused(_ body: String) async throws {
        try await withServer(gateway(Self.routes)) { server async throws in
            let answer = try await server.post("/notes", body, token: "user:ann")
            // No body at all stands for an empty object, which lacks fields.
            #expect(answer.status == (body.isEmpty ? 422 : 400))
            #expect(answer.header("content-type") == "application/problem+json")
        }
    }

    @Test func bytesThatAreNotUTF8AreRefused() async throws {
        try await withServer(gateway(Self.routes)) { server async throws in
            let answer = try await server.send(
                "POST", "/notes", token: "user:ann", headers: [("Content-Type", "application/json")],
                body: Array("{\"title\":\"".utf8) + [0xFF, 0xFE] + Array("\"}".utf8))
            #expect(answer.status == 400)
        }
    }

    @Test(arguments: [
        (#"{"page_count":1}"#, "title"), (#"{"title":"a","page_count":"many"}"#, "page_count"),
        (#"{"title":null,"page_count":1}"#, "title"), (#"{"title":"a","page_count":1e99}"#, "body"),
        (#"{"title":"a","page_count":1,"tags":["x",7]}"#, "tags.1"), ("[]", "body"), ("7", "body"),
    ])
    func faultNamesItsField(_ body: String, _ field: String) async throws {
        try await withServer(gateway(Self.routes)) { server async throws in
            let answer = try await server.post("/notes", body, token: "user:ann")
            #expect(answer.status == 422)
            #expect(answer.faultyFields == [field])
        }
    }

    @Test func longBodiesAreRefusedWithAndWithoutLength() async throws {
        try await withServer(gateway(Self.routes)) { server async throws in
            let long = "{\"title\":\"\(String(repeating: "a", count: 2_000))\",\"page_count\":1}"
            #expect(try await server.post("/notes", long, token: "user:ann").status == 413)

            // Announces ten gigabytes and sends nothing: answered at once.
            let announced = try await RawHTTP.exchange(
                port: server.port,
                Array(
                    "POST /files HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/zip\r\nContent-Length: 10000000000\r\n\r\n"
                        .utf8),
                enough: { String(decoding: $0, as: UTF8.self).contains("body_too_large") })
            #expect(try RawHTTP.parse(announced).status == 413)

            // A chunked body says nothing about its length.
            let chunk = "10000\r\n" + String(repeating: "x", count: 0x10000) + "\r\n"
            let chunked = try await RawHTTP.exchange(
                port: server.port,
                Array(
                    ("POST /files HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/zip\r\n"
                        + "Transfer-Encoding: chunked\r\n\r\n" + String(repeating: chunk, count: 8)).utf8),
                enough: { String(decoding: $0, as: UTF8.self).contains("body_too_large") })
            let refused = try RawHTTP.parse(chunked)
            #expect(refused.status == 413)
            #expect(refused.header("connection") == "close")
        }
    }

    @Test func bodyThatDripsCostsItsConnection() async throws {
        var settings = testSettings()
        settings.bodyTimeoutMs = 200
        try await withServer(gateway(Self.routes, settings: settings)) { server async throws in
            let started = ContinuousClock.now
            let received = try await RawHTTP.exchange(
                port: server.port,
                Array(
                    ("POST /files HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/zip\r\n"
                        + "Content-Length: 100\r\n\r\nxx").utf8))
            // 200 ms, and another second for the 100,000 bytes that this call takes.
            #expect(ContinuousClock.now - started < .seconds(5))
            #expect(!String(decoding: received, as: UTF8.self).contains("200 OK"))
        }
    }

    @Test func bodyThatNobodyWantsClosesTheConnection() async throws {
        try await withServer(gateway(Self.routes)) { server async throws in
            let received = try await RawHTTP.exchange(
                port: server.port,
                Array("GET /open HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000000\r\n\r\n".utf8),
                enough: { String(decoding: $0, as: UTF8.self).contains("true") })
            let answer = try RawHTTP.parse(received)
            #expect(answer.status == 200)
            #expect(answer.header("connection") == "close")
        }
    }

    @Test func tooManyHandlersAreShed() async throws {
        let (gate, opening) = AsyncStream.makeStream(of: Void.self)
        let routes = [
            Route(.get, "/slow", access: .open) { _, _ in
                for await _ in gate { break }
                return .json(["ok": true])
            },
            Route(.get, "/probe", access: .open, limits: []) { _, _ in .json(["ok": true]) },
        ]
        var settings = testSettings()
        settings.requestsInFlight = 1
        try await withServer(gateway(routes, settings: settings)) { server async throws in
            async let first = server.get("/slow")
            try await Task.sleep(for: .milliseconds(200))
            let shed = try await server.get("/slow")
            #expect(shed.status == 503)
            #expect(shed.header("retry-after") != nil)
            #expect(try await server.get("/probe").status == 200)
            opening.finish()
            #expect(try await first.status == 200)
        }
    }

    @Test func hostIsNeeded() async throws {
        try await withServer(gateway(Self.routes)) { server async throws in
            #expect(try await server.send("GET", "/open", host: nil).status == 400)
        }
    }

    @Test func insideOfAFailureStaysInside() async throws {
        try await withServer(gateway(Self.routes)) { server async throws in
            let answer = try await server.get("/broken")
            #expect(answer.status == 500)
            #expect(answer.problemCode == "internal")
            #expect(!answer.text.contains("secret"))
            #expect(answer.header("x-request-id") != nil)
        }
    }

    @Test(arguments: [
        "/notes/%zz", "/notes/%", "/notes/a%2Fb", "/notes/..", "/notes/%2e%2e", "/notes//1", "/notes/%00",
    ])
    func oddPathsAreNotFound(_ path: String) async throws {
        try await withServer(gateway(Self.routes)) { server async throws in
            #expect(try await server.get(path).status == 404)
        }
    }

    @Test func parametersAreDecodedOnce() async throws {
        try await withServer(gateway(Self.routes)) { server async throws in
            #expect(try await server.get("/notes/a%20b%2525").json["id"] as? String == "a b%25")
            #expect(try await server.get("/notes/1/").json["id"] as? String == "1")
        }
    }
}
