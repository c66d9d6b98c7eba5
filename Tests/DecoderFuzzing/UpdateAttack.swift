import CRDT

/// Update v1 and v2: decoding, looking ahead, applying, writing again, and the functions on bytes.
struct UpdateAttack {
    /// What became of an input that was not refused.
    enum Outcome {
        /// The document's state, read back, is the same to the byte.
        case same
        /// Something waits for what did not come.
        case waiting
        /// It is not: the input contradicts itself or what is known. In Yjs such inputs do that too.
        case other
    }

    /// Most work, in units of `Document.work`, that one update may cause in a document of `blocks` blocks
    /// once it is applied: conflict scans pass each block at most once for each struct, cuts pass each byte of
    /// content at most once for each struct.
    static func mostWork(blocks: Int, bytes: Int) -> UInt64 { UInt64(blocks) * UInt64(blocks + bytes) }

    let input: [UInt8]
    let isV2: Bool
    let target: UpdateTarget

    /// nil when the input was refused.
    func run() throws(Complaint) -> Outcome? {
        let (document, before) = try target.document()
        let update: Update
        do throws(UpdateError) {
            update = isV2 ? try Update(decodingV2: input) : try Update(decodingV1: input)
        } catch {
            try demand((0...input.count).contains(error.offset), "no offset of the input: \(error)")
            try demand(refusal(document) == error, "refused in another way by the document")
            try demand(document.encodeStateAsUpdate() == before, "refused, but the document changed")
            return nil
        }
        lookAhead(update, document)
        try demand(document.encodeStateAsUpdate() == before, "looking ahead changed the document")
        try convert(update)
        target.drop()
        try apply(update, document)
        let state = document.encodeStateAsUpdate()
        try mergeWithItself(update, state)
        return try readBack(document, state)
    }

    private func refusal(_ document: Document) -> UpdateError? {
        do throws(UpdateError) {
            if isV2 { try document.applyUpdateV2(input) } else { try document.applyUpdate(input) }
            return nil
        } catch {
            return error
        }
    }

    private func lookAhead(_ update: Update, _ document: Document) {
        _ = document.readiness(of: update)
        _ = document.newRanges(of: update)
        _ = update.ranges.count + update.meta.count + update.structCount
        _ = document.snapshot().contains(update)
        update.forEachStruct { _ in }
    }

    // MARK: Bytes

    /// Into v2 and back. Values that one of the versions cannot hold (half a surrogate pair, undefined, -0)
    /// change the first time; then it must stay the same.
    private func convert(_ update: Update) throws(Complaint) {
        let once = try throughV2(update)
        let twice = try throughV2(once)
        try demand(twice.bytes == once.bytes, "converted twice it differs: \(hexText(once.bytes))")
        try demand(once.stateVector == update.stateVector, "converting changed the state vector")
        try demand(once.meta == update.meta, "converting changed the clocks")
    }

    private func throughV2(_ update: Update) throws(Complaint) -> Update {
        let v2 = update.encodedV2()
        do throws(UpdateError) {
            return try Update(decodingV2: v2, limits: .trusted).withoutSubFlags()
        } catch {
            throw Complaint("v2 of the engine is refused: \(error): \(hexText(v2))")
        }
    }

    /// Left out where merging joins or sorts deletions: a pair of surrogates between two of them is cut if they
    /// are applied one by one, and what a deleted type holds depends on what was cut in it before.
    private func mergeWithItself(_ update: Update, _ state: [UInt8]) throws(Complaint) {
        let joined = Snapshot(stateVector: StateVector(), deletes: update.deletes).deletes
        guard joined == update.deletes else { return }
        let merged = Update.merge([update, update])
        let document = try target.fresh(and: merged.bytes)
        let made = document.encodeStateAsUpdate()
        try demand(made == state, "merged with itself it makes \(hexText(made)), not \(hexText(state))")
        _ = update.difference(since: document.stateVector).bytes
    }

    // MARK: Document

    private func apply(_ update: Update, _ document: Document) throws(Complaint) {
        let work = document.work
        document.apply(update)
        let most = Self.mostWork(
            blocks: document.blockCount + 2 * update.structCount + 8, bytes: document.byteSize)
        try demand(document.work - work <= most, "\(document.work - work) units of work, \(most) allowed")
        for root in document.rootNames { _ = reading(root, document) }
        let edits: [PlannedEdit] = [
            .set(root: "m", key: "k", value: 1), .append(root: "a", values: ["x"]),
            .removeFirst(root: "t", count: 1),
        ]
        _ = document.plan(edits, as: 96)
    }

    /// What the document writes must be taken again, in both versions, and be complete.
    private func readBack(_ document: Document, _ state: [UInt8]) throws(Complaint) -> Outcome {
        let copy = try target.fresh(with: state)
        let second = Document(clientID: 97, gc: target.collectsGarbage)
        do throws(UpdateError) {
            try second.applyUpdateV2(document.encodeStateAsUpdateV2(), limits: .trusted)
        } catch {
            throw Complaint("state v2 of the engine is refused: \(error)")
        }
        guard !document.hasPending else { return .waiting }
        try demand(copy.stateVector == document.stateVector, "state read back: another state vector")
        try demand(second.stateVector == document.stateVector, "state v2 read back: another state vector")
        guard copy.encodeStateAsUpdate() == state else { return .other }
        for root in document.rootNames {
            for (a, b) in zip(reading(root, copy), reading(root, document)) where a != b { return .other }
        }
        return .same
    }

    /// A root as everything it can be read as.
    private func reading(_ root: String, _ document: Document) -> [String] {
        [
            document.text(root), document.xml(root), String(document.length(root)),
            document.map(root).map { "\($0.key)=\($0.value.json)" }.sorted().joined(separator: " "),
            Value.array(document.array(root)).json, Value.array(document.delta(root)).json,
        ]
    }
}
