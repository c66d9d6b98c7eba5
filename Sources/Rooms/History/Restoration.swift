import CRDT

/// Makes one document read like another by ordinary edits: what both have in common stays as it is, so that whoever
/// edits there meanwhile, and who wrote it, is not lost. Both documents are copies that nobody else holds, because
/// reading a root as a type gives it that type.
struct Restoration {
    let live: Document
    let wanted: Document

    /// Makes the edits. Called within one transaction of `live`.
    ///
    /// - Throws: `wrongType` where a root was used as one type then and is another now.
    func run() throws(EditError) {
        var roots = live.rootNames
        for name in wanted.rootNames where !roots.contains(name) { roots.append(name) }
        for root in roots {
            let kinds = [live.rootKind(root), wanted.rootKind(root)].filter { $0 != .absent }
            guard let kind = kinds.first else { continue }
            guard kinds.allSatisfy({ $0 == kind }) else { throw EditError(.wrongType) }
            switch kind {
            case .text: try match(live.getText(root), wanted.getText(root))
            case .map: try match(live.getMap(root), wanted.getMap(root))
            case .array: try matchList(live.getArray(root), wanted.getArray(root))
            case .xml: try matchList(live.getXMLFragment(root), wanted.getXMLFragment(root))
            case .value, .absent: break
            }
        }
    }

    /// Makes two values of the same place alike; false where one has to take the other's place.
    private func match(_ have: SharedValue, _ want: SharedValue) throws(EditError) -> Bool {
        switch (have, want) {
        case (.value(let have), .value(let want)): return have == want
        case (.document(let have), .document(let want)): return have.guid == want.guid
        case (.text(let have), .text(let want)): try match(have, want)
        case (.xmlText(let have), .xmlText(let want)):
            try matchAttributes(have, want)
            try match(have, want)
        case (.map(let have), .map(let want)): try match(have, want)
        case (.array(let have), .array(let want)): try matchList(have, want)
        case (.xmlFragment(let have), .xmlFragment(let want)): try matchList(have, want)
        case (.xmlElement(let have), .xmlElement(let want)):
            guard have.nodeName == want.nodeName else { return false }
            try matchAttributes(have, want)
            try matchList(have, want)
        case (.xmlHook(let have), .xmlHook(let want)):
            guard have.hookName == want.hookName else { return false }
            try match(have, want)
        default: return false
        }
        return true
    }

    private func match(_ have: some MapType, _ want: some MapType) throws(EditError) {
        for key in have.keys where !want.has(key) { try have.delete(key) }
        for (key, value) in want.entries {
            if let present = have[key], try match(present, value) { continue }
            if let made = try have.set(key, Self.content(of: value)) { try fill(made, like: value) }
        }
    }

    private func matchAttributes(
        _ have: some AttributedType, _ want: some AttributedType
    ) throws(EditError) {
        for (name, _) in have.attributes where want.attribute(name) == nil { try have.removeAttribute(name) }
        for (name, value) in want.attributes where have.attribute(name)?.json != value.json {
            try have.setAttribute(name, value.json)
        }
    }

    // MARK: Texts

    private func match(_ have: some TextType, _ want: some TextType) throws(EditError) {
        let (old, new) = (Run.runs(of: have.delta), Run.runs(of: want.delta))
        guard old != new else { return }
        guard Run.arePlain(old), Run.arePlain(new) else { return try matchFormatted(have, want, old, new) }
        try have.change(to: want.string)
    }

    /// Replaces the runs that differ, between those at both ends that do not.
    private func matchFormatted(
        _ have: some TextType, _ want: some TextType, _ old: [Run], _ new: [Run]
    ) throws(EditError) {
        let (head, tail) = commonEnds(old, new, by: ==)
        var position = old[..<head].reduce(0) { $0 + $1.length }
        let length = old[head..<(old.count - tail)].reduce(0) { $0 + $1.length }
        try have.delete(at: position, length: length)
        for run in new[head..<(new.count - tail)] {
            switch run.content {
            case .text(let text): try have.insert(text, at: position, attributes: run.attributes)
            case .embed(let value):
                try have.insertEmbed(.value(value), at: position, attributes: run.attributes)
            }
            position += run.length
        }
    }

    // MARK: Lists

    private func matchList(_ have: some ListType, _ want: some ListType) throws(EditError) {
        let (old, new) = (have.elements, want.elements)
        var (head, tail) = commonEnds(old, new) { $0.isLike($1) }
        // An element that changed inside keeps its place; what is left over is replaced.
        while head < min(old.count, new.count) - tail, old[head].type != nil,
            try match(old[head], new[head])
        {
            head += 1
        }
        try have.delete(at: head, length: old.count - tail - head)
        let middle = Array(new[head..<(new.count - tail)])
        guard !middle.isEmpty else { return }
        let made = try have.insert(middle.map(Self.content), at: head)
        for (made, value) in zip(made, middle) { try fill(made, like: value) }
    }

    // MARK: Copies

    /// A new value of the same kind, empty where it is a shared type.
    private static func content(of value: SharedValue) -> Content {
        switch value {
        case .value(let value): .value(value)
        case .text: .text
        case .map: .map
        case .array: .array
        case .xmlFragment: .xmlFragment
        case .xmlElement(let element): .xmlElement(element.nodeName)
        case .xmlText: .xmlText
        case .xmlHook(let hook): .xmlHook(hook.hookName)
        case .document(let document): .document(Document(clientID: 0, guid: document.guid))
        }
    }

    private func fill(_ made: SharedValue, like value: SharedValue) throws(EditError) {
        if made.type != nil { _ = try match(made, value) }
    }
}

extension SharedValue {
    /// Whether two values read the same.
    fileprivate func isLike(_ other: SharedValue) -> Bool {
        switch (self, other) {
        case (.value(let one), .value(let two)): one == two
        case (.document(let one), .document(let two)): one.guid == two.guid
        case (.value, _), (_, .value), (.document, _), (_, .document): false
        case (.text(let one), .text(let two)): Run.runs(of: one.delta) == Run.runs(of: two.delta)
        default: json == other.json
        }
    }
}

/// A piece of a text with one formatting.
private struct Run: Equatable {
    enum Content: Equatable {
        case text(String)
        /// An embedded object; a shared type is the plain value of it, which is what is put back.
        case embed(Value)
    }

    var content: Content
    var attributes: Attributes

    var length: Int {
        switch content {
        case .text(let text): text.utf16.count
        case .embed: 1
        }
    }

    static func runs(of delta: [DeltaOperation]) -> [Run] {
        delta.compactMap { operation in
            guard case .insert(let insertion, let attributes) = operation else { return nil }
            switch insertion {
            case .text(let text): return Run(content: .text(text), attributes: attributes)
            case .embed(let value): return Run(content: .embed(value), attributes: attributes)
            case .type(let value): return Run(content: .embed(value.json), attributes: attributes)
            case .values: return nil
            }
        }
    }

    static func arePlain(_ runs: [Run]) -> Bool {
        runs.allSatisfy { run in
            if case .text = run.content { return run.attributes.isEmpty }
            return false
        }
    }
}
