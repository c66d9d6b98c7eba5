/// A Yjs document (`Y.Doc`). Unless told to clean up formatting it is a neutral peer that makes no change of
/// its own; roots are untyped until someone asks for one as a type.
///
/// Not thread-safe: one event loop or task owns it. Applying an update costs O(structs × log blocks) unless
/// updates conflict; memory is about 70 bytes a block and the content's bytes.
public final class Document {
    // Checking each access as it begins costs a remote edit 8 %. It would find nothing: while a mutating access
    // lasts, only methods of `Store` and of its members run. They are values that hold no document, no observer
    // and no closure of anybody; what they are handed are numbers, bytes and `Value`s, which release no foreign
    // object either. Observers, filters and sources of ids are called by `Document`, between accesses. Reading
    // within reading, as bodies handed to `forEachVisible` do, is no conflict.
    @exclusivity(unchecked) var store: Store
    /// The id under which local edits are made.
    public var clientID: ClientID
    /// Where another client id is taken from when an update shows that somebody else uses ours (Yjs takes a
    /// random one). Nil, as it is at first: the id is kept.
    public var makeClientID: (() -> ClientID)?
    /// The name under which a subdocument is synchronised.
    public let guid: String
    /// Whether the subdocument asks to be loaded as soon as it is there.
    public var autoLoad = false
    /// Whether the subdocument was asked to be loaded.
    public var shouldLoad = true
    /// What the application says of a subdocument; `null` when nothing.
    public var meta: Value = .null
    /// Whether redundant format items are deleted after remote transactions, as Yjs clients do.
    public let cleansFormatting: Bool
    var observers = Observers()
    // The same for this: it is set where it is nil, its flag is changed, and it is taken out whole. The origin in it,
    // whose end may run foreign code, is released by who took it.
    @exclusivity(unchecked) var openTransaction: OpenTransaction?
    /// Transactions whose bodies are over, the first of which is being cleaned up.
    var cleanups: [(transaction: Transaction, isWanted: Bool)] = []
    var currentCleanup = 0
    var wantsUpdate = false
    var wantedUpdate: [UInt8]?
    var subdocumentsByID: [ID: Document] = [:]
    var presentSubdocuments: [ID] = []
    var holder: Holder?
    private(set) var pendingStructs: PendingStructs?
    private(set) var pendingDeletes: [Update.ClientRange] = []

    /// An empty document.
    ///
    /// - Parameters:
    ///   - clientID: the id under which local edits are made; no two replicas may use the same.
    ///   - guid: the name of a subdocument; of no account otherwise.
    ///   - gc: whether the content of deleted items is dropped (Yjs's default).
    ///   - cleansFormatting: whether redundant format items are deleted after remote transactions.
    public init(
        clientID: ClientID, guid: String = "", gc: Bool = true, cleansFormatting: Bool = false
    ) {
        self.clientID = min(clientID, Limits.maxSafeInteger)
        self.guid = guid
        self.cleansFormatting = cleansFormatting
        store = Store(collectsGarbage: gc)
        store.tracksChanges = cleansFormatting
    }

    // MARK: State

    /// Next clock of every client; pending structs do not count. O(clients).
    public var stateVector: StateVector {
        var clients: [ClientID: UInt64] = [:]
        for client in store.clients where client.state > 0 { clients[client.id] = UInt64(client.state) }
        return StateVector(clients)
    }

    /// Next clock of one client. O(1).
    public func clock(of client: ClientID) -> UInt64 { store.state(of: client) }

    /// Whether structs or deletions wait for something that was not received.
    public var hasPending: Bool { pendingStructs != nil || !pendingDeletes.isEmpty }

    /// Clients that pending structs wait for, with the clock that must be passed.
    public var pendingOn: [ClientID: UInt64] { pendingStructs?.missing ?? [:] }

