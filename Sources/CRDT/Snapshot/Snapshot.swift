/// A moment of a document (yjs `Snapshot`): the next clock of every client and everything deleted by then.
///
/// A value without references to the document. Its deletions are kept sorted (clients descending, clocks
/// ascending) and joined, as Yjs 13.6 writes them, so two snapshots of the same moment are equal (yjs
/// `equalSnapshots`).
public struct Snapshot: Sendable, Equatable {
    /// Next clock of every client.
    public let stateVector: StateVector
    /// Deleted clocks, sorted and joined.
    public let deletes: [Update.ClientRange]

    /// The moment before anything was written (yjs `emptySnapshot`).
    public init() { self.init(stateVector: StateVector()) }

    /// A snapshot of the given parts (yjs `createSnapshot`). Ranges of no length are left out; the others are
    /// sorted and joined. O(n log n) in the ranges.
    public init(stateVector: StateVector, deletes: [Update.ClientRange] = []) {
        self.stateVector = stateVector
        self.deletes = DeleteRanges.merged(deletes.filter { $0.from < $0.to })
    }

    // MARK: Bytes

    /// Decodes `delete set, state vector` (yjs `decodeSnapshot`). Refuses trailing bytes and, as for updates,
    /// what `limits` does not allow: bytes, clients, ranges. O(n log n).
    public init(decodingV1 bytes: [UInt8], limits: UpdateLimits = .standard) throws(UpdateError) {
        self = try Self.decoded(bytes, isV2: false, limits)
    }

    /// Decodes the v2 form (yjs `decodeSnapshotV2`), which differs in how clocks of deletions are written.
    public init(decodingV2 bytes: [UInt8], limits: UpdateLimits = .standard) throws(UpdateError) {
        self = try Self.decoded(bytes, isV2: true, limits)
    }

    private static func decoded(
        _ bytes: [UInt8], isV2: Bool, _ limits: UpdateLimits
    ) throws(UpdateError) -> Snapshot {
        guard bytes.count <= limits.maxBytes else {
            throw UpdateError(code: .tooLarge, offset: 0, message: "snapshot of \(bytes.count) bytes")
        }
        let (deletes, end) = try bytes.withUnsafeBufferPointer { buffer throws(UpdateError) in
            var reader = ByteReader(buffer)
            return (try DeleteRanges.read(&reader, isV2: isV2, limits: limits), reader.offset)
        }
        do throws(UpdateError) {
            return Snapshot(
                stateVector: try StateVector(decoding: Array(bytes[end...])), deletes: deletes)
        } catch {
            throw UpdateError(code: error.code, offset: error.offset + end, message: error.message)
        }
    }

    /// The bytes of yjs `encodeSnapshot`. O(n log n) in the clients.
    public func encoded() -> [UInt8] {
        var out = ByteWriter()
        DeleteRanges.write(deletes, to: &out)
        out.raw(stateVector.encoded())
        return out.bytes
    }

    /// The bytes of yjs `encodeSnapshotV2`.
    public func encodedV2() -> [UInt8] {
        var out = DeletionWriterV2()
        DeleteRanges.write(deletes, to: &out)
        return out.out.bytes + stateVector.encoded()
    }

    // MARK: Comparing

    /// Whether a document at this moment had everything that `update` brings (yjs `snapshotContainsUpdate`):
    /// all its structs, Skips counted as Yjs counts them, and all its deletions. O(structs + deletions × log
    /// ranges).
    public func contains(_ update: Update) -> Bool {
        for group in update.groups {
            let known = stateVector[update.clientTable[Int(group.client)]]
            for record in update.records[group.start..<group.end] where UInt64(record.end) > known {
                return false
            }
        }
        return update.deletes.allSatisfy { DeleteRanges.contain($0, in: deletes) }
    }
}

/// Why no document was made from a snapshot.
public struct SnapshotError: Error, Sendable, Equatable {
    /// The reasons.
    public enum Code: String, Sendable {
        /// The document drops what is deleted, so earlier moments are gone.
        case garbageCollected
        /// The snapshot knows more than the document.
        case ahead
        /// The past state does not fit in the engine's limits.
        case tooLarge
    }

    /// The reason.
    public var code: Code

    /// An error with that reason.
    public init(_ code: Code) { self.code = code }
}

extension Document {
    /// This moment of the document (yjs `snapshot`); what is pending does not count. O(blocks).
    public func snapshot() -> Snapshot {
        Snapshot(stateVector: stateVector, deletes: store.deletedRanges())
    }

    /// The document as it was at `snapshot` (yjs `createDocFromSnapshot`). `document` must keep what is
    /// deleted (`gc: false`) and is not changed; unlike in Yjs it is not even cut where the snapshot ends.
    /// Deletions of the snapshot that its state vector does not reach wait as pending. O(size of the
    /// document).
    public convenience init(
        from snapshot: Snapshot, of document: Document, clientID: ClientID, gc: Bool = true
    ) throws(SnapshotError) {
        guard !document.store.collectsGarbage else { throw SnapshotError(.garbageCollected) }
        guard document.stateVector.covers(snapshot.stateVector) else { throw SnapshotError(.ahead) }
        self.init(clientID: clientID, gc: gc)
        let state = document.store.encodeV2(
            document.store.missing(since: StateVector()), deletions: [])
        guard state.count <= Limits.maxDocumentBytes else { throw SnapshotError(.tooLarge) }
        let past = UpdateBuilder.decodedState(v2: state).prefix(
            snapshot.stateVector, deletes: snapshot.deletes)
        guard hasRoom(for: past) else { throw SnapshotError(.tooLarge) }
        apply(past)
    }
}
