import CRDT

/// Paths and edits of shared types.
extension FixtureWorld {
    /// `kind:name` of a root, then keys of maps and positions of lists.
    static func path(_ value: Value) throws -> (kind: Substring, path: SharedPath) {
        let parts = value.array ?? [value]
        guard let root = parts.first?.string, let colon = root.firstIndex(of: ":") else {
            throw FixtureError("no path: \(value.json)")
        }
        let steps = try parts.dropFirst().map { (step) throws -> SharedPath.Step in
            if let key = step.string { return .key(key) }
            guard let index = step.integer else { throw FixtureError("no step of a path: \(step.json)") }
            return .index(index)
        }
        return (root[..<colon], SharedPath(String(root[root.index(after: colon)...]), Array(steps)))
    }

    static func type(_ document: Document, _ value: Value) throws -> SharedValue {
        let (kind, path) = try path(value)
        var type: SharedValue
        switch kind {
        case "text": type = .text(try document.getText(path.root))
        case "map": type = .map(try document.getMap(path.root))
        case "array": type = .array(try document.getArray(path.root))
        case "xml": type = .xmlFragment(try document.getXMLFragment(path.root))
        default: throw FixtureError("no kind of root: \(kind)")
        }
        for step in path.steps {
            guard let next = child(type, step) else { throw FixtureError("nothing at \(value.json)") }
            type = next
        }
        return type
    }

    private static func child(_ type: SharedValue, _ step: SharedPath.Step) -> SharedValue? {
        switch (type, step) {
        case (.map(let map), .key(let key)): map[key]
        case (.xmlHook(let hook), .key(let key)): hook[key]
        case (.array(let list), .index(let index)): list[index]
        case (.xmlFragment(let list), .index(let index)): list[index]
        case (.xmlElement(let list), .index(let index)): list[index]
        default: nil
        }
    }

    static func edit(_ document: Document, _ edit: Value) throws {
        guard let parts = edit.array, parts.count > 1, let name = parts[0].string else {
            throw FixtureError("no edit: \(edit.json)")
        }
        let arguments = Arguments(values: Array(parts.dropFirst(2)))
        switch try type(document, parts[1]) {
        case .text(let text): try self.edit(text, name, arguments)
        case .xmlText(let text): try self.edit(text, name, arguments)
        case .map(let map): try self.edit(map, name, arguments)
        case .xmlHook(let map): try self.edit(map, name, arguments)
        case .array(let list): try self.edit(list, name, arguments)
        case .xmlFragment(let list): try self.edit(list, name, arguments)
        case .xmlElement(let element):
            guard try !attribute(element, name, arguments) else { return }
            try self.edit(element, name, arguments)
        case .value, .document: throw FixtureError("no type at \(parts[1].json)")
        }
    }

    private static func edit(_ text: some TextType, _ name: String, _ arguments: Arguments) throws {
        switch name {
        case "insert":
            let attributes = arguments.count > 2 ? FixtureValues.attributes(arguments[2]) : nil
            try text.insert(try arguments.string(1), at: try arguments.integer(0), attributes: attributes)
        case "embed":
            try text.insertEmbed(
                FixtureValues.content(arguments[1]), at: try arguments.integer(0),
                attributes: FixtureValues.attributes(arguments[2]))
        case "format":
            try text.format(
                at: try arguments.integer(0), length: try arguments.integer(1),
                attributes: FixtureValues.attributes(arguments[2]))
        case "delete": try text.delete(at: try arguments.integer(0), length: try arguments.integer(1))
        case "delta": try text.applyDelta(try FixtureValues.delta(arguments[0]))
        default:
            guard try attribute(text, name, arguments) else {
                throw FixtureError("no edit of a text: \(name)")
            }
        }
    }

    private static func edit(_ map: some MapType, _ name: String, _ arguments: Arguments) throws {
        switch name {
        case "set": _ = try map.set(try arguments.string(0), FixtureValues.content(arguments[1]))
        case "remove": try map.delete(try arguments.string(0))
        case "clear": try map.clear()
        default: throw FixtureError("no edit of a map: \(name)")
        }
    }

    private static func edit(_ list: some ListType, _ name: String, _ arguments: Arguments) throws {
        switch name {
        case "values":
            let contents = (arguments[1].array ?? []).map(FixtureValues.content)
            _ = try list.insert(contents, at: try arguments.integer(0))
        case "delete": try list.delete(at: try arguments.integer(0), length: try arguments.integer(1))
        default: throw FixtureError("no edit of a list: \(name)")
        }
    }

    /// Gives whether the edit is one of attributes.
    private static func attribute(
        _ type: some AttributedType, _ name: String, _ arguments: Arguments
    ) throws -> Bool {
        switch name {
        case "attribute": try type.setAttribute(try arguments.string(0), FixtureValues.read(arguments[1]))
        case "removeAttribute": try type.removeAttribute(try arguments.string(0))
        default: return false
        }
        return true
    }
}
