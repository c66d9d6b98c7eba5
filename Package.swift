// swift-tools-version: 6.2
import PackageDescription

// The folders under Sources say what the system does; docs/architecture.md draws them. Domain targets depend on
// nothing outside the standard library (and each other), adapters depend on the domain, `coduel` wires both.
// ArchitectureTests checks the directions.

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny")
]

let package = Package(
    name: "coduel",
    products: [
        .library(name: "CRDT", targets: ["CRDT"]),
        .executable(name: "coduel", targets: ["coduel"]),
    ],
    dependencies: [
        // `traits: []` leaves out swift-configuration and all of Foundation's networking.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
    ],
    targets: [
        // MARK: System libraries
        .systemLibrary(name: "CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
        .systemLibrary(name: "CLibzip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // MARK: Domain
        // libm: a program that uses this module alone, without Foundation, has nobody else who links it.
        .target(name: "CRDT", swiftSettings: settings, linkerSettings: [.linkedLibrary("m")]),
        .target(name: "SyncProtocol", dependencies: ["CRDT"], swiftSettings: settings),
        .target(name: "Battles", swiftSettings: settings),
        .target(name: "Rooms", dependencies: ["CRDT", "SyncProtocol", "Battles"], swiftSettings: settings),
        .target(name: "Matchmaking", swiftSettings: settings),
        .target(name: "Traces", swiftSettings: settings),
        .target(name: "Webhooks", swiftSettings: settings),
        .target(
            name: "Problems", dependencies: [.product(name: "Yams", package: "Yams")], swiftSettings: settings
        ),
        .target(name: "Judging", dependencies: ["Problems"], swiftSettings: settings),
        .target(
            name: "Identity",
            dependencies: [
                "CArgon2", .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "Crypto", package: "swift-crypto"),
            ], swiftSettings: settings),

        // MARK: Adapters
        .target(name: "CPrivileges", cSettings: [.unsafeFlags(["-Wall", "-Wextra"])]),
        .executableTarget(
            name: "sandbox-helper",
            cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra", "-Werror=implicit-function-declaration"])],
            linkerSettings: [.linkedLibrary("seccomp")]),
        .target(
            name: "Sandbox", dependencies: ["Judging", "CLinux"],
            // In the code, so that no file has to be found: the helper starts before anything else.
            resources: [.embedInCode("Languages")], swiftSettings: settings),
        .target(
            name: "PackageFiles", dependencies: ["CLibzip", "Problems"], swiftSettings: settings),
        .target(
            name: "StorageSQLite",
            dependencies: [
                "Identity", "Problems", "Judging", "Matchmaking", "Rooms", "Webhooks",
                .product(name: "GRDB", package: "GRDB.swift"),
            ], swiftSettings: settings),
        .target(
            name: "ForeignStores", dependencies: ["Rooms", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: settings),
        .target(
            name: "APIReference", dependencies: [.product(name: "Yams", package: "Yams")],
            swiftSettings: settings),
        .target(
            name: "Telemetry",
            dependencies: ["Traces", .product(name: "Logging", package: "swift-log")],
            swiftSettings: settings),
        .target(
            name: "OutboundHTTP",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ], swiftSettings: settings),
        .target(
            name: "OpenID",
            dependencies: ["Identity", .product(name: "JWTKit", package: "jwt-kit")],
            swiftSettings: settings),
        .target(
            name: "MailDelivery",
            dependencies: [
                "Identity",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ], swiftSettings: settings),
        .target(
            name: "SyncServer",
            dependencies: [
                "Rooms", "SyncProtocol", "CRDT", "Battles", "Traces", "CZlib",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: settings),
        .target(
            name: "Gateway",
            dependencies: [
                "Identity", "Problems", "Judging", "Matchmaking", "CRDT", "Rooms", "SyncProtocol",
                "SyncServer", "Webhooks", "Traces", "CZlib",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdHTTP2", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: settings),

        // MARK: Wiring
        .executableTarget(
            name: "coduel",
            dependencies: [
                "CRDT", "Rooms", "SyncServer", "Battles", "Matchmaking", "Problems", "PackageFiles",
                "Judging",
                "Sandbox", "Identity", "StorageSQLite", "Gateway", "CZlib", "CPrivileges", "sandbox-helper",
                "SyncProtocol", "Webhooks", "OutboundHTTP", "ForeignStores", "MailDelivery", "Traces",
                "Telemetry", "OpenID", "APIReference",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ], swiftSettings: settings),

        // MARK: Tests
        .target(
            name: "TestSupport", dependencies: ["CRDT"], path: "Tests/TestSupport", swiftSettings: settings),
        .target(
            name: "DecoderFuzzing", dependencies: ["CRDT", "SyncProtocol", "TestSupport"],
            path: "Tests/DecoderFuzzing", swiftSettings: settings),
        .executableTarget(
            name: "decoder-fuzz", dependencies: ["DecoderFuzzing"], path: "Tests/DecoderFuzz",
            exclude: ["judge.mjs"], swiftSettings: settings),
        .testTarget(name: "ArchitectureTests", swiftSettings: settings),
        .testTarget(
            name: "CRDTTests", dependencies: ["CRDT", "SyncProtocol", "DecoderFuzzing", "TestSupport"],
            exclude: ["Differential"],
            swiftSettings: settings),
        .testTarget(
            name: "ProblemsTests", dependencies: ["Problems", "PackageFiles", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "JudgingTests", dependencies: ["Judging", "Problems", "TestSupport"],
            exclude: ["reference_validator.py"],
            swiftSettings: settings),
        .testTarget(
            name: "SandboxTests", dependencies: ["Sandbox", "Judging", "sandbox-helper"],
            swiftSettings: settings),
        .testTarget(
            name: "SyncProtocolTests", dependencies: ["SyncProtocol", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "RoomsTests", dependencies: ["Rooms", "SyncProtocol", "CRDT", "Battles"],
            swiftSettings: settings),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["Rooms", "SyncProtocol", "CRDT", "Battles", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "ForeignStoresTests", dependencies: ["ForeignStores", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "WebhooksTests",
            dependencies: [
                "Webhooks", "OutboundHTTP", "TestSupport",
                .product(name: "NIOCore", package: "swift-nio"),
            ], swiftSettings: settings),
        .testTarget(
            name: "TelemetryTests",
            dependencies: ["Telemetry", "Traces", .product(name: "Logging", package: "swift-log")],
            swiftSettings: settings),
        .testTarget(name: "BattlesTests", dependencies: ["Battles", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "MatchmakingTests", dependencies: ["Matchmaking", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "Gateway", "StorageSQLite", "Identity", "Problems", "Judging", "Matchmaking",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ], swiftSettings: settings),
        .testTarget(
            name: "IdentityTests", dependencies: ["Identity", .product(name: "JWTKit", package: "jwt-kit")],
            swiftSettings: settings),
        .testTarget(
            name: "StorageSQLiteTests",
            dependencies: [
                "StorageSQLite", "Identity", "Problems", "Judging", "Matchmaking", "Rooms", "TestSupport",
                .product(name: "GRDB", package: "GRDB.swift"),
            ], swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
