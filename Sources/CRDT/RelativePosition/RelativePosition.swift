/// Names a shared type for good, wherever it moves in lists: a root by its name, a nested type by the item
/// that holds it. Names are compared as bytes.
public enum SharedTypeID: Sendable, Hashable {
    /// A root type and its name.
    case root(String)
    /// A nested type and the id of the item whose content it is.
    case item(ID)

    /// Whether both name the same type. O(length of the names).
    public static func == (a: SharedTypeID, b: SharedTypeID) -> Bool {
        switch (a, b) {
        case (.root(let x), .root(let y)): x.utf8.elementsEqual(y.utf8)
        case (.item(let x), .item(let y)): x == y
        default: false
        }
    }

    /// Hashes what `==` compares.
    public func hash(into hasher: inout Hasher) {
        switch self {
        case .root(let name): for byte in name.utf8 { hasher.combine(byte) }
        case .item(let id): hasher.combine(id)
        }
    }
}

/// A position in a list that moves with the content around it (yjs `RelativePosition`): it names the unit it
/// stands at, or the type at whose end (`assoc >= 0`) or beginning it stands.
///
/// A value without references to a document. Made by `Document.relativePosition(in:at:assoc:)`, resolved by
/// `Document.absolutePosition(of:)`.
public struct RelativePosition: Sendable, Hashable {
    /// The type the position is in. The binary form leaves it out where there is an `item`.
    public let type: SharedTypeID?
    /// The unit the position stands before, or behind when `assoc < 0`.
    public let item: ID?
    /// Which neighbour the position stays with: the right one, or the left one when negative.
    public let assoc: Int

    /// A position at a unit of content.
    public init(item: ID, in type: SharedTypeID? = nil, assoc: Int = 0) {
        self.init(type: type, item: item, assoc: assoc)
    }

    /// The end of a type, or with `assoc < 0` its beginning.
    public init(type: SharedTypeID, assoc: Int = 0) { self.init(type: type, item: nil, assoc: assoc) }

    /// - Parameters: at least one of `type` and `item` is there.
    private init(type: SharedTypeID?, item: ID?, assoc: Int) {
        self.type = type
        self.item = item
        let most = Int(Limits.maxSafeInteger)
        self.assoc = min(max(assoc, -most), most)
    }
}

// MARK: - Binary form

extension RelativePosition {
    /// Decodes the bytes of yjs `encodeRelativePosition`; without an `assoc`, as old versions wrote them, it
    /// is 0. Refuses unknown tags, trailing bytes, names over `UpdateLimits.standard.maxKeyBytes` and, as
    /// for updates, clocks beyond the engine's. O(bytes).
    public init(decoding bytes: [UInt8]) throws(UpdateError) {
        self = try bytes.withUnsafeBufferPointer { buffer throws(UpdateError) in
            var reader = ByteReader(buffer)
            var type: SharedTypeID?
            var item: ID?
            switch try reader.varUint() {
            case 0: item = try Self.id(&reader)
            case 1: type = .root(try Self.name(&reader))
            case 2: type = .item(try Self.id(&reader))
            default: throw reader.error(.malformed, "unknown kind of relative position")
            }
            guard reader.remaining > 0 else { return RelativePosition(type: type, item: item, assoc: 0) }
            let (magnitude, negative) = try reader.varInt()
            try reader.expectEnd()
            let assoc = Int(magnitude)
            return RelativePosition(type: type, item: item, assoc: negative ? -assoc : assoc)
        }
    }

    private static func id(_ reader: inout ByteReader) throws(UpdateError) -> ID {
        let client = try reader.varUint()
        let clock = try reader.varUint()
        guard clock <= Limits.maxClock else { throw reader.error(.tooLarge, "clock \(clock)") }
        return ID(client: client, clock: clock)
    }

