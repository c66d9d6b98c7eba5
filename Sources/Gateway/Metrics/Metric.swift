/// A metric's name, meaning and labels. Names follow Prometheus: base units, `_total` for counters; the request
/// duration is named as OpenTelemetry's semantic conventions export it.
package struct Metric: Sendable, Hashable {
    package enum Kind: String, Sendable { case counter, gauge, histogram }

    package let name: String
    package let kind: Kind
    package let help: String
    package let labelNames: [String]
    /// Upper bounds of a histogram, ascending; `+Inf` is implied.
    package let buckets: [Double]

    package init(
        _ name: String, _ kind: Kind, _ help: String, labels: [String] = [], buckets: [Double] = Self.seconds
    ) {
        self.name = name
        self.kind = kind
        self.help = help
        self.labelNames = labels
        self.buckets = kind == .histogram ? buckets : []
    }

    package static func == (left: Metric, right: Metric) -> Bool { left.name == right.name }
    package func hash(into hasher: inout Hasher) { hasher.combine(name) }

    /// Half a millisecond to ten seconds: requests, applying, commits.
    package static let seconds: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
    /// 16 bytes to a megabyte.
    package static let sizes: [Double] = [16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576]
    /// A tenth of a second to five minutes: waiting for a match or a verdict.
    package static let waits: [Double] = [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300]

    // MARK: HTTP
    package static let requestDuration = Metric(
        "http_server_request_duration_seconds", .histogram,
        "Time to answer a request, without sending the body.",
        labels: ["http_request_method", "http_route", "http_response_status_code"])
    package static let requestsActive = Metric(
        "http_server_active_requests", .gauge, "Requests that a handler works on.")
    package static let rateLimitDecisions = Metric(
        "coduel_ratelimit_decisions_total", .counter, "Calls that a rate limit let through or refused.",
        labels: ["policy", "decision"])
    package static let rateLimitSubjects = Metric(
        "coduel_ratelimit_subjects", .gauge, "Users and addresses that the rate limits remember.")
    package static let authAttempts = Metric(
        "coduel_auth_attempts_total", .counter, "Log-ins by kind and result.", labels: ["kind", "result"])
    package static let eventSubscribers = Metric(
        "coduel_event_subscribers", .gauge, "Open streams of user events.")

    // MARK: The process
    package static let buildInfo = Metric(
        "coduel_build_info", .gauge, "Always 1.", labels: ["version", "swift_version"])
    package static let dependencyUp = Metric(
        "coduel_dependency_up", .gauge, "Whether what the server needs answers: 1 or 0.",
        labels: ["dependency"])
    package static let circuitState = Metric(
        "coduel_circuit_state", .gauge,
        "1 for the state that the circuit breaker before an outside service is in, 0 for the others.",
        labels: ["dependency", "state"])
    package static let droppedSeries = Metric(
        "coduel_metrics_dropped_series_total", .counter,
        "Measurements dropped because there were too many series.")
    package static let droppedLogLines = Metric(
        "coduel_log_lines_dropped_total", .counter,
        "Lines of the process's log that nobody took in time.")
    package static let exportedSpans = Metric(
        "coduel_trace_spans_exported_total", .counter, "Spans that the trace collector took.")
    package static let droppedSpans = Metric(
        "coduel_trace_spans_dropped_total", .counter,
        "Spans dropped because too many waited, or because the collector did not take them.")
    package static let waitingSpans = Metric(
        "coduel_trace_spans_waiting", .gauge, "Spans that wait for the trace collector.")

    // MARK: Rooms and sockets
    package static let webSocketConnections = Metric(
        "coduel_ws_connections", .gauge, "Open WebSocket connections.")
    package static let rooms = Metric("coduel_room_count", .gauge, "Rooms in memory.", labels: ["kind"])

    package static let roomStatus = Metric(
        "coduel_room_status", .gauge, "Rooms by where they stand.", labels: ["status"])
    package static let lostRecords = Metric(
        "coduel_log_lost_records_total", .counter,
        "Records of the rooms' log that were found damaged and marked as lost.", labels: ["documents"])
    package static let lostSnapshots = Metric(
        "coduel_log_lost_snapshots_total", .counter, "Snapshots of rooms that were found damaged.")
    package static let roomFailures = Metric(
        "coduel_room_failures_total", .counter, "Rooms that could not be loaded, or written.",
        labels: ["when"])
    package static let readOnlyTurns = Metric(
        "coduel_room_read_only_total", .counter, "Times a room became read-only because the disk was full.")

    package static let battlesFinished = Metric(
        "coduel_battle_finished_total", .counter, "Battles that ended.", labels: ["outcome"])
}
