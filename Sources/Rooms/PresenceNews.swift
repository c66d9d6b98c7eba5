import CRDT

/// Whose presence in a document changed since those who only read were last told.
struct PresenceNews {
    var writers: Set<ClientID> = []
    /// Writers as delayed readers may know them.
    var delayed: Set<ClientID> = []
    var readers: Set<ClientID> = []
    private var toldAtMs: Int64?

    init(toldAtMs: Int64? = nil) { self.toldAtMs = toldAtMs }

    var isEmpty: Bool { writers.isEmpty && delayed.isEmpty && readers.isEmpty }
    /// When it may be told, ms since 1970.
    var dueMs: Int64 { toldAtMs.map { $0 + Limits.presenceNewsMs } ?? 0 }
}
