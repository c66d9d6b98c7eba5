/// Undoes and redoes what was done to some shared types (yjs `UndoManager`): deletes what was inserted, and makes
/// anew what was deleted, without touching what others did meanwhile.
///
/// Edits less than `captureTimeoutMs` apart are one step. Content that may have to be brought back is kept from
/// garbage collection until its step is cleared. Confined to its document, which it watches as long as it
/// lives.
public final class UndoManager {
    /// The document.
    public let document: Document
    /// Edits that follow each other within this time are undone together; ms.
    public var captureTimeoutMs: Int64
    /// Origins of the transactions that are tracked; nil stands for transactions without one.
    public var trackedOrigins: Set<AnyHashable?>
    /// Whether a value of a map is brought back even though somebody else has set another one since.
    public var ignoresRemoteMapChanges: Bool
    /// Which transactions are tracked, of those in scope and of a tracked origin.
    public var captures: (Transaction) -> Bool = { _ in true }
    /// Which of the blocks that were inserted undo deletes; called with the type they are in.
    public var deletes: (SharedValue) -> Bool = { _ in true }

    var scope: [SharedTypeReference]
    /// Steps that can be undone, the last of them first to go.
    public internal(set) var undoStack: [StackItem] = []
    /// Steps that were undone and can be redone.
    public internal(set) var redoStack: [StackItem] = []
    private let now: () -> Int64
    private var lastChangeMs: Int64?
    private var activity: Activity?
    private var watch: Observation?
    private var observers = ObserverList<(UndoEvent) -> Void>()
    private var lastID: UInt64 = 0

    private enum Activity {
        case undoing
        case redoing
    }

    /// Tracks the edits of the types of `scope` and of everything in them. `now` is the time in ms, of any
    /// clock that does not go back.
    public init(
        _ scope: [any SharedType], of document: Document, captureTimeoutMs: Int64 = 500,
        trackedOrigins: Set<AnyHashable?> = [nil], ignoresRemoteMapChanges: Bool = false,
        now: @escaping () -> Int64
    ) {
        self.document = document
        self.scope = scope.filter { $0.document === document }.map(\.reference)
        self.captureTimeoutMs = captureTimeoutMs
        self.trackedOrigins = trackedOrigins
        self.ignoresRemoteMapChanges = ignoresRemoteMapChanges
        self.now = now
        watch = document.observeAfterTransaction { [weak self] in self?.take($0) }
    }

    deinit { watch?.cancel() }

    // MARK: Steps

    /// Whether there is something to undo.
    public var canUndo: Bool { !undoStack.isEmpty }
    /// Whether there is something to redo.
    public var canRedo: Bool { !redoStack.isEmpty }

    /// Undoes the last step that still has an effect; nil when there is none. O(blocks of the step × what
    /// lies between them and their neighbours).
    @discardableResult
    public func undo() -> StackItem? { pop(.undoing, from: \.undoStack) }

    /// Redoes the step undone last; nil when there is none.
    @discardableResult
    public func redo() -> StackItem? { pop(.redoing, from: \.redoStack) }

    /// The next edit begins a new step.
    public func stopCapturing() { lastChangeMs = nil }

    /// Forgets steps; what they kept may be dropped with the next deletion around it.
    public func clear(undo: Bool = true, redo: Bool = true) {
        guard undo && canUndo || redo && canRedo else { return }
        document.transact {
            if undo {
                undoStack.forEach(release)
                undoStack = []
            }
            if redo {
                redoStack.forEach(release)
                redoStack = []
            }
            emit(.cleared(undo: undo, redo: redo))
        }
    }

    /// Tracks another type too.
    public func addToScope(_ type: some SharedType) {
        guard type.document === document, !scope.contains(type.reference) else { return }
        scope.append(type.reference)
    }

    /// Stops watching the document; the steps stay.
    public func destroy() {
        watch?.cancel()
        watch = nil
    }

    /// Called when steps are added, grow, are undone or redone, or are cleared.
    public func observe(_ body: @escaping (UndoEvent) -> Void) -> Observation {
        lastID += 1
        let id = lastID
        observers.add(body, id: id)
        return Observation { [weak self] in self?.observers.remove(id) }
    }

