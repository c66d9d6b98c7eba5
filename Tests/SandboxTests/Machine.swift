import Foundation
import Sandbox
import Synchronization
import Testing

/// The machine the tests run on, and the one sandbox most of them share.
enum Machine {
    static let slots = 2

    static let helperPath: String = {
        if let path = ProcessInfo.processInfo.environment["CODUEL_SANDBOX_HELPER"] { return path }
        return Sandbox.helperPath(besideExecutable: "/proc/self/exe")
            .isExecutableFile ?? besideTestBundle
    }()

    /// The test runner may be the toolchain's; the bundle is in the build folder in any case.
    private static var besideTestBundle: String {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        return Sandbox.helperPath(besideExecutable: bundle)
    }

    /// Weak isolation is allowed: the tests say themselves what then cannot hold.
    static func startSandbox(slots: Int = slots, helper: String = helperPath) throws -> Sandbox {
        try Sandbox.start(helperPath: helper, slots: slots, languages: languages(), allowWeakIsolation: true)
    }

    static func languages() throws -> Languages { try Languages() }

    private static let shared = Mutex<[Mode: Result<Sandbox, any Error>]>([:])

    /// One sandbox a mode for all tests.
    static func sandbox(_ mode: Mode = .asIs) throws -> Sandbox {
        try shared.withLock { sandboxes in
            let sandbox = sandboxes[mode] ?? Result { try startSandbox(helper: try mode.helper()) }
            sandboxes[mode] = sandbox
            return sandbox
        }.get()
    }

    /// False only where the kernel gives no namespaces at all.
    static var canIsolate: Bool { (try? sandbox().refusal) == .some(nil) }

    static func isStrong(_ sandbox: Sandbox) -> Bool {
        sandbox.probe().allSatisfy { $0.isActive || !$0.isRequired }
    }

    static let packageFolder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static var attackFolder: URL { packageFolder.appendingPathComponent("fixtures/attacks") }

    static func source(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: attackFolder.appendingPathComponent(path)))
    }
}

extension String {
    fileprivate var isExecutableFile: String? {
        FileManager.default.isExecutableFile(atPath: self) ? self : nil
    }
}

extension Trait where Self == ConditionTrait {
    static var whereProgramsCanBeIsolated: Self {
        .enabled(if: Machine.canIsolate, "this machine gives no namespaces: there is no box to test")
    }
}
