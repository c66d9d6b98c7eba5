/// Sessions that were live when last read. The store is the truth; the cache is only ever behind by what another
/// process did, and by at most `sessionCacheMs`.
struct SessionCache: Sendable {
    private struct Entry {
        var record: SessionRecord
        var readAtMs: Int64
    }

    private var entries: [String: Entry] = [:]
    /// Counts invalidations: a read that began before one must not be kept after it, or an ended session would
    /// come back to life.
    private(set) var generation: UInt64 = 0

    func record(_ sessionID: String, atMs: Int64) -> SessionRecord? {
        guard let entry = entries[sessionID], atMs >= entry.readAtMs,
            atMs < entry.readAtMs.saturatingAdding(Limits.sessionCacheMs)
        else { return nil }
        return entry.record
    }

    /// Keeps a record that was read when the cache was at `generation`; drops it when something was invalidated
    /// since.
    mutating func keep(_ record: SessionRecord, readAtMs: Int64, generation: UInt64) {
        guard generation == self.generation else { return }
        if entries.count >= Limits.cachedSessions {
            entries = entries.filter { readAtMs < $0.value.readAtMs.saturatingAdding(Limits.sessionCacheMs) }
            if entries.count >= Limits.cachedSessions { entries.removeAll(keepingCapacity: true) }
        }
        entries[record.session.id] = Entry(record: record, readAtMs: readAtMs)
    }

    mutating func invalidate(sessions ids: [String]) {
        generation &+= 1
        for id in ids { entries[id] = nil }
    }

    mutating func invalidate(user id: String) {
        generation &+= 1
        entries = entries.filter { $0.value.record.account.id != id }
    }
}
