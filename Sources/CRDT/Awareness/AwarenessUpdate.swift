/// A message of the awareness protocol (y-protocols `awareness.js`): states of clients, each with its clock.
public struct AwarenessUpdate: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        public var client: ClientID
        public var clock: UInt64
        /// The state as JSON; `null` when the client is gone.
        public var json: String

        public init(client: ClientID, clock: UInt64, json: String) {
            self.client = client
            self.clock = clock
            self.json = json
        }

        public var isRemoval: Bool { json.utf8.elementsEqual("null".utf8) }
    }

    public var entries: [Entry]

    public init(entries: [Entry]) { self.entries = entries }

    /// Decodes `varUint n, (varUint client, varUint clock, varString JSON)*`. Refuses more than `maxEntries`
    /// entries, states over `maxStateBytes` or nested too deeply, what is no JSON, and trailing bytes.
    public init(
        decoding bytes: [UInt8], maxEntries: Int = 1000, maxStateBytes: Int = 16 << 10
    ) throws(UpdateError) {
        guard bytes.count <= Limits.maxAwarenessBytes else {
            throw UpdateError(code: .tooLarge, offset: 0, message: "awareness of \(bytes.count) bytes")
        }
        let stateCap = min(maxStateBytes, Limits.maxAwarenessStateBytes)
        let entryCap = min(maxEntries, Limits.maxAwarenessEntries)
        entries = try bytes.withUnsafeBufferPointer { buffer throws(UpdateError) in
            var reader = ByteReader(buffer)
            let count = try reader.varUint()
            guard count <= UInt64(entryCap) else {
                throw reader.error(.tooLarge, "\(count) awareness states")
            }
            var entries: [Entry] = []
            for _ in 0..<count {
                let client = try reader.varUint()
                let clock = try reader.varUint()
                let (start, length, _) = try reader.string()
                guard length <= stateCap else { throw reader.error(.tooLarge, "state of \(length) bytes") }
                let text = Array(reader.slice(start, length))
                guard JSONParser.parse(utf8: text, maxNesting: Limits.maxAwarenessNesting) != nil else {
                    throw reader.error(.malformed, "state is not JSON, or nested too deeply")
                }
                entries.append(
                    Entry(client: client, clock: clock, json: String(decoding: text, as: UTF8.self)))
            }
            try reader.expectEnd()
            return entries
        }
    }

    /// The encoding of y-protocols.
    public func encoded() -> [UInt8] {
        var out = ByteWriter()
        out.varUint(UInt64(entries.count))
        for entry in entries {
            out.varUint(entry.client)
            out.varUint(entry.clock)
            out.string(entry.json)
        }
        return out.bytes
    }

    /// A state with `user.id` and `user.name` set, other members kept; `null` stays null. Nil when `json` is
    /// neither null nor an object.
    public static func rewritingUser(_ json: String, id: String, name: String) -> String? {
        guard
            let state = JSONParser.parse(
                json, maxNesting: Limits.maxAwarenessNesting, maxBytes: Limits.maxAwarenessStateBytes)
        else { return nil }
        if state == .null { return "null" }
        guard case .object(var members) = state else { return nil }
        var user: [Value.Entry] = []
        if case .object(let old)? = state["user"] { user = old.filter { $0.key != "id" && $0.key != "name" } }
        user += [Value.Entry("id", .string(id)), Value.Entry("name", .string(name))]
        if let place = members.firstIndex(where: { $0.key == "user" }) {
            members[place].value = .object(user)
        } else {
            members.append(Value.Entry("user", .object(user)))
        }
        return Value.object(members).json
    }
}
