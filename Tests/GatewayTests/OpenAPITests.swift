import Foundation
import Gateway
import StorageSQLite
import Testing
import Yams

/// The description in `protocol/openapi.yaml` and the routes of the gateway are about the same interface.
@Suite struct OpenAPITests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func document() throws -> [String: Any] {
        let text = try String(contentsOf: root.appending(path: "protocol/openapi.yaml"), encoding: .utf8)
        return try #require(try Yams.load(yaml: text) as? [String: Any])
    }

    /// `METHOD path` → operation.
    private static func operations() throws -> [String: [String: Any]] {
        let paths = try #require(try document()["paths"] as? [String: [String: Any]])
        var result: [String: [String: Any]] = [:]
        for (path, item) in paths {
            for (method, operation) in item {
                result["\(method.uppercased()) \(path)"] = try #require(operation as? [String: Any])
            }
        }
        return result
    }

    /// Many routes need a running room directory, so the list is also read from the sources.
    private static func writtenRoutes() throws -> Set<String> {
        let folder = root.appending(path: "Sources/Gateway/Routes")
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".swift") }
        let route = try Regex(
            "Route\\(\\s*\\.([a-z]+),\\s*\"(/api/[^\"]+)\"", as: (Substring, Substring, Substring).self)
        return try files.reduce(into: []) { found, file in
            let source = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            found.formUnion(
                source.matches(of: route).map { "\($0.output.1.uppercased()) \($0.output.2)" })
        }
    }

    @Test func routerAndDescriptionNameTheSameRoutes() async throws {
        let described = Set(try Self.operations().keys)
        let built = try await withTemporaryFolder { folder in
            let database = try CoduelDatabase.open(folder: folder)
            let routes = try await ApiFixture.services(database, answer: "").routes(ApiFixture.routesSettings)
            try database.close()
            return Set(routes.map { "\($0.method.rawValue) \($0.path)" })
        }
        let served = built.union(try Self.writtenRoutes())
        #expect(described.subtracting(served).sorted() == [])
        #expect(served.subtracting(described).sorted() == [])
    }

    @Test func everyReferenceResolves() throws {
        let document = try Self.document()
        var missing: [String] = []
        func visit(_ value: Any) {
            if let object = value as? [String: Any] {
                if let reference = object["$ref"] as? String {
                    var target: Any? = document
                    for part in reference.dropFirst(2).split(separator: "/") {
                        target = (target as? [String: Any])?[String(part)]
                    }
                    if target == nil { missing.append(reference) }
                }
                object.values.forEach(visit)
            } else if let list = value as? [Any] {
                list.forEach(visit)
            }
        }
        visit(document)
        #expect(missing == [])
    }

    @Test func operationsNameTheProblemsTheirAdmissionGives() async throws {
        let routes = try await withTemporaryFolder { folder in
            let database = try CoduelDatabase.open(folder: folder)
            defer { try? database.close() }
            return try await ApiFixture.services(database, answer: "").routes(ApiFixture.routesSettings)
        }
        let operations = try Self.operations()
        for route in routes {
            let name = "\(route.method.rawValue) \(route.path)"
            let operation = try #require(operations[name])
            let statuses = Set(try #require(operation["responses"] as? [String: Any]).keys)
            var expected: Set<String> = route.limits.isEmpty ? [] : ["429"]
            switch route.access {
            case .open: break
            case .optional, .caller: expected.insert("401")
            case .roles: expected.formUnion(["401", "403"])
            }
            switch route.body {
            case .none: break
            case .json: expected.formUnion(["400", "413", "415", "422"])
            case .bytes: expected.formUnion(["413", "415", "422"])
            }
            if route.path.contains("{") { expected.insert("404") }
            #expect(expected.subtracting(statuses) == [], "\(name)")
        }
    }
}
