import CRDT
import NIOCore
import Rooms
import SyncProtocol

/// Which channels are told what. A broadcast is encoded once a framing and compressed once a window size, and costs
/// one hop an event loop, never one a socket. Large audiences are told at most every few milliseconds: what comes
/// meanwhile leaves in the same write, and updates for those who only read become one update. Confined to the room's
/// loop.
struct Fanout {
    private struct Place: Hashable {
        var document: String
        var tier: Tiers
    }

    private final class Audience {
        struct Reached {
            let socketLoop: SocketLoop
            let kind: Lane.Kind
            let agreement: DeflateAgreement?
            let lane: Lane
            var members: Int
        }

        var lanes: [Reached] = []
        var members = 0
        var pending: [[UInt8]] = []
        let passes = Passes()
        private var pendingSince = NIODeadline.now()
        private var flushedAt = NIODeadline.now() - Limits.longestPause

        func lane(of channel: DocumentChannel) -> Int? {
            lanes.firstIndex { $0.socketLoop === channel.socketLoop && $0.kind == channel.kind }
        }

        func keep(_ message: [UInt8]) {
            if pending.isEmpty { pendingSince = .now() }
            pending.append(message)
        }

        func take(at now: NIODeadline) -> [[UInt8]] {
            flushedAt = now
            defer { pending.removeAll() }
            return pending
        }

        /// When what is kept should leave. A small audience never waits. A large one waits for half as long as it takes
        /// to write to all of them, for those who are still being written to, and for edits whose commit is under way:
        /// a second pass for what comes a moment later would cost as much as the first.
        func dueAt(_ now: NIODeadline, moreIsComing: Bool) -> NIODeadline {
            guard members >= Limits.pacedAudience else { return now }
            var due =
                flushedAt
                + min(
                    .nanoseconds(Int64(members) * Limits.pausePerMember.nanoseconds), Limits.longestPause)
            if moreIsComing { due = max(due, pendingSince + Limits.commitPause) }
            if passes.areUnderWay { due = max(due, now + Limits.passPoll) }
            return min(due, pendingSince + Limits.longestPause)
        }
    }

    /// The loop of the room: its codec compresses.
    let home: SocketLoop
    private var audiences: [Place: Audience] = [:]
    private var places: [SubscriberID: Place] = [:]
    private(set) var channels: [SubscriberID: DocumentChannel] = [:]
    private var dirty: [Place] = []
    private let large: EncodedMessages
    private let sent: MessageCounts
    /// Of the room's log: all up to it was handed to `broadcast`.
    var position: Int64 = 0

    init(home: SocketLoop, counting sent: MessageCounts) {
        self.home = home
        self.sent = sent
        large = EncodedMessages(loop: home.loop)
    }

    // MARK: Members

    mutating func add(_ channel: DocumentChannel, document: String, tier: Tiers) {
        channels[channel.id] = channel
        enter(channel, Place(document: document, tier: tier))
    }

    mutating func remove(_ id: SubscriberID) {
        guard let channel = channels.removeValue(forKey: id) else { return }
        leave(channel)
    }

    mutating func move(_ id: SubscriberID, to tier: Tiers) {
        guard let channel = channels[id], let place = places[id] else { return }
        flush(.all)
        leave(channel)
        enter(channel, Place(document: place.document, tier: tier))
    }

    private mutating func enter(_ channel: DocumentChannel, _ place: Place) {
        let audience = audiences[place] ?? Audience()
        audiences[place] = audience
        places[channel.id] = place
        audience.members += 1
        let index = audience.lane(of: channel)
        if let index {
            audience.lanes[index].members += 1
        } else {
            audience.lanes.append(
                .init(
                    socketLoop: channel.socketLoop, kind: channel.kind, agreement: channel.agreement,
                    lane: Lane(passes: audience.passes),
                    members: 1))
        }
        let lane = audience.lanes[index ?? audience.lanes.count - 1].lane
        channel.socketLoop.post(.join(channel, lane))
    }

    private mutating func leave(_ channel: DocumentChannel) {
        guard let place = places.removeValue(forKey: channel.id), let audience = audiences[place] else {
            return
        }
        audience.members -= 1
        if let index = audience.lane(of: channel) {
            audience.lanes[index].members -= 1
            if audience.lanes[index].members == 0 { audience.lanes.remove(at: index) }
        }
        if audience.members == 0 { audiences[place] = nil }
    }

    // MARK: Broadcasts

    /// Keeps a message for every channel of the tiers, for the next flush.
    mutating func broadcast(_ message: [UInt8], document: String, tiers: Tiers) {
        for tier in [Tiers.writers, .readers, .delayed] where tiers.contains(tier) {
            let place = Place(document: document, tier: tier)
            guard let audience = audiences[place] else { continue }
            if audience.pending.isEmpty { dirty.append(place) }
            audience.keep(message)
        }
    }

