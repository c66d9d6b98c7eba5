import CRDT

/// Edits of the replica protocol. An edit is `[name, path, argument…]`; one whose path leads to no type of its
/// kind is left out.
struct ReplicaEdit {
    private let name: String
    private let path: [Value]
    private let arguments: [Value]

    init(_ edit: Value) {
        let parts = edit.array ?? []
        name = parts.first?.string ?? ""
        path = parts.count > 1 ? parts[1].array ?? [] : []
        arguments = Array(parts.dropFirst(2))
    }

    private func argument(_ index: Int) -> Value { index < arguments.count ? arguments[index] : .undefined }
    private func integer(_ index: Int) -> Int { argument(index).integer ?? 0 }
    private var key: String { argument(0).string ?? "" }

    /// Performs the edits in the running transaction. Gives the indices of those that were left out.
    static func perform(_ edits: [Value], in document: Document) throws -> [Int] {
        var skipped: [Int] = []
        for (index, edit) in edits.enumerated() {
            if try !ReplicaEdit(edit).perform(in: document) { skipped.append(index) }
        }
        return skipped
    }

    /// What a path leads to.
    static func resolve(_ path: [Value], in document: Document) -> SharedValue? {
        guard let root = path.first?.string, document.rootNames.contains(root) else { return nil }
        var here = document.sharedType(at: SharedPath(root))
        for step in path.dropFirst() {
            guard let type = here else { return nil }
            here = step.string.map { entry($0, of: type) } ?? element(step.integer ?? -1, of: type)
        }
        return here
    }

    private static func entry(_ key: String, of value: SharedValue) -> SharedValue? {
        switch value {
        case .map(let map): map[key]
        case .xmlHook(let hook): hook[key]
        case .text(let text): text.attribute(key)
        case .xmlText(let text): text.attribute(key)
        case .xmlElement(let element): element.attribute(key)
        default: nil
        }
    }

    private static func element(_ index: Int, of value: SharedValue) -> SharedValue? {
        switch value {
        case .array(let array): return array[index]
        case .xmlFragment(let fragment): return fragment[index]
        case .xmlElement(let element): return element[index]
        case .text(let text): return embedded(text.delta, index)
        case .xmlText(let text): return embedded(text.delta, index)
        default: return nil
        }
    }

    /// The shared type embedded at a position of a text.
    private static func embedded(_ delta: [DeltaOperation], _ index: Int) -> SharedValue? {
        var at = 0
        for operation in delta {
            guard case .insert(let insertion, _) = operation else { continue }
            var length = 1
            if case .text(let text) = insertion { length = text.utf16.count }
            if at + length > index {
                if case .type(let type) = insertion { return type }
                return nil
            }
            at += length
        }
        return nil
    }

    private func perform(in document: Document) throws -> Bool {
        switch Self.resolve(path, in: document) {
        case .text(let text): try perform(onText: text) || perform(onAttributes: text)
        case .xmlText(let text): try perform(onText: text) || perform(onAttributes: text)
        case .xmlElement(let element):
            try perform(onChildren: element) || perform(onList: element) || perform(onAttributes: element)
        case .array(let array): try perform(onList: array)
        case .xmlFragment(let fragment): try perform(onChildren: fragment) || perform(onList: fragment)
        case .map(let map): try perform(onMap: map)
        case .xmlHook(let hook): try perform(onMap: hook)
        case .value, .document, nil: false
        }
    }

    private func clamp(_ value: Int, _ limit: Int) -> Int { max(0, min(value, limit)) }

    private func perform(onText text: some TextType) throws -> Bool {
        let at = clamp(integer(0), text.length)
        switch name {
        case "insert":
            let attributes = ReplicaCoding.attributes(argument(2))
            try text.insert(argument(1).string ?? "", at: at, attributes: attributes)
        case "embed":
            let attributes = ReplicaCoding.attributes(argument(2)) ?? []
            try text.insertEmbed(ReplicaCoding.content(argument(1)), at: at, attributes: attributes)
        case "format":
            let attributes = ReplicaCoding.attributes(argument(2)) ?? []
            try text.format(at: at, length: integer(1), attributes: attributes)
        case "cut":
            try text.delete(at: at, length: clamp(integer(1), text.length - at))
        case "delta":
            try text.applyDelta((argument(0).array ?? []).map { ReplicaCoding.operation($0) })
        default: return false
        }
        return true
    }

    private func perform(onAttributes type: some AttributedType) throws -> Bool {
        switch name {
        case "attribute": try type.setAttribute(key, ReplicaCoding.content(argument(1)))
        case "unattribute": try type.removeAttribute(key)
        default: return false
        }
        return true
    }

    private func perform(onMap map: some MapType) throws -> Bool {
        switch name {
        case "set": try map.set(key, ReplicaCoding.content(argument(1)))
        case "unset": try map.delete(key)
        case "empty": try map.clear()
        default: return false
        }
        return true
    }

    private func perform(onChildren parent: some XMLParent) throws -> Bool {
        guard name == "after" else { return false }
        let index = argument(0).integer.map { clamp($0, parent.length - 1) }
        let child = index.flatMap { parent[$0]?.type as? any XMLNode }
        try parent.insert(contents(1, for: parent), after: child)
        return true
    }

    /// New elements of a list; what is no XML is left out where only that belongs.
    private func contents(_ index: Int, for list: some ListType) -> [Content] {
        (argument(index).array ?? []).map { ReplicaCoding.content($0) }.filter {
            switch $0 {
            case .xmlElement, .xmlText, .xmlHook: true
            default: list is SharedArray
            }
        }
    }

    private func perform(onList list: some ListType) throws -> Bool {
        switch name {
        case "list":
            try list.insert(contents(1, for: list), at: clamp(integer(0), list.length))
        case "push":
            try list.push(contents(0, for: list))
        case "delete":
            let at = clamp(integer(0), list.length)
            try list.delete(at: at, length: clamp(integer(1), list.length - at))
        default: return false
        }
        return true
    }
}