    /// Approximate memory in bytes of content, blocks, types, names, clients and pending parts. O(1).
    public var byteSize: Int {
        let blocks =
            store.blocks.liveCount * (MemoryLayout<Block>.stride + MemoryLayout<ClientBlocks.Entry>.stride)
        let types = store.types.count * MemoryLayout<TypeRecord>.stride + store.mapTails.count * 40
        let clients = store.clients.count * (MemoryLayout<ClientBlocks>.stride + 160)
        let pending = (pendingStructs?.update.byteCount ?? 0) + pendingDeletes.count * 24
        let derived = store.deleted.byteSize + store.siblings.byteSize + store.encoded.byteSize
        return store.arena.used + blocks + types + store.keys.byteSize + clients + pending + derived
    }

    /// Number of blocks.
    public var blockCount: Int { store.blocks.liveCount }

    /// Work so far that grows with the document and not with the updates: blocks passed while concurrent
    /// insertions were put in order, bytes of values passed while runs of them were cut. Honest edits cause
    /// little of it; a server can charge what an update caused to who sent it. One unit takes a few
    /// nanoseconds.
    public var work: UInt64 { store.work }

    // MARK: Applying

    /// Decodes and applies a v1 update as `Y.applyUpdate` does: what cannot be applied yet is kept. Nothing
    /// has changed when this throws.
    public func applyUpdate(
        _ bytes: [UInt8], origin: AnyHashable? = nil, limits: UpdateLimits = .standard
    ) throws(UpdateError) {
        try applyChecked(try Update(decodingV1: bytes, limits: limits), origin)
    }

    /// `applyUpdate` for the v2 format.
    public func applyUpdateV2(
        _ bytes: [UInt8], origin: AnyHashable? = nil, limits: UpdateLimits = .standard
    ) throws(UpdateError) {
        try applyChecked(try Update(decodingV2: bytes, limits: limits), origin)
    }

    private func applyChecked(_ update: Update, _ origin: AnyHashable?) throws(UpdateError) {
        guard hasRoom(for: update) else {
            throw UpdateError(code: .tooLarge, offset: 0, message: "the document is full")
        }
        apply(update, origin: origin)
    }

    /// Applies a decoded update. Gives whether the document changed; an update that finds the document at its
    /// limit (512 MiB of content) changes nothing.
    @discardableResult
    public func apply(_ update: Update, origin: AnyHashable? = nil) -> Bool {
        guard hasRoom(for: update) else { return false }
        return run(origin, isLocal: false) {
            let before = store.changes
            var next: Update? = update
            while let update = next { next = applyOnce(update) }
            return store.changes != before
        }
    }

    /// Whether the update surely fits in the engine's limits.
    func hasRoom(for update: Update) -> Bool {
        let pending = pendingStructs?.update.byteCount ?? 0
        return store.arena.used + update.storage.count + pending <= Limits.maxDocumentBytes
            && store.blocks.liveCount + 3 * update.records.count <= Limits.maxDocumentBlocks
            && (pending + update.v1Bound <= Limits.maxPendingBytes || pending == 0)
    }

    /// One pass of yjs `readUpdateV2`. Gives the pending structs when it is time to try them again.
    private func applyOnce(_ update: Update) -> Update? {
        let rest = store.integrate(update)
        var retries = false
        if let pending = pendingStructs {
            retries = pending.missing.contains { $0.value < store.state(of: $0.key) }
            if let rest {
                pendingStructs = PendingStructs(
                    missing: pending.missing.merging(rest.missing) { min($0, $1) },
                    update: Update.merge([pending.update, rest.update]))
            }
        } else {
            pendingStructs = rest
        }
        if !update.deletes.isEmpty || !pendingDeletes.isEmpty {
            let restDeletes = store.apply(update.deletes)
            let stillPending = store.apply(pendingDeletes)
            pendingDeletes = DeleteRanges.merged(restDeletes + stillPending)
        }
        guard retries, let pending = pendingStructs else { return nil }
        pendingStructs = nil
        return pending.update
    }
}
