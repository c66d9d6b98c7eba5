import NIOCore
import SyncProtocol
import Synchronization

/// Sockets of one event loop that are sent the same bytes. Made by a room, from then on confined to the sockets' loop
/// (`@unchecked Sendable`).
final class Lane: @unchecked Sendable {
    /// What tells lanes of one audience apart.
    struct Kind: Hashable {
        var framing: Framing
        /// 0 where nothing is compressed.
        var windowBits: UInt8
    }

    private var members: [DocumentChannel] = []
    private var pending: ByteBuffer?
    private var pendingPosition: Int64?
    private var pendingPasses = 0
    private let passes: Passes
    /// What every member that is not behind was sent: all up to this position of the room's log.
    private(set) var position: Int64?

    init(passes: Passes) { self.passes = passes }

    func add(_ channel: DocumentChannel) {
        flush()
        channel.lane = self
        channel.laneIndex = members.count
        members.append(channel)
    }

    func remove(_ channel: DocumentChannel) {
        guard channel.lane === self else { return }
        channel.lane = nil
        let last = members.removeLast()
        guard last !== channel else { return }
        members[channel.laneIndex] = last
        last.laneIndex = channel.laneIndex
    }

    /// Keeps frames for the end of the pass; true where nothing was kept before.
    func append(_ frames: ByteBuffer, position: Int64?) -> Bool {
        pendingPosition = position
        pendingPasses += 1
        guard pending != nil else {
            pending = frames
            return true
        }
        var frames = frames
        pending?.writeBuffer(&frames)
        return false
    }

    /// One write to every member.
    func flush() {
        guard let frames = pending else { return }
        pending = nil
        frames.withUnsafeReadableBytes { bytes in
            for channel in members { channel.deliver(bytes, of: frames, after: position) }
        }
        position = pendingPosition
        passes.end(pendingPasses)
        pendingPasses = 0
    }
}

/// How many writes to an audience are under way on the loops of its sockets.
final class Passes: Sendable {
    private let count = Atomic<Int>(0)

    var areUnderWay: Bool { count.load(ordering: .relaxed) > 0 }

    func begin() { count.add(1, ordering: .relaxed) }
    func end(_ ended: Int) { count.subtract(ended, ordering: .relaxed) }
}
