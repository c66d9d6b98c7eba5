import Foundation
import Testing

/// Reads every source and checks that imports go in the design's direction: the domain knows no adapter, no clock and
/// no I/O, adapters know the domain, only the executable knows adapters, only the gateway knows the HTTP framework.
@Suite struct ImportTests {
    /// What each target may import besides the standard library's own modules. A target that is missing here, and an
    /// import that is not listed, fails.
    static let allowed: [String: Set<String>] = [
        // Domain: value types and state machines.
        "CRDT": [],
        "SyncProtocol": ["CRDT"],
        "Battles": [],
        "Rooms": ["CRDT", "SyncProtocol", "Battles"],
        "Matchmaking": [],
        "Traces": [],
        "Problems": ["Yams"],
        "Webhooks": ["Synchronization"],
        "Judging": ["Problems", "Synchronization"],
        "Identity": ["CArgon2", "Crypto", "Dispatch", "JWTKit", "Synchronization"],

        // Adapters.
        "Sandbox": ["CLinux", "Foundation", "Glibc", "Dispatch", "Synchronization", "Judging"],
        "PackageFiles": ["CLibzip", "Foundation", "Glibc", "Problems"],
        "StorageSQLite": [
            "Dispatch", "Foundation", "Glibc", "GRDB", "Identity", "Judging", "Matchmaking", "Problems",
            "Rooms",
            "Synchronization", "Webhooks",
        ],
        "ForeignStores": ["Foundation", "GRDB", "Rooms"],
        "APIReference": ["Yams"],
        "Telemetry": ["Dispatch", "Foundation", "Glibc", "Logging", "Synchronization", "Traces"],
        "OutboundHTTP": [
            "Dispatch", "Glibc", "NIOCore", "NIOHTTP1", "NIOPosix", "NIOSSL", "Synchronization",
        ],
        "OpenID": ["Foundation", "Identity", "JWTKit", "Synchronization"],
        "MailDelivery": [
            "Foundation", "Glibc", "Identity", "NIOCore", "NIOPosix", "NIOSSL",
        ],
        "SyncServer": [
            "Battles", "CRDT", "CZlib", "Glibc", "Logging", "NIOCore", "Rooms", "SyncProtocol",
            "Synchronization", "Traces",
        ],
        "Gateway": [
            "CRDT", "CZlib", "Foundation", "HTTPTypes", "Hummingbird", "HummingbirdCore", "HummingbirdHTTP2",
            "Identity", "Judging", "Logging", "Matchmaking", "NIOCore", "NIOHTTP1", "NIOHTTPTypes",
            "NIOHTTPTypesHTTP1", "NIOSSL", "NIOTLS", "NIOWebSocket", "Problems", "Rooms", "SyncProtocol",
            "SyncServer", "Synchronization", "Traces", "Webhooks",
        ],
    ]

    /// The executable wires everything; it alone may import adapters.
    static let wiring = "coduel"
    static let adapters: Set<String> = [
        "Sandbox", "PackageFiles", "StorageSQLite", "OutboundHTTP", "ForeignStores", "MailDelivery",
        "Telemetry", "OpenID", "APIReference",
    ]
    static let frameworks: Set<String> = ["Hummingbird", "HummingbirdCore", "GRDB", "JWTKit", "NIOSSL"]

    static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Sources")

    struct Source {
        var target: String
        var name: String
        var lines: [Substring]

        var imports: [String] {
            lines.compactMap { line in
                let words = line.split(separator: " ")
                guard let place = words.firstIndex(of: "import"), place <= 1, words.count > place + 1 else {
                    return nil
                }
                // `import struct Module.Name` names a kind first.
                let kinds: Set<Substring> = [
                    "struct", "class", "enum", "func", "protocol", "typealias", "var",
                ]
                let module = kinds.contains(words[place + 1]) ? words.last : words[place + 1]
                return module.map { String($0.prefix { $0 != "." }) }
            }
        }
    }

    static func swiftSources() throws -> [Source] {
        var found: [Source] = []
        let names = FileManager.default.enumerator(atPath: sources.path)
        while let name = names?.nextObject() as? String {
            guard name.hasSuffix(".swift") else { continue }
            let text = try String(contentsOf: sources.appendingPathComponent(name), encoding: .utf8)
            let target = String(name.prefix { $0 != "/" })
            found.append(
                Source(
                    target: target, name: name,
                    lines: withoutTexts(text.split(separator: "\n", omittingEmptySubsequences: false))))
        }
        return found
    }

    /// The lines with those of long literals left empty: a program for another language's interpreter is no code of ours.
    private static func withoutTexts(_ lines: [Substring]) -> [Substring] {
        var isText = false
        return lines.map { line in
            let quotes = line.components(separatedBy: "\"\"\"").count - 1
            let shown = isText ? "" : line
            if quotes % 2 == 1 { isText.toggle() }
            return shown
        }
    }

    @Test func everyTargetIsListed() throws {
        let targets = Set(try Self.swiftSources().map(\.target))
        #expect(targets.count > 10)
        #expect(targets.subtracting(Self.allowed.keys) == [Self.wiring])
    }

    @Test func importsGoInTheDirectionOfTheDesign() throws {
        for source in try Self.swiftSources() where source.target != Self.wiring {
            let allowed = Self.allowed[source.target] ?? []
            for module in source.imports {
                #expect(allowed.contains(module), "\(source.name) imports \(module)")
            }
        }
    }

    @Test func onlyTheExecutableKnowsAdapters() throws {
        for source in try Self.swiftSources() where source.target != Self.wiring {
            let foreign = Set(source.imports).intersection(Self.adapters).subtracting([source.target])
            #expect(foreign.isEmpty, "\(source.name) imports \(foreign.sorted())")
        }
    }

    @Test func filesCanBeReadInASitting() throws {
        for source in try Self.swiftSources() {
            #expect(source.lines.count <= 400, "\(source.name) has \(source.lines.count) lines")
        }
    }

    /// What input may reach must not trap, and nothing forks a threaded process.
    @Test func nothingTrapsOnInputOrForks() throws {
        let banned = ["try!", "as! ", "fatalError(", "unowned(unsafe)", " fork()", "TODO", "FIXME"]
        for source in try Self.swiftSources() {
            for (number, line) in source.lines.enumerated() {
                let code = line.split(separator: "//", maxSplits: 1).first ?? ""
                for word in banned where code.contains(word) {
                    Issue.record("\(source.name):\(number + 1) has \(word)")
                }
            }
        }
    }
}