    private static func name(_ reader: inout ByteReader) throws(UpdateError) -> String {
        let (start, length, _) = try reader.string()
        guard length <= UpdateLimits.standard.maxKeyBytes else {
            throw reader.error(.tooLarge, "name of \(length) bytes")
        }
        return String(decoding: reader.slice(start, length), as: UTF8.self)
    }

    /// The bytes of yjs `encodeRelativePosition`: the item, else the type, then `assoc`.
    public func encoded() -> [UInt8] {
        var out = ByteWriter()
        if let item {
            out.byte(0)
            Self.write(item, to: &out)
        } else {
            switch type {
            case .root(let name):
                out.byte(1)
                out.string(name)
            case .item(let id):
                out.byte(2)
                Self.write(id, to: &out)
            case nil: break
            }
        }
        out.varInt(magnitude: UInt64(assoc.magnitude), negative: assoc < 0)
        return out.bytes
    }

    private static func write(_ id: ID, to out: inout ByteWriter) {
        out.varUint(id.client)
        out.varUint(id.clock)
    }
}

// MARK: - JSON form

extension RelativePosition {
    /// The object of yjs `relativePositionToJSON`: `type` or `tname`, `item`, `assoc`, those that are there
    /// in this order. As in Yjs an empty root name is left out.
    public var json: Value {
        var entries: [Value.Entry] = []
        switch type {
        case .item(let id): entries.append(Value.Entry("type", Self.json(id)))
        case .root(let name) where !name.isEmpty: entries.append(Value.Entry("tname", .string(name)))
        case .root, nil: break
        }
        if let item { entries.append(Value.Entry("item", Self.json(item))) }
        entries.append(Value.Entry("assoc", .integer(assoc)))
        return .object(entries)
    }

    private static func json(_ id: ID) -> Value {
        ["client": .number(Double(id.client)), "clock": .number(Double(id.clock))]
    }

    /// Reads the object of yjs `relativePositionToJSON` (yjs `createRelativePositionFromJSON`); members that
    /// are null count as absent. Refuses what names neither a type nor an item (Yjs fails when it resolves
    /// that) and what the binary form could not hold.
    public init(json value: Value) throws(UpdateError) {
        guard case .object = value else { throw Self.refused(.malformed, "no object") }
        var type = try Self.id(value["type"]).map(SharedTypeID.item)
        switch value["tname"] {
        case nil, .undefined, .null: break
        case .string(let name):
            guard name.utf8.count <= UpdateLimits.standard.maxKeyBytes else {
                throw Self.refused(.tooLarge, "name of \(name.utf8.count) bytes")
            }
            // Where both are there Yjs takes the name.
            if !name.isEmpty { type = .root(name) }
        default: throw Self.refused(.malformed, "tname is no string")
        }
        let item = try Self.id(value["item"])
        guard type != nil || item != nil else { throw Self.refused(.malformed, "neither type nor item") }
        var assoc = 0
        switch value["assoc"] {
        case nil, .undefined, .null: break
        case .some(let given):
            guard let number = given.integer, number.magnitude <= Limits.maxSafeInteger else {
                throw Self.refused(.malformed, "assoc is no integer")
            }
            assoc = number
        }
        self.init(type: type, item: item, assoc: assoc)
    }

    private static func id(_ value: Value?) throws(UpdateError) -> ID? {
        switch value {
        case nil, .undefined, .null: return nil
        case .some(let value):
            guard let client = value["client"]?.integer, let clock = value["clock"]?.integer, client >= 0,
                clock >= 0, UInt64(client) <= Limits.maxSafeInteger
            else { throw refused(.malformed, "no id") }
            guard UInt64(clock) <= Limits.maxClock else { throw refused(.tooLarge, "clock \(clock)") }
            return ID(client: ClientID(client), clock: UInt64(clock))
        }
    }

    private static func refused(_ code: UpdateError.Code, _ message: String) -> UpdateError {
        UpdateError(code: code, offset: 0, message: "relative position: " + message)
    }
}
