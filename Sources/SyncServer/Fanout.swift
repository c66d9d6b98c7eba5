import NIOCore
import Rooms
import SyncProtocol

/// Which channels are told what, grouped so that a broadcast is encoded once a framing and costs one hop an event
/// loop, never one a socket. Confined to the room's loop.
struct Fanout {
    private struct Place: Hashable {
        var document: String
        var tier: Tiers
    }

    private struct Group {
        let framing: Framing
        let loop: any EventLoop
        var channels: [DocumentChannel]

        func holds(_ channel: DocumentChannel) -> Bool {
            loop === channel.loop && framing == channel.framing
        }
    }

    private var groups: [Place: [Group]] = [:]
    private var places: [SubscriberID: Place] = [:]
    private(set) var channels: [SubscriberID: DocumentChannel] = [:]

    mutating func add(_ channel: DocumentChannel, document: String, tier: Tiers) {
        let place = Place(document: document, tier: tier)
        channels[channel.id] = channel
        places[channel.id] = place
        let index = groups[place, default: []].firstIndex { $0.holds(channel) }
        if let index {
            groups[place]?[index].channels.append(channel)
        } else {
            groups[place, default: []].append(
                Group(framing: channel.framing, loop: channel.loop, channels: [channel]))
        }
    }

    mutating func remove(_ id: SubscriberID) {
        guard let channel = channels.removeValue(forKey: id), let place = places.removeValue(forKey: id),
            let index = groups[place]?.firstIndex(where: { $0.holds(channel) })
        else { return }
        groups[place]?[index].channels.removeAll { $0.id == id }
        if groups[place]?[index].channels.isEmpty == true { groups[place]?.remove(at: index) }
        if groups[place]?.isEmpty == true { groups[place] = nil }
    }

    mutating func move(_ id: SubscriberID, to tier: Tiers) {
        guard let channel = channels[id], let place = places[id] else { return }
        remove(id)
        add(channel, document: place.document, tier: tier)
    }

    /// Sends messages to every channel of the tiers: encoded once a framing that is there, one hop a loop, one write
    /// a socket.
    func broadcast(_ messages: [[UInt8]], document: String, tiers: Tiers) {
        var encoded: [Framing: ByteBuffer] = [:]
        for tier in [Tiers.writers, .readers, .delayed] where tiers.contains(tier) {
            for group in groups[Place(document: document, tier: tier)] ?? [] {
                let frames = encoded[group.framing] ?? group.framing.webSocketFrames(messages)
                encoded[group.framing] = frames
                let channels = group.channels
                // Also where it is the room's own loop: everything a socket is told goes the same way, in the order
                // in which the room said it. A catch-up that overtakes a broadcast would leave a hole.
                group.loop.execute { for channel in channels { channel.deliver(frames) } }
            }
        }
    }
}
