import Judging
import Synchronization

/// The answers of `languageReports`, asked for once.
final class ReportStore: Sendable {
    private let reports = Mutex<[LanguageReport]?>(nil)

    var value: [LanguageReport]? {
        get { reports.withLock { $0 } }
        set { reports.withLock { $0 = newValue } }
    }
}

extension Sandbox {
    /// What each language's tool says of its version, in a box, or why there is none. Asked for once a process; a
    /// tool that does not run is not available.
    public func languageReports() async -> [LanguageReport] {
        if let known = reports.value { return known }
        var found: [LanguageReport] = []
        var isComplete = true
        for language in languages.all {
            var report = LanguageReport(language: language, version: nil, unavailable: missing(language.id))
            if report.unavailable == nil {
                let execution = await askVersion(language.id)
                let output = execution.standardOutput + execution.standardError
                let line = output.prefix(Limits.versionTextBytes).prefix { $0 != UInt8(ascii: "\n") }
                if execution.verdict == .accepted, !line.isEmpty {
                    report.version = String(decoding: line, as: UTF8.self)
                } else {
                    report.unavailable =
                        "its tool does not run: \(execution.end.rawValue) \(execution.detail)"
                    isComplete = isComplete && execution.end != .sandboxError
                }
            }
            found.append(report)
        }
        // A failure of the sandbox may be gone the next time.
        if isComplete { reports.value = found }
        return found
    }
}