    private func emit(_ event: UndoEvent) {
        for body in observers.bodies { body(event) }
    }

    // MARK: Tracking

    /// The origin of the transactions that undo and redo make.
    private var ownOrigin: AnyHashable { AnyHashable(ObjectIdentifier(self)) }

    private func isTracked(_ transaction: Transaction) -> Bool {
        captures(transaction)
            && scope.contains { $0.place.map { transaction.hasChanged($0) } ?? false }
            && (transaction.origin == ownOrigin || trackedOrigins.contains(transaction.origin))
    }

    /// Makes a step of a transaction, or adds it to the last one.
    private func take(_ transaction: Transaction) {
        guard isTracked(transaction) else { return }
        if activity == .undoing {
            stopCapturing()
        } else if activity == nil {
            clear(undo: false, redo: true)
        }
        let stack: ReferenceWritableKeyPath<UndoManager, [StackItem]> =
            activity == .undoing ? \.redoStack : \.undoStack
        let step = StackItem(document, transaction)
        let time = now()
        var isNew = true
        if activity == nil, let lastChangeMs, time - lastChangeMs < captureTimeoutMs,
            let last = self[keyPath: stack].last
        {
            last.insertions.formUnion(step.insertions)
            last.deletions.formUnion(step.deletions)
            isNew = false
        } else {
            self[keyPath: stack].append(step)
        }
        if activity == nil { lastChangeMs = time }
        for block in document.deletedBlocks(transaction) where document.store.isIn(scope, block) {
            document.store.keep(block, true)
        }
        guard let item = self[keyPath: stack].last else { return }
        let kind: UndoEvent.Kind = activity == .undoing ? .redo : .undo
        emit(isNew ? .added(item, kind, transaction) : .updated(item, kind, transaction))
    }

    private func release(_ step: StackItem) {
        for block in document.store.blocks(of: step.deletions)
        where document.store.blocks[block].isItem && document.store.isIn(scope, block) {
            document.store.keep(block, false)
        }
    }

    // MARK: Undoing

    private func pop(
        _ activity: Activity, from stack: ReferenceWritableKeyPath<UndoManager, [StackItem]>
    ) -> StackItem? {
        self.activity = activity
        defer { self.activity = nil }
        let popped = document.transact(origin: ownOrigin) { () -> StackItem? in
            while let step = self[keyPath: stack].popLast() {
                if document.revert(step, self) { return step }
            }
            return nil
        }
        if let popped { emit(.popped(popped, activity == .undoing ? .undo : .redo)) }
        return popped
    }
}

/// One step of an undo manager.
public final class StackItem {
    private let document: Document
    var insertions = IDSet()
    var deletions = IDSet()
    /// What the application keeps with the step, such as a selection to be restored.
    public var meta: [AnyHashable: Any] = [:]

    init(_ document: Document, _ transaction: Transaction) {
        self.document = document
        let ends = document.store.inOrderOfAppearance(transaction.closed.ends)
        for (grown, end) in zip(document.store.inOrderOfAppearance(transaction.closed.grown), ends) {
            insertions.insert(grown.client, grown.clock..<end.clock)
        }
        for client in transaction.closed.deletionOrder {
            for deletion in transaction.closed.deletions where deletion.client == client {
                deletions.insert(client, deletion.clock..<deletion.clock + deletion.length)
            }
        }
    }

    /// Units that the step inserted.
    public var insertedRanges: [Update.ClientRange] { document.store.ranges(of: insertions) }
    /// Units that the step deleted.
    public var deletedRanges: [Update.ClientRange] { document.store.ranges(of: deletions) }
}

/// What happened to the steps of an undo manager.
public enum UndoEvent {
    /// On which stack, or in which direction.
    public enum Kind: Sendable {
        case undo
        case redo
    }

    /// A new step (yjs `stack-item-added`).
    case added(StackItem, Kind, Transaction)
    /// The last step has grown (yjs `stack-item-updated`).
    case updated(StackItem, Kind, Transaction)
    /// A step was undone or redone (yjs `stack-item-popped`).
    case popped(StackItem, Kind)
    /// Steps were forgotten (yjs `stack-cleared`).
    case cleared(undo: Bool, redo: Bool)
}
