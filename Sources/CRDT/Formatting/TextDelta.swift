/// Formatted text as delta operations.
extension Document {
    /// The content of a text (yjs `toDelta`).
    func delta(_ type: UInt32) -> [DeltaOperation] {
        var operations: [DeltaOperation] = []
        var attributes = AttributeMap()
        var text: [UInt8] = []
        func flush() {
            guard !text.isEmpty else { return }
            operations.append(.insert(.text(String(decoding: text, as: UTF8.self)), attributes.entries))
            text.removeAll()
        }
        var index = store.types[Int(type)].start
        while index != absent {
            let block = store.blocks[index]
            if !block.isDeleted {
                switch block.kind {
                case .string: text.append(contentsOf: store.arena.bytes(block.content))
                case .format:
                    flush()
                    if let format = store.format(of: index) { attributes.apply(format) }
                case .embed, .type:
                    flush()
                    if let insertion = embedded(index) {
                        operations.append(.insert(insertion, attributes.entries))
                    }
                default: break
                }
            }
            index = block.right
        }
        flush()
        return operations
    }

    func embedded(_ index: UInt32) -> DeltaOperation.Insertion? {
        switch elements(of: index).first {
        case nil: nil
        case .value(let value)?: .embed(value)
        case let type?: .type(type)
        }
    }

    /// What a transaction changed in a text (yjs `YTextEvent.delta`). Where the document cleans up
    /// formatting, format items that turn out to say nothing new are deleted in a transaction of its own.
    func textDelta(_ type: UInt32, _ moment: TransactionStart) -> [DeltaOperation] {
        guard cleansFormatting else { return walkedDelta(type, moment) { _ in } }
        return transact { walkedDelta(type, moment) { store.delete($0) } }
    }

    private func walkedDelta(
        _ type: UInt32, _ moment: TransactionStart, _ deleteRedundant: (UInt32) -> Void
    ) -> [DeltaOperation] {
        var walk = TextDeltaWalk()
        var index = store.types[Int(type)].start
        while index != absent {
            let block = store.blocks[index]
            let change: TextDeltaWalk.Change
            if moment.adds(block) {
                change = moment.deletes(block) ? .passing : .added
            } else if moment.deletes(block) {
                change = .deleted
            } else {
                change = block.isDeleted ? .passing : .kept
            }
            switch block.kind {
            case .string:
                let text = change == .added ? store.arena.bytes(block.content) : .init(start: nil, count: 0)
                walk.pass(text, length: Int(block.length), change)
            case .embed, .type:
                walk.pass(change == .added ? embedded(index) : nil, change)
            case .format:
                if let format = store.format(of: index) {
                    if walk.pass(format, change) { deleteRedundant(index) }
                    if !store.blocks[index].isDeleted { walk.enter(format) }
                }
            default: break
            }
            index = block.right
        }
        return walk.finish()
    }
}

/// Collects the operations of a text event while its blocks are passed one after the other.
private struct TextDeltaWalk {
    /// What the transaction did to a block.
    enum Change {
        case added
        case deleted
        case kept
        /// Deleted before, or added and deleted.
        case passing
    }

    private enum Action {
        case insert
        case retain
        case delete
    }

    private var operations: [DeltaOperation] = []
    private var action: Action?
    /// In force at the place that is passed, now and before the transaction.
    private var current = AttributeMap()
    private var old = AttributeMap()
    /// What a retained piece gets; `null` takes a formatting away.
    private var changed = AttributeMap()
    private var text: [UInt8] = []
    private var length = 0

    private mutating func begin(_ next: Action) {
        if action != next { flush() }
        action = next
    }

    private mutating func flush() {
        switch action {
        case .insert? where !text.isEmpty:
            let attributes = current.entries.filter { $0.value != .null }
            operations.append(.insert(.text(String(decoding: text, as: UTF8.self)), attributes))
        case .retain? where length > 0: operations.append(.retain(length, changed.entries))
        case .delete? where length > 0: operations.append(.delete(length))
        default: break
        }
        text.removeAll()
        length = 0
        action = nil
    }

    mutating func pass(_ bytes: UnsafeBufferPointer<UInt8>, length added: Int, _ change: Change) {
        switch change {
        case .added:
            begin(.insert)
            text.append(contentsOf: bytes)
        case .deleted:
            begin(.delete)
            length += added
        case .kept:
            begin(.retain)
            length += added
        case .passing: break
        }
    }

    /// Passes an embedded object, given when it was added.
    mutating func pass(_ insertion: DeltaOperation.Insertion?, _ change: Change) {
        if let insertion, change == .added {
            flush()
            operations.append(.insert(insertion, current.entries.filter { $0.value != .null }))
        } else {
            pass(.init(start: nil, count: 0), length: 1, change)
        }
    }

    /// Passes a format item. True when it says nothing new.
    mutating func pass(_ format: Format, _ change: Change) -> Bool {
        let now = current[format.key] ?? .null
        switch change {
        case .added:
            if now.isSame(as: format.attribute) { return format.value != .null }
            if action == .retain { flush() }
            let isBack = format.attribute.isSame(as: old[format.key] ?? .null)
            if isBack { changed.remove(format.key) } else { changed.set(format.key, format.attribute) }
        case .deleted:
            old.set(format.key, format.attribute)
            if !now.isSame(as: format.attribute) {
                if action == .retain { flush() }
                changed.set(format.key, now)
            }
        case .kept:
            old.set(format.key, format.attribute)
            guard let wanted = changed[format.key] else { return false }
            if wanted.isSame(as: format.attribute) { return wanted.value != .null }
            if action == .retain { flush() }
            changed.setOrRemove(format.key, format.attribute)
        case .passing: break
        }
        return false
    }

    /// A format item that stands is in force from here on.
    mutating func enter(_ format: Format) {
        if action == .insert { flush() }
        current.apply(format)
    }

    mutating func finish() -> [DeltaOperation] {
        flush()
        while case .retain(_, let attributes)? = operations.last, attributes.isEmpty {
            operations.removeLast()
        }
        return operations
    }
}
