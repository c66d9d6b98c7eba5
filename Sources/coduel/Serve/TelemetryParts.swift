import Foundation
import Gateway
import Logging
import NIOPosix
import OutboundHTTP
import Telemetry
import Traces

/// Logs and traces of an installation: what takes them and where they go.
struct TelemetryParts {
    let settings: TelemetrySettings
    let log = LogWriter(descriptor: STDERR_FILENO)
    let tracer: Tracer
    /// Nil while nothing is traced.
    let exporter: SpanExporter?

    private static let service = "coduel"

    init(_ settings: TelemetrySettings) throws {
        self.settings = settings
        guard let url = settings.spansURL else {
            exporter = nil
            tracer = .off
            return
        }
        // A collector is named by whoever runs the server, and mostly runs beside it.
        let client: OutboundClient
        do throws(OutboundError) {
            client = try OutboundClient(allowsPrivate: true, group: MultiThreadedEventLoopGroup.singleton)
        } catch {
            throw SettingsError("trace-collector: \(error)")
        }
        let exporter = SpanExporter(
            service: Self.service, version: coduelVersion, instance: UUID().uuidString.lowercased()
        ) { body in
            try? await client.post(
                url, headers: [("Content-Type", "application/json")], body: body)
        }
        self.exporter = exporter
        tracer = Tracer(
            ratio: settings.traceRatio,
            nowNs: {
                var time = timespec()
                clock_gettime(CLOCK_REALTIME, &time)
                return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
            }, random: { UInt64.random(in: .min ... .max) }, record: { exporter.record($0) })
    }

    /// Call once, before the first logger is made.
    func startLogging() {
        let (level, writer) = (settings.logLevel, log)
        let writesJSON =
            switch settings.logFormat {
            case .json: true
            case .text: false
            case .auto: isatty(STDERR_FILENO) == 0
            }
        LoggingSystem.bootstrap { label in
            guard !writesJSON else {
                return ECSLogHandler(
                    label: label, level: level, service: Self.service, version: coduelVersion, writer: writer)
            }
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
    }

    func register(in metrics: Metrics) {
        let log = log
        metrics.gauge(.droppedLogLines) { Double(log.dropped) }
        let exporter = exporter
        metrics.gauge(.exportedSpans) { Double(exporter?.counts.exported ?? 0) }
        metrics.gauge(.droppedSpans) { Double(exporter?.counts.dropped ?? 0) }
        metrics.gauge(.waitingSpans) { Double(exporter?.counts.waiting ?? 0) }
    }
}
