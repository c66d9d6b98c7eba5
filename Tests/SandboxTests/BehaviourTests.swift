import Foundation
import Judging
import Sandbox
import Testing

extension GuestTests {
    @Suite(.serialized) struct Behaviour {
        private let limits = ExecutionLimits(cpuTimeMs: 2_000, wallTimeMs: 5_000, memoryBytes: 256 << 20)

        private func run(
            _ path: String, input: [UInt8] = [], in sandbox: Sandbox
        ) async throws -> ExecutionResult {
            let language = try #require(sandbox.languages.ofFile(path)?.id)
            let compiled = await sandbox.compile(language: language, source: try Machine.source(path))
            let program = try #require(compiled.program, "\(compiled.execution)")
            return await sandbox.run(program, standardInput: input, limits: limits)
        }

        @Test("the next guest finds nothing of the one before")
        func leftovers() async throws {
            let sandbox = try Machine.startSandbox(slots: 1)
            defer { sandbox.stop() }
            let left = try await run("pairs/leave.py", in: sandbox)
            #expect(String(decoding: left.standardOutput, as: UTF8.self) == "left\n", "\(left)")
            let found = try await run("pairs/find.py", in: sandbox)
            #expect(String(decoding: found.standardOutput, as: UTF8.self) == "clean\n", "\(found)")
        }

        @Test("many runs share few slots, each with its own input and output")
        func slots() async throws {
            let sandbox = try Machine.startSandbox(slots: 3)
            defer { sandbox.stop() }
            let source = Array(
                "#include <stdio.h>\nint main(void) { int c; while ((c = getchar()) >= 0) putchar(c); }".utf8)
            let program = try #require(await sandbox.compile(language: "c", source: source).program)
            let limits = limits
            await withTaskGroup(of: Bool.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        let input = Array("run \(number)\n".utf8)
                        let result = await sandbox.run(program, standardInput: input, limits: limits)
                        return result.verdict == .accepted && result.standardOutput == input
                    }
                }
                for await isRight in group { #expect(isRight) }
            }
            #expect(Host.traces(of: sandbox) == [])
        }

        @Test("a large input and a large output arrive whole")
        func largeStreams() async throws {
            let sandbox = try Machine.sandbox()
            let source = Array("import sys\nsys.stdout.write(sys.stdin.read())".utf8)
            let program = CompiledProgram(language: "python", artefact: source)
            let input = [UInt8](repeating: UInt8(ascii: "y"), count: 8 << 20)
            let result = await sandbox.run(program, standardInput: input, limits: limits)
            #expect(result.verdict == .accepted, "\(result.end) \(result.detail)")
            #expect(result.standardOutput == input)
        }

        @Test("a flood costs the server no more than the limit")
        func floodMemory() async throws {
            let sandbox = try Machine.sandbox()
            let source = try Machine.source("run/output_flood.c")
            let program = try #require(await sandbox.compile(language: "c", source: source).program)
            let helper = sandbox.helperProcessID
            let before = residentKiB(helper)
            for _ in 0..<5 {
                let result = await sandbox.run(program, standardInput: [], limits: limits)
                #expect(result.end == .outputLimit && result.outputTruncated)
                #expect(result.standardOutput.count == limits.outputBytes)
            }
            #expect(residentKiB(helper) < before + 4_096)
        }

