import Synchronization

/// How many WebSockets are open, for the metrics.
public final class SocketCount: Sendable {
    private let open = Atomic<Int>(0)

    public init() {}

    public var value: Int { open.load(ordering: .relaxed) }

    func add(_ change: Int) { open.add(change, ordering: .relaxed) }
}
