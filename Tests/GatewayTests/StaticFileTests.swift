import Foundation
import Gateway
import Testing

@Suite struct StaticFileTests {
    /// A built page with a link to a file outside it, and a secret beside it.
    private static func withPage(
        _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let root = folder + "/dist"
            let manager = FileManager.default
            try manager.createDirectory(atPath: root + "/assets", withIntermediateDirectories: true)
            try Data("<!doctype html><title>t</title>".utf8).write(to: URL(filePath: root + "/index.html"))
            try Data("let a = 1".utf8).write(to: URL(filePath: root + "/app.js"))
            try Data("let b = 1".utf8).write(to: URL(filePath: root + "/assets/app-1f3c9a0b.js"))
            try Data("hidden".utf8).write(to: URL(filePath: root + "/.env"))
            try Data("secret".utf8).write(to: URL(filePath: folder + "/secret.txt"))
            try manager.createSymbolicLink(
                atPath: root + "/link.txt", withDestinationPath: folder + "/secret.txt")
            try manager.createSymbolicLink(atPath: root + "/up", withDestinationPath: folder)
            var settings = testSettings()
            settings.pages = StaticFiles(root: root)
            try await withServer(gateway([], settings: settings)) { server in try await body(server) }
        }
    }

    @Test func filesComeWithTypeAndTag() async throws {
        try await Self.withPage { server async throws in
            let page = try await server.get("/")
            #expect(page.status == 200)
            #expect(page.header("content-type") == "text/html; charset=utf-8")
            #expect(page.header("cache-control") == "no-cache")
            #expect(try await server.get("/index.html").body == page.body)
            let script = try await server.get("/app.js")
            #expect(script.header("content-type") == "text/javascript; charset=utf-8")
            let tag = try #require(script.header("etag"))
            let again = try await server.get("/app.js", headers: [("If-None-Match", "\"x\", \(tag)")])
            #expect(again.status == 304)
            #expect(again.body.isEmpty)
            let hashed = try await server.get("/assets/app-1f3c9a0b.js")
            #expect(hashed.header("cache-control")?.contains("immutable") == true)
            let head = try await server.send("HEAD", "/app.js")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
        }
    }

    @Test(arguments: [
        "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/../../secret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/link.txt", "/up/secret.txt", "/.env", "/%2eenv", "/assets", "/assets/", "//secret.txt",
        "/app.js%00.html", "/app.js\\..\\x",
        "/....//secret.txt", "/%c0%ae%c0%ae/secret.txt", "/%252e%252e/secret.txt", "/index.html/",
        "/dist/index.html",
    ])
    func nothingOutsideIsServed(_ target: String) async throws {
        try await Self.withPage { server async throws in
            let answer = try await server.get(target)
            // A trailing slash on a file is forgiven; everything else is not there.
            #expect(answer.status == (target == "/index.html/" ? 200 : 404))
            #expect(
                !answer.text.contains("secret") || answer.header("content-type") == "application/problem+json"
            )
        }
    }

    @Test func onlyReadingIsPossible() async throws {
        try await Self.withPage { server async throws in
            #expect(try await server.send("POST", "/app.js").status == 404)
            #expect(try await server.send("DELETE", "/index.html").status == 404)
        }
    }

    @Test func missingFolderSaysHowToBuild() async throws {
        var settings = testSettings()
        settings.pages = StaticFiles(root: "/nonexistent/dist")
        try await withServer(gateway([], settings: settings)) { server async throws in
            let page = try await server.get("/")
            #expect(page.status == 200)
            #expect(page.text.contains("script/bootstrap"))
            #expect(try await server.get("/app.js").status == 404)
        }
    }
}