    enum Extent { case due(moreIsComing: Bool), all }

    /// Sends what is kept, in the order in which it came.
    ///
    /// - Returns: when the rest is due.
    @discardableResult
    mutating func flush(_ extent: Extent) -> NIODeadline? {
        guard !dirty.isEmpty else { return nil }
        let now = NIODeadline.now()
        var left: [Place] = []
        var next: NIODeadline?
        var last: (messages: [[UInt8]], encoded: [Lane.Kind: ByteBuffer]) = ([], [:])
        for place in dirty {
            guard let audience = audiences[place] else { continue }
            if case .due(let moreIsComing) = extent {
                let due = audience.dueAt(now, moreIsComing: moreIsComing)
                guard due <= now else {
                    left.append(place)
                    next = min(next ?? due, due)
                    continue
                }
            }
            var messages = audience.take(at: now)
            if place.tier != .writers { messages = MergedUpdates.merge(messages) }
            if messages != last.messages { last = (messages, [:]) }
            send(&last.encoded, messages, to: audience, isLive: place.tier != .delayed)
        }
        if left.count < dirty.count { large.removeAll() }
        dirty = left
        return next
    }

    private func send(
        _ encoded: inout [Lane.Kind: ByteBuffer], _ messages: [[UInt8]], to audience: Audience, isLive: Bool
    ) {
        for message in messages { sent.add(SyncMessageKind(frame: message), audience.members) }
        for reached in audience.lanes {
            let frames = encoded[reached.kind] ?? encode(messages, reached.kind, reached.agreement)
            encoded[reached.kind] = frames
            audience.passes.begin()
            reached.socketLoop.post(.broadcast(reached.lane, frames, position: isLive ? position : nil))
        }
    }

    /// Messages as a channel is sent them.
    func encode(_ messages: [[UInt8]], for channel: DocumentChannel) -> ByteBuffer {
        encode(messages, channel.kind, channel.agreement)
    }

    private func encode(
        _ messages: [[UInt8]], _ kind: Lane.Kind, _ agreement: DeflateAgreement?
    ) -> ByteBuffer {
        kind.framing.webSocketFrames(messages, compressedBy: agreement.map { (home.codec, $0) })
    }

    // MARK: One channel

    /// Messages for one channel. The same large message for many is encoded and compressed once.
    func send(_ messages: [[UInt8]], to id: SubscriberID, answersStep1: Bool = false) {
        guard let channel = channels[id] else { return }
        for message in messages { sent.add(SyncMessageKind(frame: message)) }
        let frames: ByteBuffer
        if let message = messages.first, messages.count == 1, message.count >= Limits.sharedMessageBytes {
            frames = large.frames(of: message, channel.kind) ?? encode(messages, for: channel)
            large.keep(message, channel.kind, frames)
        } else {
            frames = encode(messages, for: channel)
        }
        channel.socketLoop.post(.send(channel, frames, answersStep1: answersStep1))
    }

    func tell(_ id: SubscriberID, _ body: @escaping @Sendable (DocumentChannel) -> Void) {
        guard let channel = channels[id] else { return }
        channel.socketLoop.post(.tell(channel, body))
    }
}

/// The last large messages with their frames, for a short while: a state that was asked for by many at once. Confined
/// to its loop (`@unchecked Sendable`).
private final class EncodedMessages: @unchecked Sendable {
    private struct Entry {
        var message: [UInt8]
        var kind: Lane.Kind
        var frames: ByteBuffer
    }

    private let loop: any EventLoop
    private var entries: [Entry] = []
    private var end: Scheduled<Void>?

    init(loop: any EventLoop) { self.loop = loop }

    func removeAll() { entries.removeAll() }

    func frames(of message: [UInt8], _ kind: Lane.Kind) -> ByteBuffer? {
        entries.first { $0.kind == kind && $0.message.isSameStorage(as: message) }?.frames
    }

    func keep(_ message: [UInt8], _ kind: Lane.Kind, _ frames: ByteBuffer) {
        guard self.frames(of: message, kind) == nil else { return }
        if entries.count == Limits.sharedMessages { entries.removeFirst() }
        entries.append(Entry(message: message, kind: kind, frames: frames))
        guard end == nil else { return }
        end = loop.scheduleTask(in: Limits.sharedMessageTime) { [weak self] in
            self?.end = nil
            self?.removeAll()
        }
    }
}

extension [UInt8] {
    /// Whether both are the same bytes at the same place. Both live, so the place belongs to one array.
    fileprivate func isSameStorage(as other: [UInt8]) -> Bool {
        withUnsafeBufferPointer { mine in
            other.withUnsafeBufferPointer { mine.baseAddress == $0.baseAddress && mine.count == $0.count }
        }
    }
}
