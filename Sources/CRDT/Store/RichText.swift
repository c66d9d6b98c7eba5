/// Reading formatted text and XML (yjs `YText.toDelta`, `YXmlElement.toString`).
extension Store {
    /// The text as Quill delta operations: `{insert, attributes?}`.
    func delta(_ type: UInt32) -> [Value] { delta(type) { elements(of: $0).first } }

    private func delta(_ type: UInt32, _ embedded: (Block) -> Value?) -> [Value] {
        var operations: [Value] = []
        var attributes: [Value.Entry] = []
        var text: [UInt8] = []
        func operation(_ insert: Value) {
            var entries = [Value.Entry("insert", insert)]
            if !attributes.isEmpty { entries.append(Value.Entry("attributes", .object(attributes))) }
            operations.append(.object(entries))
        }
        func flush() {
            guard !text.isEmpty else { return }
            operation(.string(String(decoding: text, as: UTF8.self)))
            text.removeAll()
        }
        var index = types[Int(type)].start
        while index != absent {
            let block = blocks[index]
            index = block.right
            if block.isDeleted { continue }
            switch block.kind {
            case .string: text.append(contentsOf: arena.bytes(block.content))
            case .format:
                flush()
                let (key, value) = WireValues.format(arena.bytes(block.content))
                if let place = attributes.firstIndex(where: { $0.key.utf8.elementsEqual(key.utf8) }) {
                    if value == .null {
                        attributes.remove(at: place)
                    } else {
                        attributes[place].value = value
                    }
                } else if value != .null {
                    attributes.append(Value.Entry(key, value))
                }
            case .embed, .type:
                flush()
                if let value = embedded(block) { operation(value) }
            default: break
            }
        }
        flush()
        return operations
    }

    /// The XML of a fragment, element or text.
    func xml(_ type: UInt32) -> String {
        switch types[Int(type)].kind {
        case .xmlText: return delta(type) { .string(plain($0)) }.map(Self.markup).joined()
        case .xmlElement:
            let name = nodeName(type).lowercased()
            let live = types[Int(type)].keys.map { ($0, mapTail(type, $0)) }
                .filter { $0.1 != absent && !blocks[$0.1].isDeleted }
            let attributes = live.map { (key: keys.string($0.0), value: plain(blocks[$0.1])) }
                .sorted { Self.precedes($0.key, $1.key) }
                .map { " \($0.key)=\"\($0.value)\"" }.joined()
            return "<\(name)\(attributes)>\(children(type))</\(name)>"
        default: return children(type)
        }
    }

    private func children(_ type: UInt32) -> String {
        var out = ""
        forEachVisible(type) { block in
            if block.kind == .type {
                out += plain(block)
            } else {
                for element in elements(of: block) { out += Self.plain(element) }
            }
        }
        return out
    }

    /// What a block holds, as JavaScript turns it into a string: of the shared types texts and XML have a text.
    private func plain(_ block: Block) -> String {
        if block.kind == .document { return "[object Object]" }
        guard block.kind == .type else { return elements(of: block).last.map(Self.plain) ?? "" }
        let type = types[Int(block.content.offset)]
        guard type.depth <= Limits.maxReadingDepth else { return "" }
        switch type.kind {
        case .text: return text(block.content.offset)
        case .xmlText, .xmlElement, .xmlFragment: return xml(block.content.offset)
        case .array, .map, .xmlHook, nil: return "[object Object]"
        }
    }

    private static func markup(_ operation: Value) -> String {
        var nodes: [(name: String, attributes: [Value.Entry])] = []
        if case .object(let entries)? = operation["attributes"] {
            for entry in entries {
                nodes.append((entry.key, members(of: entry.value).sorted { precedes($0.key, $1.key) }))
            }
        }
        nodes.sort { precedes($0.name, $1.name) }
        var out = ""
        for node in nodes {
            let attributes = node.attributes.map { " \($0.key)=\"\(plain($0.value))\"" }.joined()
            out += "<\(node.name)\(attributes)>"
        }
        out += plain(operation["insert"] ?? .undefined)
        for node in nodes.reversed() { out += "</\(node.name)>" }
        return out
    }

    /// What `for … in` finds in a value: members of objects, elements of arrays, UTF-16 units of strings.
    private static func members(of value: Value) -> [Value.Entry] {
        switch value {
        case .object(let entries): return entries
        case .array(let values):
            return values.enumerated().map { Value.Entry(String($0.offset), $0.element) }
        case .string(let text):
            return text.utf16.enumerated().map {
                Value.Entry(String($0.offset), .string(String(decoding: [$0.element], as: UTF16.self)))
            }
        default: return []
        }
    }

    /// JavaScript compares strings by UTF-16 units.
    private static func precedes(_ a: String, _ b: String) -> Bool {
        a.utf16.lexicographicallyPrecedes(b.utf16)
    }

    /// The value as JavaScript turns it into a string.
    private static func plain(_ value: Value) -> String {
        switch value {
        case .undefined: "undefined"
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .number(let number): NumberText.text(of: number)
        case .bigint(let integer): String(integer)
        case .string(let text): text
        case .object: "[object Object]"
        case .array(let values):
            values.map { $0 == .null || $0 == .undefined ? "" : plain($0) }.joined(separator: ",")
        case .bytes(let bytes): bytes.map(String.init).joined(separator: ",")
        }
    }
}
