import NIOCore

/// Calls `checkAlive` of every connection of an event loop once in `pingInterval`. One timer a loop and a number a
/// connection: a timer each would take more memory than the rest of an idle connection. Confined to its loop.
final class KeepAlive {
    /// Where a connection is kept.
    struct Place {
        fileprivate var turn: Int
        fileprivate var index: Int
    }

    /// Connections by the turn in which they came; each turn is looked at every `turns` turns.
    private var turns: [[WebSocketConnection]] = Array(repeating: [], count: Limits.keepAliveTurns)
    private var now = 0
    private var timer: Scheduled<Void>?
    private let loop: any EventLoop

    init(loop: any EventLoop) { self.loop = loop }

    func add(_ connection: WebSocketConnection) {
        connection.keepAlivePlace = Place(turn: now, index: turns[now].count)
        turns[now].append(connection)
        if timer == nil { schedule() }
    }

    func remove(_ connection: WebSocketConnection) {
        guard let place = connection.keepAlivePlace else { return }
        connection.keepAlivePlace = nil
        let last = turns[place.turn].removeLast()
        guard last !== connection else { return }
        turns[place.turn][place.index] = last
        last.keepAlivePlace = place
    }

    private func schedule() {
        let pause = Limits.pingInterval.nanoseconds / Int64(Limits.keepAliveTurns)
        timer = loop.assumeIsolated().scheduleTask(in: .nanoseconds(pause)) { [weak self] in self?.turn() }
    }

    private func turn() {
        now = (now + 1) % Limits.keepAliveTurns
        for connection in turns[now] { connection.checkAlive() }
        timer = nil
        if turns.contains(where: { !$0.isEmpty }) { schedule() }
    }
}
