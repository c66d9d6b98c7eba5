/// The whole state as bytes (yjs `encodeStateAsUpdate`).
extension Document {
    /// Everything a peer with state vector `since` lacks, as `Y.encodeStateAsUpdate` gives it: structs,
    /// always the whole delete set, and what is pending. O(blocks to write + runs of deletions); the whole
    /// state is kept until the next change, so that asking again costs nothing.
    public func encodeStateAsUpdate(since: StateVector? = nil) -> [UInt8] {
        let vector = since ?? StateVector()
        if hasPending { return stateWithPending(since: vector).bytes }
        guard vector.clients.isEmpty, isSettled else { return store.encodeState(since: vector) }
        if let known = store.encoded.v1(at: store.version) { return known }
        let state = store.encodeState(since: vector)
        store.encoded.set(v1: state, at: store.version)
        return state
    }

    /// `encodeStateAsUpdate` in the v2 format (`Y.encodeStateAsUpdateV2`).
    public func encodeStateAsUpdateV2(since: StateVector? = nil) -> [UInt8] {
        let vector = since ?? StateVector()
        if hasPending {
            return UpdateV2Encoder.bytes(of: stateWithPending(since: vector), keepsSubFlags: true)
        }
        guard vector.clients.isEmpty, isSettled else { return store.encodeStateV2(since: vector) }
        if let known = store.encoded.v2(at: store.version) { return known }
        let state = store.encodeStateV2(since: vector)
        store.encoded.set(v2: state, at: store.version)
        return state
    }

    /// The state vector in the format of Yjs.
    public func encodeStateVector() -> [UInt8] { stateVector.encoded() }

    /// Whether no transaction is under way, whose end would join blocks without a further change.
    private var isSettled: Bool { openTransaction == nil && cleanups.isEmpty }

    private func stateWithPending(since vector: StateVector) -> Update {
        // v2, because its values can say more.
        var updates = [UpdateBuilder.decodedState(v2: store.encodeStateV2(since: vector))]
        if !pendingDeletes.isEmpty {
            updates.append(
                Update(
                    storage: [], encodedCount: 0, isV1: false, clientTable: [], records: [], groups: [],
                    deletes: pendingDeletes))
        }
        if let pending = pendingStructs { updates.append(pending.update.difference(since: vector)) }
        return Update.merge(updates)
    }
}
