import CRDT

extension Campaign {
    /// What the engine makes of an update, for comparing with Yjs: the input with its document and either the
    /// refusal or the states that came of it. nil when the input of that index is no update.
    package mutating func verdict(_ index: UInt64) -> Value? {
        let (entry, target) = made(index)
        guard entry.subject == .updateV1 || entry.subject == .updateV2 else { return nil }
        var members: [Value.Entry] = [
            Value.Entry("index", .integer(Int(index))), Value.Entry("v2", .bool(entry.subject == .updateV2)),
            Value.Entry("gc", .bool(target.collectsGarbage)),
            Value.Entry("state", .string(hexText(target.state))),
            Value.Entry("input", .string(hexText(entry.input))),
        ]
        do throws(UpdateError) {
            let document = Document(clientID: 99, gc: target.collectsGarbage)
            if !target.state.isEmpty { try document.applyUpdate(target.state) }
            let update =
                try entry.subject == .updateV2
                ? Update(decodingV2: entry.input) : Update(decodingV1: entry.input)
            document.apply(update)
            let after = document.encodeStateAsUpdate()
            let copy = Document(clientID: 98, gc: target.collectsGarbage)
            try copy.applyUpdate(after)
            members += [
                Value.Entry("after", .string(hexText(after))),
                Value.Entry("after_v2", .string(hexText(document.encodeStateAsUpdateV2()))),
                Value.Entry("vector", .string(hexText(document.encodeStateVector()))),
                Value.Entry("pending", .bool(document.hasPending)),
                Value.Entry("copy", .string(hexText(copy.encodeStateAsUpdate()))),
                Value.Entry("v1", .string(hexText(update.withoutSubFlags().bytes))),
                Value.Entry("v2_form", .string(hexText(update.encodedV2()))),
            ]
        } catch {
            members.append(Value.Entry("refused", .string(error.description)))
        }
        return .object(members)
    }
}
