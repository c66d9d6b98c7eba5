import NIOCore
import Synchronization

/// Measurements in the buckets of a histogram. Thread-safe; O(buckets) a measurement.
public final class Distribution: Sendable {
    /// Half a millisecond to ten seconds.
    public static let seconds: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]

    public struct Snapshot: Sendable {
        /// How many fell into each bucket; one more takes what lies above the last bound.
        public var counts: [UInt64]
        public var sum = 0.0
    }

    /// Upper bounds of the buckets, ascending.
    public let bounds: [Double]
    private let state: Mutex<Snapshot>

    public init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(Snapshot(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    public var snapshot: Snapshot { state.withLock { $0 } }

    func add(_ value: Double) {
        let index = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[index] &+= 1
            state.sum += value
        }
    }

    /// The seconds since then.
    func add(since start: NIODeadline) {
        add(Double((NIODeadline.now() - start).nanoseconds) / 1e9)
    }
}
