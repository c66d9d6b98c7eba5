import Foundation
import Judging
import Sandbox
import Testing

extension GuestTests {
    @Suite(.serialized) struct Helper {
        private let sleeper = CompiledProgram(
            language: "python", artefact: Array("import time\ntime.sleep(60)".utf8))
        private let limits = ExecutionLimits(cpuTimeMs: 1_000, wallTimeMs: 60_000, memoryBytes: 256 << 20)

        @Test(
            "a helper that is killed ends its runs as sandbox errors and leaves nothing",
            .timeLimit(.minutes(1)))
        func killed() async throws {
            let sandbox = try Machine.startSandbox(slots: 2)
            let helper = sandbox.helperProcessID
            async let first = sandbox.run(sleeper, standardInput: [], limits: limits)
            async let second = sandbox.run(sleeper, standardInput: [], limits: limits)
            async let waiting = sandbox.run(sleeper, standardInput: [], limits: limits)
            try await Task.sleep(for: .milliseconds(300))
            #expect(sandbox.isAlive)
            kill(helper, SIGKILL)
            for result in [await first, await second, await waiting] {
                #expect(result.end == .sandboxError && result.verdict == .judgeError)
                #expect(!result.detail.isEmpty)
            }
            #expect(!sandbox.isAlive)
            let later = await sandbox.run(sleeper, standardInput: [], limits: limits)
            #expect(later.end == .sandboxError)
            #expect(await becomesClean(after: helper))
        }

        @Test("a stopped sandbox takes its guests with it", .timeLimit(.minutes(1)))
        func stopped() async throws {
            let sandbox = try Machine.startSandbox(slots: 1)
            let helper = sandbox.helperProcessID
            async let running = sandbox.run(sleeper, standardInput: [], limits: limits)
            try await Task.sleep(for: .milliseconds(300))
            sandbox.stop()
            #expect(await running.end == .sandboxError)
            #expect(!sandbox.isAlive)
            #expect(await becomesClean(after: helper))
        }

        /// Groups are removed by a janitor, moments after the helper's end.
        private func becomesClean(after helper: Int32) async -> Bool {
            for _ in 0..<50 {
                let groups = ["memory", "pids", "cpuacct", "unified", "."].flatMap { hierarchy in
                    (try? FileManager.default.contentsOfDirectory(atPath: "/sys/fs/cgroup/\(hierarchy)"))
                        ?? []
                }
                if !groups.contains(where: { $0.hasPrefix("coduel-") && $0.hasSuffix("-\(helper)") }) {
                    return true
                }
                try? await Task.sleep(for: .milliseconds(100))
            }
            return false
        }

        @Test("no helper, no sandbox")
        func missing() {
            #expect(throws: SandboxError.self) {
                try Sandbox.start(
                    helperPath: "/nonexistent/sandbox-helper", slots: 1, languages: Machine.languages())
            }
            #expect(throws: SandboxError.self) {
                try Sandbox.start(helperPath: "/bin/true", slots: 1, languages: Machine.languages())
            }
            #expect(throws: SandboxError.self) {
                try Sandbox.start(helperPath: Machine.helperPath, slots: 0, languages: Machine.languages())
            }
        }

        @Test("without privileges there are fewer layers, and judging is refused unless allowed")
        func unprivileged() async throws {
            guard getuid() == 0 else { return }
            let wrapper = try Mode.unprivileged.helper()
            let refusing = try Sandbox.start(helperPath: wrapper, slots: 1, languages: Machine.languages())
            #expect(refusing.refusal != nil)
            let refused = await refusing.run(sleeper, standardInput: [], limits: limits)
            #expect(refused.end == .sandboxError)
            refusing.stop()

            let weak = try Sandbox.start(
                helperPath: wrapper, slots: 1, languages: Machine.languages(), allowWeakIsolation: true)
            defer { weak.stop() }
            let missing = weak.probe().filter { !$0.isActive }.map(\.name)
            #expect(missing.contains("separate-uid"))
            guard weak.refusal == nil else { return }
            let source = Array(
                "#include <unistd.h>\nint main(void) { return write(1, \"ok\", 2) != 2; }".utf8)
            let program = try #require(await weak.compile(language: "c", source: source).program)
            let result = await weak.run(program, standardInput: [], limits: limits)
            #expect(result.verdict == .accepted && result.standardOutput == Array("ok".utf8), "\(result)")
            #expect(result.layers.contains("user-namespace") && !result.layers.contains("separate-uid"))
        }
    }
}

extension GuestTests.Helper {
    @Test("a server that has given up its rights still judges")
    func droppedPrivileges() async {
        guard getuid() == 0 else { return }
        await #expect(processExitsWith: .success) {
            let sandbox = try Machine.startSandbox(slots: 1)
            guard setgid(65_534) == 0, setuid(65_534) == 0, geteuid() == 65_534 else { exit(2) }
            let source = Array("#include <stdio.h>\nint main(void) { puts(\"ok\"); }".utf8)
            guard let program = await sandbox.compile(language: "c", source: source).program else { exit(3) }
            let limits = ExecutionLimits(cpuTimeMs: 1_000, wallTimeMs: 5_000, memoryBytes: 64 << 20)
            let result = await sandbox.run(program, standardInput: [], limits: limits)
            guard result.verdict == .accepted, result.layers.contains("separate-uid") else { exit(4) }
            sandbox.stop()
            exit(sandbox.isAlive ? 5 : 0)
        }
    }

    @Test("a server that has been taken over gets nothing from the helper")
    func hostileServer() throws {
        let script = Machine.attackFolder.appendingPathComponent("server/packets.py").path
        let result = try Tool.run(
            "/usr/bin/python3", [script, Machine.helperPath], in: FileManager.default.temporaryDirectory)
        #expect(result.status == 0, "\(result.output)")
    }
}
