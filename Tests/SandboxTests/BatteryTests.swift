import Foundation
import Judging
import Sandbox
import Testing

/// Everything that runs guests is in this suite and runs one test after another: the host is examined in
/// between.
@Suite(.serialized, .whereProgramsCanBeIsolated) struct GuestTests {}

extension GuestTests {
    /// Every program of `fixtures/attacks`, in random order, two at a time, in every mode that this machine has. After
    /// each pair both boxes are looked at from inside by a canary, and the host from outside.
    @Suite(.serialized) struct Battery {
        /// Compile attacks in the weaker modes, where little of them is the sandbox's own: so many of them.
        private static let sampledCompileAttacks = 5

        @Test("each attack gets its verdict and leaves nothing", arguments: Mode.available)
        func run(_ mode: Mode) async throws {
            let seed = Seed.current
            var random = seed.generator(mode.rawValue)
            let sandbox = try Machine.sandbox(mode)
            let canary = try #require(
                await sandbox.compile(language: "c", source: try Machine.source("canary.c")).program)
            let installed = sandbox.installedLanguages()
            let attacks = Attack.all(in: "run").filter { installed.contains($0.language) }
            #expect(attacks.count > 60)
            // Once each, and as many more as the scale asks for: 1,000 in all at ten.
            let rounds = mode == .asIs ? max(attacks.count, Int(100 * seed.scale)) : attacks.count
            var queue: [Attack] = []
            while queue.count < rounds { queue += attacks.shuffled(using: &random) }
            queue.removeLast(queue.count - rounds)
            let programs = try await Self.compile(attacks, in: sandbox)
            for start in stride(from: 0, to: queue.count, by: 2) {
                let pair = Array(queue[start..<min(start + 2, queue.count)])
                await withTaskGroup(of: Void.self) { group in
                    for attack in pair {
                        group.addTask {
                            guard let program = programs[attack.path] else { return }
                            let result = await sandbox.run(
                                program, standardInput: Array("input\n".utf8), limits: attack.limits)
                            attack.check(result, isStrong: Machine.isStrong(sandbox), seed.comment(mode))
                        }
                    }
                }
                await Self.look(after: pair, in: sandbox, canary: canary, seed.comment(mode))
            }
        }

        /// All but Java, Go and Swift attacks compile in milliseconds; these are compiled once.
        private static func compile(_ attacks: [Attack], in sandbox: Sandbox) async throws
            -> [String: CompiledProgram]
        {
            var programs: [String: CompiledProgram] = [:]
            for attack in attacks {
                let compiled = await sandbox.compile(
                    language: attack.language, source: try Machine.source(attack.path))
                programs[attack.path] = compiled.program
                let said = String(decoding: compiled.execution.standardError, as: UTF8.self)
                #expect(compiled.program != nil, "\(attack.path): \(compiled.execution.detail) \(said)")
            }
            return programs
        }