        @Test("runs leave no descriptor open, neither here nor in the helper")
        func descriptors() async throws {
            let sandbox = try Machine.startSandbox(slots: 2)
            defer { sandbox.stop() }
            let program = CompiledProgram(language: "python", artefact: Array("print(1)".utf8))
            let native = CompiledProgram(language: "c", artefact: [1, 2, 3])
            let empty = Array("int main(void) { return 0; }".utf8)
            _ = await sandbox.run(program, standardInput: [], limits: limits)
            // The boxes that these runs want are built, and stay.
            for _ in 0..<2 {
                async let first = sandbox.run(native, standardInput: [], limits: limits)
                async let second = sandbox.run(native, standardInput: [], limits: limits)
                _ = await (first, second)
                async let third = sandbox.compile(language: "c", source: empty)
                async let fourth = sandbox.compile(language: "c", source: empty)
                async let fifth = sandbox.run(program, standardInput: [], limits: limits)
                _ = await (third, fourth, fifth)
            }
            // An answer is sent just before its descriptors are closed.
            try await Task.sleep(for: .milliseconds(200))
            let before = openFiles("\(sandbox.helperProcessID)")
            for round in 0..<20 {
                let broken = CompiledProgram(language: round % 2 == 0 ? "c" : "none", artefact: [1, 2, 3])
                _ = await sandbox.compile(language: "c", source: Array("int main(void) { return 0; }".utf8))
                _ = await sandbox.run(program, standardInput: [65], limits: limits)
                _ = await sandbox.run(broken, standardInput: [], limits: limits)
            }
            try await Task.sleep(for: .milliseconds(200))
            // Two for each box; one may just be built anew. A leak would be of twenty or more.
            #expect(openFiles("\(sandbox.helperProcessID)") < before + 10)
            // Other suites of this process may open files meanwhile, but not hundreds.
            #expect(openFiles("self") < 200)
        }

        private func openFiles(_ process: String) -> Int {
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count) ?? -1
        }

        private func residentKiB(_ pid: Int32) -> Int {
            let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
            let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
            return line.split(separator: " ").compactMap { Int($0) }.first ?? 0
        }

        @Test("an artefact that is no program is the guest's fault, not ours")
        func garbage() async throws {
            let sandbox = try Machine.sandbox()
            let program = CompiledProgram(language: "c", artefact: Array("#!/bin/sh\necho hello\n".utf8))
            let result = await sandbox.run(program, standardInput: [], limits: limits)
            #expect(result.verdict == .runTimeError, "\(result)")
            #expect(result.standardOutput.isEmpty)
        }

        @Test("unknown languages and oversized sources are refused")
        func refusals() async throws {
            let sandbox = try Machine.sandbox()
            #expect(await sandbox.compile(language: "brainfuck", source: []).execution.end == .sandboxError)
            #expect(
                await sandbox.compile(language: "../../bin/sh", source: []).execution.end == .sandboxError)
            let large = [UInt8](repeating: 32, count: (4 << 20) + 1)
            #expect(await sandbox.compile(language: "c", source: large).execution.end == .sandboxError)
            #expect(sandbox.isAlive)
        }

        @Test("limits of zero, of less and of far too much are clipped")
        func clipping() async throws {
            let sandbox = try Machine.sandbox()
            let program = CompiledProgram(language: "python", artefact: Array("while True: pass".utf8))
            let least = ExecutionLimits(
                cpuTimeMs: 0, wallTimeMs: -5, memoryBytes: -1, outputBytes: -1, processes: 0)
            let result = await sandbox.run(program, standardInput: [], limits: least)
            #expect(result.end != .exited && result.end != .sandboxError, "\(result)")
            let most = ExecutionLimits(
                cpuTimeMs: .max, wallTimeMs: .max, memoryBytes: .max, outputBytes: .max, errorBytes: .max,
                processes: .max)
            let quick = CompiledProgram(language: "python", artefact: Array("print(1)".utf8))
            #expect(await sandbox.run(quick, standardInput: [], limits: most).verdict == .accepted)
        }

        @Test("every language has a version, or a reason why there is none")
        func versions() async throws {
            let sandbox = try Machine.sandbox()
            let reports = await sandbox.languageReports()
            #expect(reports.map(\.language) == sandbox.languages.all)
            for report in reports {
                #expect((report.version == nil) != (report.unavailable == nil), "\(report)")
                if let version = report.version { #expect(version.contains { $0.isNumber }, "\(report)") }
                if report.version != nil {
                    #expect(sandbox.installedLanguages().contains(report.language.id))
                }
            }
        }
    }
}
