import NIOCore
import Synchronization

/// What the sockets of one event loop share: what rooms want written there, the compressor, the pings.
///
/// Rooms of all loops post jobs; one hop carries all that gathered until the loop came round. Broadcasts go to lanes,
/// and what a lane gathered in a pass leaves in one write a socket. `@unchecked Sendable`: `jobs` is locked, all else
/// is touched on `loop` alone.
final class SocketLoop: @unchecked Sendable {
    enum Job: Sendable {
        case join(DocumentChannel, Lane)
        /// `position` is that of the room's log after it; nil for documents that are shown with a delay.
        case broadcast(Lane, ByteBuffer, position: Int64?)
        case send(DocumentChannel, ByteBuffer, answersStep1: Bool)
        case tell(DocumentChannel, @Sendable (DocumentChannel) -> Void)
    }

    private struct Inbox {
        var jobs: [Job] = []
        var isScheduled = false
    }

    let loop: any EventLoop
    let codec = DeflateCodec()
    let keepAlive: KeepAlive
    private let inbox = Mutex(Inbox())
    private let sent = Atomic<Int>(0)
    /// Taken in turns with the inbox's list, so that neither is allocated anew.
    private var spare: [Job] = []
    private var dirty: [Lane] = []

    init(loop: any EventLoop) {
        self.loop = loop
        keepAlive = KeepAlive(loop: loop)
    }

    /// Bytes written to the loop's sockets.
    var sentBytes: Int { sent.load(ordering: .relaxed) }

    func countSent(_ bytes: Int) { sent.wrappingAdd(bytes, ordering: .relaxed) }

    /// Hands a job over, from any loop. Jobs of one room are done in the order in which it posted them.
    func post(_ job: Job) {
        let schedules = inbox.withLock { inbox in
            inbox.jobs.append(job)
            defer { inbox.isScheduled = true }
            return !inbox.isScheduled
        }
        if schedules { loop.execute { self.drain() } }
    }

    private func drain() {
        var jobs = spare
        spare = []
        inbox.withLock { inbox in
            swap(&inbox.jobs, &jobs)
            inbox.isScheduled = false
        }
        for job in jobs { run(job) }
        jobs.removeAll(keepingCapacity: jobs.count <= Limits.keptJobs)
        spare = jobs
        for lane in dirty { lane.flush() }
        dirty.removeAll(keepingCapacity: true)
    }

    private func run(_ job: Job) {
        switch job {
        case .join(let channel, let lane):
            // What its lane kept for the end of the pass is meant for it too.
            channel.lane?.flush()
            channel.join(lane)
        case .broadcast(let lane, let frames, let position):
            if lane.append(frames, position: position) { dirty.append(lane) }
        case .send(let channel, let frames, let answersStep1):
            channel.lane?.flush()
            channel.send(frames, answersStep1: answersStep1)
        case .tell(let channel, let body):
            channel.lane?.flush()
            body(channel)
        }
    }
}

/// The socket loops of all event loops, and how many sockets are open.
public final class SocketLoops: Sendable {
    private let loops = Mutex<[ObjectIdentifier: SocketLoop]>([:])
    private let open = Atomic<Int>(0)

    public init() {}

    /// Bytes written to all sockets.
    public var sentBytes: Int { loops.withLock { $0.values.reduce(0) { $0 &+ $1.sentBytes } } }

    /// Sockets that are open.
    public var openSockets: Int { open.load(ordering: .relaxed) }

    /// Returns when no socket is open any more, at the latest after `Limits.socketsEnd`.
    public func allClosed() async {
        let end = ContinuousClock.now + Limits.socketsEnd
        while openSockets > 0, ContinuousClock.now < end {
            guard (try? await Task.sleep(for: Limits.socketsEndPoll)) != nil else { return }
        }
    }

    func count(_ change: Int) { open.add(change, ordering: .relaxed) }

    subscript(loop: any EventLoop) -> SocketLoop {
        loops.withLock { loops in
            if let known = loops[ObjectIdentifier(loop)] { return known }
            let made = SocketLoop(loop: loop)
            loops[ObjectIdentifier(loop)] = made
            return made
        }
    }
}