        private static func look(
            after pair: [Attack], in sandbox: Sandbox, canary: CompiledProgram, _ comment: Comment
        ) async {
            let limits = ExecutionLimits(cpuTimeMs: 1_000, wallTimeMs: 10_000, memoryBytes: 64 << 20)
            let after = pair.map(\.path).joined(separator: " and ")
            await withTaskGroup(of: ExecutionResult.self) { group in
                for _ in 0..<Machine.slots {
                    group.addTask {
                        await sandbox.run(canary, standardInput: Array("input\n".utf8), limits: limits)
                    }
                }
                for await result in group {
                    let output = String(decoding: result.standardOutput, as: UTF8.self)
                    #expect(
                        output == "clean\n",
                        "after \(after): \(result.end) \(result.detail) \(output); \(comment)")
                }
            }
            #expect(Host.traces(of: sandbox) == [], "after \(after); \(comment)")
        }

        @Test("each attack on a compiler is a compile error and leaves nothing", arguments: Mode.available)
        func compile(_ mode: Mode) async throws {
            let seed = Seed.current
            var random = seed.generator(mode.rawValue + "compile")
            let sandbox = try Machine.sandbox(mode)
            let installed = sandbox.installedLanguages()
            var attacks = Attack.all(in: "compile").filter { installed.contains($0.language) }
                .shuffled(using: &random)
            #expect(attacks.count > 12)
            if mode != .asIs && seed.scale < 10 {
                attacks = Array(attacks.prefix(Self.sampledCompileAttacks))
            }
            for attack in attacks {
                let compiled = await sandbox.compile(
                    language: attack.language, source: try Machine.source(attack.path))
                let execution = compiled.execution
                let message = String(
                    decoding: execution.standardError + execution.standardOutput, as: UTF8.self)
                let seen: Comment =
                    "\(attack.path): \(execution.end) \(execution.detail) \(message.prefix(400)); \(seed.comment(mode))"
                #expect(compiled.program == nil, seen)
                #expect(execution.end != .sandboxError, seen)
                #expect(execution.standardError.count <= 64 << 10, seen)
                #expect(execution.standardOutput.count <= 64 << 10, seen)
                #expect(execution.wallTimeMs <= 16_000, seen)
                for text in attack.lacks { #expect(!message.contains(text), seen) }
                #expect(Host.traces(of: sandbox) == [], seen)
            }
        }

        @Test("guests that run at once neither meet nor signal each other", arguments: Mode.available)
        func meeting(_ mode: Mode) async throws {
            let sandbox = try Machine.sandbox(mode)
            let meet = try #require(
                await sandbox.compile(language: "c", source: try Machine.source("pairs/meet.c")).program)
            let limits = ExecutionLimits(cpuTimeMs: 2_000, wallTimeMs: 5_000, memoryBytes: 64 << 20)
            for _ in 0..<3 {
                async let one = sandbox.run(meet, standardInput: [], limits: limits)
                async let other = sandbox.run(meet, standardInput: [], limits: limits)
                for result in [await one, await other] {
                    #expect(String(decoding: result.standardOutput, as: UTF8.self) == "alone\n", "\(result)")
                }
            }
        }
    }
}

extension Attack {
    /// Compares a run with what the head of the program asks for.
    func check(_ result: ExecutionResult, isStrong: Bool, _ comment: Comment) {
        let output = String(decoding: result.standardOutput, as: UTF8.self)
        let error = String(decoding: result.standardError, as: UTF8.self)
        let seen: Comment =
            "\(path): \(result.end) \(result.detail) \(output.prefix(400)) \(error.prefix(400)); \(comment)"
        let allowed = isStrong ? expected : expected.union(expectedWeak)
        #expect(allowed.contains(result.verdict.rawValue), seen)
        for text in says { #expect(output.contains(text), seen) }
        for text in lacks { #expect(!output.contains(text), seen) }
        if let code = exitCode { #expect(result.exitCode == code, seen) }
        if let number = signal { #expect(result.signal == number, seen) }
        if truncatesError { #expect(result.errorTruncated && result.standardError.count == 64 << 10, seen) }
        #expect(result.standardOutput.count <= limits.outputBytes, seen)
        #expect(result.wallTimeMs <= limits.wallTimeMs + 1_500, seen)
        if isStrong { #expect(result.cpuTimeMs <= limits.cpuTimeMs + 250, seen) }
    }
}

/// How often and in what order.
struct Seed {
    var value: UInt64
    var scale: Double

    static var current: Seed {
        let environment = ProcessInfo.processInfo.environment
        return Seed(
            value: environment["CODUEL_TEST_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...999_999),
            scale: environment["CODUEL_TEST_SCALE"].flatMap { Double($0) } ?? 1)
    }

    func comment(_ mode: Mode) -> Comment {
        "mode \(mode.rawValue), seed \(value): CODUEL_TEST_SEED=\(value) swift test -c release --filter GuestTests"
    }

    func generator(_ purpose: String) -> SplitMix {
        SplitMix(state: purpose.utf8.reduce(value) { $0 &* 31 &+ UInt64($1) })
    }

    struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }
}
