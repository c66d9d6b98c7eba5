import Foundation
import Judging
import Sandbox
import Testing

extension GuestTests {
    /// Figures, not limits: `CODUEL_MEASURE=1 swift test -c release --filter Costs` prints them.
    @Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["CODUEL_MEASURE"] != nil))
    struct Costs {
        private let limits = ExecutionLimits(cpuTimeMs: 2_000, wallTimeMs: 5_000, memoryBytes: 256 << 20)
        private let repetitions = 200

        @Test func sandboxed() async throws {
            let sandbox = try Machine.startSandbox(slots: 2)
            defer { sandbox.stop() }
            let source = Array("int main(void) { return 0; }".utf8)
            let native = try #require(await sandbox.compile(language: "c", source: source).program)
            let python = CompiledProgram(language: "python", artefact: Array("print()".utf8))
            for (name, program) in [("C returning 0", native), ("Python print()", python)] {
                var times: [Double] = []
                for round in 0..<repetitions + 10 {
                    let begin = DispatchTime.now().uptimeNanoseconds
                    let result = await sandbox.run(program, standardInput: [], limits: limits)
                    let end = DispatchTime.now().uptimeNanoseconds
                    #expect(result.verdict == .accepted)
                    if round >= 10 { times.append(Double(end - begin) / 1_000) }
                }
                report("sandbox, \(name)", times)
            }
        }

        @Test func plain() throws {
            let folder = FileManager.default.temporaryDirectory.path
            let program = "\(folder)/plain-\(getpid())"
            defer { unlink(program) }
            try Data("int main(void) { return 0; }".utf8).write(to: URL(fileURLWithPath: program + ".c"))
            spawn(["/usr/bin/gcc", "-O2", "-static", "-o", program, program + ".c"])
            unlink(program + ".c")
            for (name, arguments) in [
                ("C returning 0", [program]),
                ("Python print()", ["/usr/bin/python3", "-B", "-s", "-c", "print()"]),
            ] {
                var times: [Double] = []
                for round in 0..<repetitions + 10 {
                    let begin = DispatchTime.now().uptimeNanoseconds
                    spawn(arguments)
                    let end = DispatchTime.now().uptimeNanoseconds
                    if round >= 10 { times.append(Double(end - begin) / 1_000) }
                }
                report("posix_spawn, \(name)", times)
            }
        }

        private func spawn(_ arguments: [String]) {
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            defer { posix_spawn_file_actions_destroy(&actions) }
            posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
            let copies = arguments.map { strdup($0) }
            defer { copies.forEach { free($0) } }
            var pid: pid_t = 0
            var status: Int32 = 0
            #expect(posix_spawn(&pid, arguments[0], &actions, nil, copies + [nil], environ) == 0)
            waitpid(pid, &status, 0)
        }

        private func report(_ name: String, _ times: [Double]) {
            let sorted = times.sorted()
            let at = { (share: Double) in
                Int(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))])
            }
            print("\(name): min \(at(0)) median \(at(0.5)) p95 \(at(0.95)) us")
        }
    }
}
