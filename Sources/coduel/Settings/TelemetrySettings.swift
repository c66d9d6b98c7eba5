import Logging
import OutboundHTTP

/// The settings of logs and traces.
struct TelemetrySettings {
    enum LogFormat: String, CaseIterable {
        /// Text on a terminal, JSON elsewhere.
        case auto
        case text, json
    }

    var logLevel = Logger.Level.info
    var logFormat = LogFormat.auto
    var logsAccess = true
    /// Where spans are posted to; nil: nothing is traced.
    var spansURL: String?
    /// Share of the traces begun here that are recorded, 0 to 1.
    var traceRatio = 1.0

    init(_ sources: SettingsSources) throws {
        logLevel = try Self.choice(.logLevel, sources, Logger.Level.allCases) ?? logLevel
        logFormat = try Self.choice(.logFormat, sources, LogFormat.allCases) ?? logFormat
        logsAccess = try sources.flag(.accessLog) ?? logsAccess
        traceRatio = Double(try sources.integer(.tracePercent, in: 0...100) ?? 100) / 100
        guard let base = sources.text(.traceCollector), !base.isEmpty else { return }
        let url = (base.hasSuffix("/") ? String(base.dropLast()) : base) + "/v1/traces"
        guard OutboundTarget(url: url) != nil else {
            throw SettingsError(
                "trace-collector is no plain URL such as http://127.0.0.1:4318 (it is not shown here: it may hold a password)"
            )
        }
        spansURL = url
    }

    private static func choice<Value: RawRepresentable>(
        _ key: SettingKey, _ sources: SettingsSources, _ all: [Value]
    ) throws -> Value? where Value.RawValue == String {
        guard let text = sources.text(key) else { return nil }
        guard let value = Value(rawValue: text) else {
            throw SettingsError(
                "\(key.rawValue) is \"\(text)\"; it takes \(all.map(\.rawValue).joined(separator: ", "))")
        }
        return value
    }
}
