import TestSupport

extension SplitMix64 {
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
    mutating func between(_ low: Int64, _ high: Int64) -> Int64 { low + Int64(below(Int(high - low + 1))) }
}

/// Time, chance and what happens next. Everything in a simulation hangs on one seed: the same seed is the same run.
final class World {
    private struct Event {
        var atMs: Int64
        var order: UInt64
        var body: () -> Void

        static func < (left: Event, right: Event) -> Bool {
            (left.atMs, left.order) < (right.atMs, right.order)
        }
    }

    static let beginMs: Int64 = 1_700_000_000_000

    var random: SplitMix64
    /// Time as it passes.
    private(set) var nowMs = World.beginMs
    /// How far the server's clock is off.
    var clockOffsetMs: Int64 = 0
    private var heap: [Event] = []
    private var order: UInt64 = 0
    /// What went wrong, in words.
    private(set) var faults: [String] = []

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    var serverClockMs: Int64 { nowMs + clockOffsetMs }

    func expect(_ condition: Bool, _ text: @autoclosure () -> String) {
        if !condition, faults.count < 10 { faults.append("after \(nowMs - Self.beginMs) ms: \(text())") }
    }

    /// The next random number as an id that is nobody else's.
    func newClientID() -> UInt64 { random.next() >> 33 | 1 << 20 }

    func after(_ milliseconds: Int64, _ body: @escaping () -> Void) {
        order += 1
        heap.append(Event(atMs: nowMs + max(0, milliseconds), order: order, body: body))
        var child = heap.count - 1
        while child > 0, heap[child] < heap[(child - 1) / 2] {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Lets events happen until `endMs`.
    func run(until endMs: Int64) {
        while let first = heap.first, first.atMs <= endMs, faults.isEmpty {
            removeFirst()
            nowMs = first.atMs
            first.body()
        }
        nowMs = max(nowMs, endMs)
    }

    private func removeFirst() {
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child] < heap[least] { least = child }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
