/// Content of blocks that are made here.
extension Store {
    enum NewContent {
        case text([UInt8], units: Int)
        /// Values in the form of the wire.
        case values([UInt8], count: Int)
        case binary([UInt8])
        case embed(Value)
        case format(String, Value)
        /// An empty type, with its name if its kind has one.
        case type(TypeKind, name: String = "")
        case document(guid: String, options: Value)

        var length: Int {
            switch self {
            case .text(_, let units): units
            case .values(_, let count): count
            case .binary, .embed, .format, .type, .document: 1
            }
        }

        var kind: ContentKind {
            switch self {
            case .text: .string
            case .values: .any
            case .binary: .binary
            case .embed: .embed
            case .format: .format
            case .type: .type
            case .document: .document
            }
        }

        /// The content as it lies in the arena; of a type nothing.
        var bytes: [UInt8] {
            var writer = ByteWriter()
            switch self {
            case .text(let bytes, _), .values(let bytes, _), .binary(let bytes): return bytes
            case .embed(let value):
                writer.payloadValue(value)
            case .format(let key, let value):
                writer.varBytes(Array(key.utf8))
                writer.payloadValue(value)
            case .type: break
            case .document(let guid, let options):
                writer.varBytes(Array(guid.utf8))
                writer.any(options)
            }
            return writer.bytes
        }
    }

    /// Takes a new block's content in; a type is made.
    mutating func store(_ content: NewContent) -> ArenaSlice {
        if case .text(let bytes, _) = content { return bytes.withUnsafeBufferPointer { arena.append($0) } }
        guard case .type(let kind, let name) = content else {
            return content.bytes.withUnsafeBufferPointer { arena.append($0) }
        }
        var type = TypeRecord(kind: kind)
        if kind.hasName { type.name = keys.intern(Array(name.utf8)) }
        return ArenaSlice(offset: makeType(type))
    }

    // MARK: From what the interface takes

    /// The content of one plain value.
    static func content(of value: Value) -> NewContent {
        var writer = ByteWriter()
        if case .bytes(let bytes) = value {
            writer.varBytes(bytes)
            return .binary(writer.bytes)
        }
        writer.any(value)
        return .values(writer.bytes, count: 1)
    }

    /// Runs of plain values become one block each; bytes and everything else stand alone, as in Yjs.
    static func contents(of contents: [Content]) -> [NewContent] {
        var out: [NewContent] = []
        var run = ByteWriter()
        var count = 0
        func flush() {
            guard count > 0 else { return }
            out.append(.values(run.bytes, count: count))
            (run, count) = (ByteWriter(), 0)
        }
        for content in contents {
            if case .value(let value) = content {
                if case .bytes = value {
                    flush()
                    out.append(Self.content(of: value))
                } else {
                    run.any(value)
                    count += 1
                }
                continue
            }
            flush()
            if let made = Self.content(ofTyped: content) { out.append(made) }
        }
        flush()
        return out
    }

    /// The content of a shared type or subdocument.
    private static func content(ofTyped content: Content) -> NewContent? {
        switch content {
        case .value: nil
        case .text: .type(.text)
        case .map: .type(.map)
        case .array: .type(.array)
        case .xmlFragment: .type(.xmlFragment)
        case .xmlElement(let name): .type(.xmlElement, name: name)
        case .xmlText: .type(.xmlText)
        case .xmlHook(let name): .type(.xmlHook, name: name)
        case .document(let document): .document(guid: document.guid, options: document.options)
        }
    }

    /// What is put into a text: a string is text, another plain value an embedded object.
    static func embedded(_ content: Content) throws(EditError) -> NewContent {
        switch content {
        case .value(.string(let text)):
            guard !text.isEmpty else { throw EditError(.outOfRange) }
            return .text(Array(text.utf8), units: text.utf16.count)
        case .value(let value): return .embed(value)
        case .document: throw EditError(.wrongType)
        default:
            guard let made = Self.content(ofTyped: content) else { throw EditError(.wrongType) }
            return made
        }
    }

    /// What an operation of a delta inserts; nothing for an empty text.
    static func contents(
        of insertion: DeltaOperation.Insertion, dropsNewline: Bool
    ) throws(EditError) -> [NewContent] {
        switch insertion {
        case .text(var text):
            if dropsNewline, text.utf8.last == 0x0A {
                text = String(decoding: text.utf8.dropLast(), as: UTF8.self)
            }
            return text.isEmpty ? [] : [.text(Array(text.utf8), units: text.utf16.count)]
        case .embed(let value): return [.embed(value)]
        case .type, .values: throw EditError(.wrongType)
        }
    }
}
