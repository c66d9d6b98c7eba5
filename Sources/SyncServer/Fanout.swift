import NIOCore
import Rooms

/// Which sockets are told what, grouped so that a broadcast costs one hop an event loop, never one a socket.
/// Confined to the room's loop.
struct Fanout {
    private struct Place: Hashable {
        var document: String
        var tier: Tiers
    }

    private struct LoopGroup {
        let loop: any EventLoop
        var sessions: [SyncSession]
    }

    private var groups: [Place: [LoopGroup]] = [:]
    private var places: [SubscriberID: Place] = [:]
    private(set) var sessions: [SubscriberID: SyncSession] = [:]

    mutating func add(_ session: SyncSession, document: String, tier: Tiers) {
        let place = Place(document: document, tier: tier)
        sessions[session.id] = session
        places[session.id] = place
        let index = groups[place, default: []].firstIndex { $0.loop === session.loop }
        if let index {
            groups[place]?[index].sessions.append(session)
        } else {
            groups[place, default: []].append(LoopGroup(loop: session.loop, sessions: [session]))
        }
    }

    mutating func remove(_ id: SubscriberID) {
        guard let session = sessions.removeValue(forKey: id), let place = places.removeValue(forKey: id),
            let index = groups[place]?.firstIndex(where: { $0.loop === session.loop })
        else { return }
        groups[place]?[index].sessions.removeAll { $0.id == id }
        if groups[place]?[index].sessions.isEmpty == true { groups[place]?.remove(at: index) }
        if groups[place]?.isEmpty == true { groups[place] = nil }
    }

    mutating func move(_ id: SubscriberID, to tier: Tiers) {
        guard let session = sessions[id], let place = places[id] else { return }
        remove(id)
        add(session, document: place.document, tier: tier)
    }

    /// Sends the same bytes to every socket of the tiers: one hop a loop, one write a socket.
    func broadcast(_ frames: ByteBuffer, document: String, tiers: Tiers) {
        for tier in [Tiers.writers, .readers, .delayed] where tiers.contains(tier) {
            for group in groups[Place(document: document, tier: tier)] ?? [] {
                let sessions = group.sessions
                if group.loop.inEventLoop {
                    for session in sessions { session.deliver(frames) }
                } else {
                    group.loop.execute { for session in sessions { session.deliver(frames) } }
                }
            }
        }
    }
}
