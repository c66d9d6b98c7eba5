import SyncServer
import Synchronization

/// The process's metrics, rendered as Prometheus text (exposition format 0.0.4). Thread-safe; a lock held for
/// a few instructions; label values come from bounded sets, and the number of series is bounded besides.
package final class Metrics: Sendable {
    private struct Histogram {
        var counts: [UInt64]
        var sum: Double = 0
        var total: UInt64 = 0
    }

    private struct State {
        var counters: [MetricSeries: Double] = [:]
        var histograms: [MetricSeries: Histogram] = [:]
        var gauges: [MetricSeries: @Sendable () -> Double] = [:]
        var values: [MetricSeries: Double] = [:]
        var distributions: [MetricSeries: @Sendable () -> Distribution.Snapshot] = [:]
        var refreshers: [@Sendable () async -> Void] = []
        var droppedSeries: UInt64 = 0

        var isFull: Bool {
            counters.count + histograms.count + gauges.count + values.count + distributions.count
                >= GatewayLimits.metricSeries
        }
    }

    private let state = Mutex(State())

    package init() {}

    /// Adds to a counter. `labels` are the values for the metric's label names, in their order.
    package func add(_ metric: Metric, _ amount: Double = 1, labels: [String] = []) {
        let series = MetricSeries(metric, labels)
        state.withLock { state in
            if state.counters[series] == nil, state.isFull {
                state.droppedSeries &+= 1
                return
            }
            state.counters[series, default: 0] += amount
        }
    }

    /// Counts an attempt to log in, of one kind, by whether `body` throws.
    func countingAttempt<Outcome>(
        _ kind: String, _ body: () async throws -> Outcome
    ) async throws -> Outcome {
        do {
            let outcome = try await body()
            add(.authAttempts, labels: [kind, "accepted"])
            return outcome
        } catch {
            add(.authAttempts, labels: [kind, "refused"])
            throw error
        }
    }

    /// Sets a gauge to a value, which stays until the next one.
    package func set(_ metric: Metric, _ value: Double, labels: [String] = []) {
        let series = MetricSeries(metric, labels)
        state.withLock { state in
            if state.values[series] == nil, state.isFull {
                state.droppedSeries &+= 1
                return
            }
            state.values[series] = value
        }
    }

    /// Takes one measurement, in the metric's unit, into a histogram.
    package func observe(_ metric: Metric, _ value: Double, labels: [String] = []) {
        let series = MetricSeries(metric, labels)
        state.withLock { state in
            if state.histograms[series] == nil, state.isFull {
                state.droppedSeries &+= 1
                return
            }
            var histogram =
                state.histograms[series]
                ?? Histogram(counts: Array(repeating: 0, count: metric.buckets.count))
            if let index = metric.buckets.firstIndex(where: { value <= $0 }), index < histogram.counts.count {
                histogram.counts[index] &+= 1
            }
            histogram.sum += value
            histogram.total &+= 1
            state.histograms[series] = histogram
        }
    }

    /// Registers a value that is read when the metrics are.
    package func gauge(_ metric: Metric, labels: [String] = [], read: @escaping @Sendable () -> Double) {
        let series = MetricSeries(metric, labels)
        state.withLock { state in
            if state.isFull, state.gauges[series] == nil { return }
            state.gauges[series] = read
        }
    }

    /// Registers a histogram that is counted elsewhere and read when the metrics are.
    package func histogram(_ metric: Metric, read: @escaping @Sendable () -> Distribution.Snapshot) {
        let series = MetricSeries(metric, [])
        state.withLock { state in
            if state.isFull, state.distributions[series] == nil { return }
            state.distributions[series] = read
        }
    }

    /// Registers what sets gauges whose values have to be waited for; see `refresh`.
    package func beforeReading(_ refresh: @escaping @Sendable () async -> Void) {
        state.withLock { $0.refreshers.append(refresh) }
    }

    /// Brings those gauges up to date; for whoever renders next.
    package func refresh() async {
        for refresh in state.withLock({ $0.refreshers }) { await refresh() }
    }

    /// All series in Prometheus text, metrics and labels in a fixed order.
    package func render() -> String {
        let snapshot = state.withLock { $0 }
        var lines: [Metric: [String]] = [:]
        for (series, value) in snapshot.counters {
            lines[series.metric, default: []].append(
                "\(series.metric.name)\(series.text()) \(Self.number(value))")
        }
        for (series, read) in snapshot.gauges {
            lines[series.metric, default: []].append(
                "\(series.metric.name)\(series.text()) \(Self.number(read()))")
        }
        for (series, value) in snapshot.values {
            lines[series.metric, default: []].append(
                "\(series.metric.name)\(series.text()) \(Self.number(value))")
        }
        for (series, histogram) in snapshot.histograms {
            lines[series.metric, default: []].append(Self.lines(of: histogram, series))
        }
        for (series, read) in snapshot.distributions {
            let taken = read()
            let histogram = Histogram(
                counts: Array(taken.counts.dropLast()), sum: taken.sum, total: taken.counts.reduce(0, &+))
            lines[series.metric, default: []].append(Self.lines(of: histogram, series))
        }
        lines[.droppedSeries] = ["\(Metric.droppedSeries.name) \(snapshot.droppedSeries)"]
        var text = ""
        for (metric, series) in lines.sorted(by: { $0.key.name < $1.key.name }) {
            text += "# HELP \(metric.name) \(metric.help)\n# TYPE \(metric.name) \(metric.kind.rawValue)\n"
            text += series.sorted().joined(separator: "\n") + "\n"
        }
        return text
    }

    private static func lines(of histogram: Histogram, _ series: MetricSeries) -> String {
        let name = series.metric.name
        var result: [String] = []
        var cumulative: UInt64 = 0
        for (bound, count) in zip(series.metric.buckets, histogram.counts) {
            cumulative &+= count
            result.append("\(name)_bucket\(series.text(extra: "le=\"\(number(bound))\"")) \(cumulative)")
        }
        result.append("\(name)_bucket\(series.text(extra: "le=\"+Inf\"")) \(histogram.total)")
        result.append("\(name)_sum\(series.text()) \(histogram.sum)")
        result.append("\(name)_count\(series.text()) \(histogram.total)")
        return result.joined(separator: "\n")
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value.rounded() == value, abs(value) < 1e15 { return String(Int64(value)) }
        return String(value)
    }
}

/// One metric with its label values.
private struct MetricSeries: Hashable {
    let metric: Metric
    let labels: [String]

    init(_ metric: Metric, _ labels: [String]) {
        self.metric = metric
        self.labels = labels
    }

    func text(extra: String? = nil) -> String {
        var pairs = zip(metric.labelNames, labels).map { "\($0)=\"\(Self.escaped($1))\"" }
        if let extra { pairs.append(extra) }
        return pairs.isEmpty ? "" : "{" + pairs.joined(separator: ",") + "}"
    }

    private static func escaped(_ value: String) -> String {
        var result = ""
        for character in value {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.append(character)
            }
        }
        return result
    }
}
