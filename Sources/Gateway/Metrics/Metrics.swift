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
        var durations: [MetricSeries: @Sendable () -> Durations.Snapshot] = [:]
        var droppedSeries: UInt64 = 0

        var isFull: Bool {
            counters.count + histograms.count + gauges.count + durations.count >= GatewayLimits.metricSeries
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

    /// Takes one measurement into a histogram.
    package func observe(_ metric: Metric, seconds value: Double, labels: [String] = []) {
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

    /// Registers durations that are counted elsewhere and read when the metrics are.
    package func histogram(_ metric: Metric, read: @escaping @Sendable () -> Durations.Snapshot) {
        let series = MetricSeries(metric, [])
        state.withLock { state in
            if state.isFull, state.durations[series] == nil { return }
            state.durations[series] = read
        }
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
        for (series, histogram) in snapshot.histograms {
            lines[series.metric, default: []].append(Self.lines(of: histogram, series))
        }
        for (series, read) in snapshot.durations {
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
