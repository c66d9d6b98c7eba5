import CRDT

/// What documents of a room held at positions of its log, so that a socket that fell behind is sent the difference to
/// what it was last sent, and not to what it once came with.
struct Checkpoints {
    private var entries: [(position: Int64, vectors: [String: StateVector])] = []

    func isDue(at position: Int64) -> Bool {
        position >= (entries.last?.position ?? -Limits.checkpointEvery) + Limits.checkpointEvery
    }

    mutating func add(_ vectors: [String: StateVector], at position: Int64) {
        if entries.count == Limits.checkpoints { entries.removeFirst() }
        entries.append((position, vectors))
    }

    /// The newest state vector of the document that is not after a position; nil where that is too long ago.
    func vector(of document: String, upTo position: Int64) -> StateVector? {
        entries.last { $0.position <= position }?.vectors[document]
    }
}
