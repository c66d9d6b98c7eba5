import ArgumentParser
import Foundation
import Judging
import Sandbox

/// `coduel doctor`: what this machine gives.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Say what this machine gives: protections, compilers, databases.",
        discussion: """
            One line each: name, state, remark. Protections are not looked up but tried, in a box like those of \
            guests. Exit status 1 when the sandbox cannot isolate.

            Example:
              coduel doctor
            """)

    @OptionGroup
    var sandbox: SandboxOptions

    func run() async throws {
        line("kernel", "ok", kernel())
        var options = sandbox
        // A weak sandbox can still say which compilers there are.
        options.allowWeakIsolation = true
        let executor = try options.start(slots: 1)
        let layers = executor.probe()
        for layer in layers { describe(layer) }
        await describeLanguages(executor)
        describeServices()
        let missing = layers.filter { $0.isRequired && !$0.isActive }.map(\.name)
        let refusal = executor.refusal
        executor.stop()
        if let refusal {
            line("sandbox", "missing", refusal)
            throw ExitCode.failure
        }
        guard missing.isEmpty else {
            line("sandbox", "weak", "programs are not judged here without \(missing.joined(separator: ", "))")
            throw ExitCode.failure
        }
        line("sandbox", "ok", "programs are isolated")
    }

    private func describe(_ layer: Layer) {
        let isGroup = layer.name.hasPrefix("cgroup-") && layer.name != "cgroup-namespace"
        let remark =
            switch (layer.isActive, layer.isRequired) {
            case (true, _): isGroup ? "control groups \(layer.name.suffix(2))" : ""
            case (false, true): "needed to judge"
            case (false, false): "others stand in for it"
            }
        line(layer.name, layer.isActive ? "ok" : "missing", remark)
    }

    private func describeLanguages(_ executor: Sandbox) async {
        for report in await executor.languageReports() {
            line(
                "language \(report.language.id)", report.unavailable == nil ? "ok" : "missing",
                report.unavailable ?? report.version ?? "")
        }
    }

    private func describeServices() {
        let environment = ProcessInfo.processInfo.environment
        line("database sqlite", "ok", "built in")
        for (name, variable) in [
            ("database postgres", "CODUEL_DATABASE_URL"), ("bus nats", "CODUEL_NATS_URL"),
            ("cache redis", "CODUEL_REDIS_URL"),
        ] {
            line(
                name, "unused",
                environment[variable] == nil ? "" : "\(variable) is set; this version has no client")
        }
    }

    private func kernel() -> String {
        let version = try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)
        return "Linux " + (version?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "of unknown version")
    }

    private func line(_ name: String, _ state: String, _ remark: String) {
        let columns =
            name.padding(toLength: 20, withPad: " ", startingAt: 0)
            + state.padding(toLength: 9, withPad: " ", startingAt: 0) + remark
        print(columns.trimmingCharacters(in: .whitespaces))
    }
}
