import CRDT
import DecoderFuzzing

/// Steps without a document: functions on updates, and lib0's primitives inside the formats that use them.
extension FixtureWorld {
    func bytesStep(_ name: String, _ arguments: Arguments) throws -> Value? {
        if let result = try updateStep(name, arguments) { return result }
        if let result = try primitiveStep(name, arguments) { return result }
        switch name {
        case "contains":
            let snapshot = try Snapshot(decodingV1: try bytes(arguments[0]))
            return .bool(snapshot.contains(try Update(decodingV1: try bytes(arguments[1]))))
        case "snapshotToV2":
            let snapshot = try Snapshot(decodingV1: try bytes(arguments[0]))
            guard try Snapshot(decodingV2: snapshot.encodedV2()) == snapshot else {
                throw FixtureError("a snapshot read back differs")
            }
            return keep(snapshot.encodedV2(), arguments[1])
        case "positionOfJSON":
            return keep(try RelativePosition(json: arguments[0]).encoded(), arguments[1])
        case "columns":
            guard let update = UpdateColumns(try bytes(arguments[0])) else {
                throw FixtureError("no columns")
            }
            let names = [
                "keyClock", "client", "leftClock", "rightClock", "info", "string", "parentInfo", "typeRef",
                "len",
            ]
            let columns = zip(names, update.columns).map { Value.Entry($0, .string(hex($1))) }
            return .object(columns + [Value.Entry("rest", .string(hex(update.rest)))])
        case "refuse": return try refusal(arguments)
        default: return nil
        }
    }

    private func updateStep(_ name: String, _ arguments: Arguments) throws -> Value? {
        let isV2 = name.hasSuffix("V2") && name != "toV2"
        func update(_ value: Value) throws -> Update {
            isV2 || name == "toV1"
                ? try Update(decodingV2: try bytes(value)) : try Update(decodingV1: try bytes(value))
        }
        func written(_ update: Update, _ label: Value) -> Value {
            keep(isV2 ? update.encodedV2() : update.bytes, label)
        }
        switch name {
        case "merge", "mergeV2":
            return written(Update.merge(try (arguments[0].array ?? []).map(update)), arguments[1])
        case "diffUpdate", "diffUpdateV2":
            let vector = try StateVector(decoding: try bytes(arguments[1]))
            return written(try update(arguments[0]).difference(since: vector), arguments[2])
        case "vectorOf", "vectorOfV2":
            return keep(try update(arguments[0]).stateVector.encoded(), arguments[1])
        case "meta", "metaV2":
            let meta = try update(arguments[0]).meta.sorted { $0.client < $1.client }
            func clocks(_ clock: (Update.ClientRange) -> UInt64) -> Value {
                .array(meta.map { [.integer(Int($0.client)), .integer(Int(clock($0)))] })
            }
            return ["from": clocks(\.from), "to": clocks(\.to)]
        case "toV2": return keep(try update(arguments[0]).encodedV2(), arguments[1])
        case "toV1": return keep(try update(arguments[0]).withoutSubFlags().bytes, arguments[1])
        default: return nil
        }
    }

    // MARK: Primitives

    /// Numbers are clients of state vectors and `assoc` of positions, strings root names, values elements.
    private func primitiveStep(_ name: String, _ arguments: Arguments) throws -> Value? {
        let argument = arguments[0]
        switch name {
        case "varUint":
            let vector = StateVector([ClientID(try arguments.integer(0)): 1]).encoded()
            return .string(hex(Array(vector.dropFirst().dropLast())))
        case "readVarUint":
            let vector = try StateVector(decoding: [1] + (try bytes(argument)) + [1])
            return vector.clients.first.map { .integer(Int($0.key)) }
        case "varInt":
            // A position has no -0.
            if FixtureValues.read(argument) == .number(-0.0), argument["$"] != nil { return .string("40") }
            let position = RelativePosition(type: .root(""), assoc: try arguments.integer(0))
            return .string(hex(Array(position.encoded().dropFirst(2))))
        case "readVarInt":
            let input = try bytes(argument)
            let assoc = try RelativePosition(decoding: [1, 0] + input).assoc
            let isNegativeZero = assoc == 0 && input[0] & 0x40 != 0
            return isNegativeZero ? ["$": "number", "is": "-0"] : .integer(assoc)
        case "varString":
            let position = RelativePosition(type: .root(try arguments.string(0)))
            return .string(hex(Array(position.encoded().dropFirst().dropLast())))
        case "readVarString":
            guard case .root(let text) = try RelativePosition(decoding: [1] + (try bytes(argument))).type
            else {
                return nil
            }
            return .string(text)
        case "any": return .string(hex(try any(FixtureValues.read(argument))))
        case "readAny":
            let document = Document(clientID: 1)
            try document.applyUpdate(Self.anyHead + (try bytes(argument)) + [0])
            return FixtureValues.written(document.array("a").first ?? .undefined)
        default: return nil
        }
    }

    /// An update with one element of an array, up to the element.
    private static let anyHead = CRDTTests.bytes("0101010008010161" + "01")

    /// A value in an array in an array, as bytes would not stand in an array's run of values.
    private func any(_ value: Value) throws -> [UInt8] {
        let document = Document(clientID: 1)
        let array = try document.getArray("a")
        try document.transact { try array.insert(values: [.array([value])], at: 0) }
        let update = document.encodeStateAsUpdate()
        guard update.starts(with: Self.anyHead + [117, 1]) else {
            throw FixtureError("not where it should be")
        }
        return Array(update.dropFirst(Self.anyHead.count + 2).dropLast())
    }

    // MARK: Refusals

    /// Demands an error with the code, and gives what is recorded of Yjs, which is only information.
    private func refusal(_ arguments: Arguments) throws -> Value? {
        let input = try bytes(arguments[1])
        let code = try arguments.string(2)
        do throws(UpdateError) {
            switch arguments[0].string {
            case "updateV1": _ = try Update(decodingV1: input)
            case "updateV2": _ = try Update(decodingV2: input)
            case "stateVector": _ = try StateVector(decoding: input)
            case "snapshotV1": _ = try Snapshot(decodingV1: input)
            case "snapshotV2": _ = try Snapshot(decodingV2: input)
            case "position": _ = try RelativePosition(decoding: input)
            default: _ = try AwarenessUpdate(decoding: input)
            }
        } catch {
            guard error.code.rawValue == code, (0...input.count).contains(error.offset) else {
                throw FixtureError("refused as \(error), not as \(code)")
            }
            return .undefined
        }
        throw FixtureError("taken")
    }
}
