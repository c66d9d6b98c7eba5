// swift-tools-version: 6.2
import PackageDescription

// The least that Hummingbird does: what Coduel's HTTP side is measured against (Benchmarks/gateway.py).
let package = Package(
    name: "hello",
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: [])
    ],
    targets: [
        .executableTarget(
            name: "hello", dependencies: [.product(name: "Hummingbird", package: "hummingbird")])
    ],
    swiftLanguageModes: [.v6]
)
