/// Who is present in a document, by the rules of y-protocols: a state is replaced by one with a higher clock,
/// and by a removal with the same clock. The clock of a client that went is remembered, so that what it sent
/// before does not bring it back. A first state with clock 0 is ignored, as there.
public struct AwarenessStates: Sendable {
    private struct Known: Sendable {
        var clock: UInt64
        var updatedAtMs: Int64
        /// nil when the client is gone.
        var json: String?
    }

    /// What an update changed.
    public struct Change: Sendable, Equatable {
        public var added: [ClientID] = []
        /// Clients that sent a new clock, their state changed or not.
        public var updated: [ClientID] = []
        public var removed: [ClientID] = []

        public var isEmpty: Bool { added.isEmpty && updated.isEmpty && removed.isEmpty }
        /// All clients of the change: what a message about it has to carry.
        public var clients: [ClientID] { added + updated + removed }
    }

    /// Clocks of clients that are gone are dropped, oldest first, beyond this many.
    public static let maxRemembered = 4096

    private var known: [ClientID: Known] = [:]
    private var liveCount = 0

    public init() {}

    /// Clients that are present.
    public var clients: [ClientID] { known.filter { $0.value.json != nil }.keys.sorted() }

    public var count: Int { liveCount }

    /// The state of a client that is present, as JSON.
    public func json(of client: ClientID) -> String? { known[client]?.json }

    /// The last clock of a client.
    public func clock(of client: ClientID) -> UInt64? { known[client]?.clock }

    /// Takes an update received at `atMs`.
    @discardableResult
    public mutating func apply(_ update: AwarenessUpdate, atMs: Int64) -> Change {
        var change = Change()
        for entry in update.entries {
            let old = known[entry.client]
            let clock = old?.clock ?? 0
            let removes = entry.isRemoval
            guard clock < entry.clock || clock == entry.clock && removes && old?.json != nil else { continue }
            set(entry.client, Known(clock: entry.clock, updatedAtMs: atMs, json: removes ? nil : entry.json))
            if old == nil && !removes {
                change.added.append(entry.client)
            } else if old != nil && removes {
                change.removed.append(entry.client)
            } else if !removes {
                change.updated.append(entry.client)
            }
        }
        forgetOldest()
        return change
    }

    private mutating func set(_ client: ClientID, _ next: Known) {
        let wasLive = known[client]?.json != nil
        known[client] = next
        liveCount += (next.json != nil ? 1 : 0) - (wasLive ? 1 : 0)
    }

    /// Removes clients, for example those of a closed socket. Gives the ones that were present.
    @discardableResult
    public mutating func remove(_ clients: some Sequence<ClientID>) -> [ClientID] {
        var removed: [ClientID] = []
        for client in clients {
            guard var it = known[client], it.json != nil else { continue }
            it.json = nil
            set(client, it)
            removed.append(client)
        }
        forgetOldest()
        return removed
    }

    /// Clients that are present and were last heard of `timeoutMs` or longer before `atMs`.
    public func outdated(atMs: Int64, timeoutMs: Int64 = 30_000) -> [ClientID] {
        known.filter { $0.value.json != nil && atMs - $0.value.updatedAtMs >= timeoutMs }.keys.sorted()
    }

    /// The update that tells the states of `clients`; those that are gone as removals, unknown ones left out.
    public func update(of clients: some Sequence<ClientID>) -> AwarenessUpdate {
        AwarenessUpdate(
            entries: clients.compactMap { client in
                known[client].map { .init(client: client, clock: $0.clock, json: $0.json ?? "null") }
            })
    }

    /// `update(of:)`, encoded.
    public func encode(_ clients: some Sequence<ClientID>) -> [UInt8] { update(of: clients).encoded() }

    private mutating func forgetOldest() {
        guard known.count - liveCount > Self.maxRemembered else { return }
        let gone = known.filter { $0.value.json == nil }
            .sorted { ($0.value.updatedAtMs, $0.key) < ($1.value.updatedAtMs, $1.key) }
        for (client, _) in gone.prefix(gone.count - Self.maxRemembered / 2) { known[client] = nil }
    }
}
