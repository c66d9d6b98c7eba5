extension Document {
    /// What a root that nobody gave a type seems to be, by what is visible in it: a text where it has text or
    /// formatting, XML where it has XML nodes, a map where it has keys and no list, else an array. `.absent` where
    /// nothing is visible. A root that has a type is that. O(blocks before the first that tells).
    public func rootKind(_ root: String) -> SharedKind {
        guard let type = store.findRoot(root) else { return .absent }
        switch store.types[Int(type)].kind {
        case .text: return .text
        case .map: return .map
        case .array: return .array
        case .xmlElement, .xmlFragment, .xmlHook, .xmlText: return .xml
        case nil: return store.listKind(type) ?? (mapKeys(root).isEmpty ? .absent : .map)
        }
    }
}

extension Store {
    /// What the first visible elements of an untyped list say that it is.
    fileprivate func listKind(_ type: UInt32) -> SharedKind? {
        var index = types[Int(type)].start
        while index != absent {
            let block = blocks[index]
            index = block.right
            guard !block.isDeleted else { continue }
            switch block.kind {
            case .string, .format, .embed: return .text
            case .type:
                switch types[Int(block.content.offset)].kind {
                case .xmlElement, .xmlFragment, .xmlHook, .xmlText: return .xml
                case .array, .map, .text, nil: return .array
                }
            case .any, .json, .binary, .document: return .array
            case .gc, .deleted, .skip: continue
            }
        }
        return nil
    }
}
