/// How far into the log of one document somebody may read. Commit times never fall within a room, so it is always a
/// beginning of the log.
public enum VisibleHistory: Sendable, Equatable {
    case nothing
    /// Records committed up to then, ms since 1970.
    case until(Int64)
    case everything

    public func includes(_ record: LogRecord) -> Bool {
        switch self {
        case .nothing: false
        case .until(let limitMs): record.committedAtMs <= limitMs
        case .everything: true
        }
    }
}

extension AccessPolicy {
    /// How far a caller may read in a document's history now; nil where they may not know of the document.
    public func visibleHistory(
        of document: String, for caller: RoomCaller, atMs: Int64
    ) -> VisibleHistory? {
        guard maySee(caller), let access = access(to: document, for: caller) else { return nil }
        switch access {
        case .write, .read: return .everything
        case .delayedRead:
            return specification.spectatorDelay.milliseconds.map { .until(atMs - $0) } ?? .nothing
        case .none: return .nothing
        }
    }

    /// Whether a caller may read an update record of the log now: by the document, and by its age for those who read
    /// with a delay.
    public func sees(_ record: LogRecord, _ caller: RoomCaller, atMs: Int64) -> Bool {
        visibleHistory(of: record.document, for: caller, atMs: atMs)?.includes(record) ?? false
    }
}
