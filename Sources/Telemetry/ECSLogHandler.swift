import Foundation
import Logging
import Traces

/// One JSON object a line, with the field names of the Elastic Common Schema. Metadata whose keys have a dot are fields
/// of the schema already; others go below `labels`. The trace that the task works for is added.
public struct ECSLogHandler: LogHandler {
    /// The version of the schema whose names are used.
    static let schema = "8.11"

    public var metadata = Logger.Metadata()
    public var metadataProvider: Logger.MetadataProvider?
    public var logLevel: Logger.Level
    private let label: String
    private let start: [UInt8]
    private let writer: LogWriter

    /// - Parameter label: names the part of the server that speaks.
    public init(label: String, level: Logger.Level, service: String, version: String, writer: LogWriter) {
        self.label = label
        logLevel = level
        self.writer = writer
        var json = JSONText()
        json.field("service.name", service)
        json.field("service.version", version)
        start = json.bytes
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var json = JSONText()
        json.object { json in
            json.field("@timestamp", Self.timestamp(Date()))
            json.field("log.level", event.level.rawValue)
            json.field("message", event.message.description, limit: Limits.logValueBytes)
            json.field("ecs.version", Self.schema)
            json.raw(String(decoding: start, as: UTF8.self))
            json.field("log.logger", label)
            if let context = TraceContext.current {
                json.field("trace.id", context.traceID.description)
                json.field("span.id", context.spanID.lowerHex)
            }
            Self.write(fields(event), in: &json)
        }
        writer.write(json.bytes + [UInt8(ascii: "\n")])
    }

    private func fields(_ event: LogEvent) -> [String: Logger.Metadata.Value] {
        var fields = metadataProvider?.get() ?? [:]
        fields.merge(metadata) { _, own in own }
        if let explicit = event.metadata { fields.merge(explicit) { _, own in own } }
        var named: [String: Logger.Metadata.Value] = [:]
        for (key, value) in fields { named[Self.name(of: key)] = value }
        return named
    }

    /// Names of others that the schema has its own for.
    private static let schemaNames = ["hb.request.id": "http.request.id", "error": "error.message"]

    private static func name(of key: String) -> String {
        schemaNames[key] ?? (key.utf8.contains(UInt8(ascii: ".")) ? key : "labels.\(key)")
    }

    /// Fields of the schema that are numbers.
    private static let numbers: Set<String> = [
        "event.duration", "http.response.status_code", "http.response.body.bytes",
    ]

    private static func write(_ fields: [String: Logger.Metadata.Value], in json: inout JSONText) {
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
            let text = value.description
            if numbers.contains(name), Int64(text) != nil {
                json.field(name, raw: text)
            } else {
                json.field(name, text, limit: Limits.logValueBytes)
            }
        }
    }

    /// RFC 3339 with milliseconds, UTC.
    static func timestamp(_ date: Date) -> String {
        date.formatted(Self.style)
    }

    private static let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
}
