import CRDT
import SyncProtocol

/// The decoders of small formats. What they take must survive being written and read again.
enum OtherAttacks {
    /// Gives whether the input, which is no update, was taken.
    static func run(_ subject: Subject, _ input: [UInt8], _ target: UpdateTarget) throws(Complaint) -> Bool {
        switch subject {
        case .updateV1, .updateV2: return false
        case .awareness: return try check(input, awareness)
        case .snapshotV1, .snapshotV2:
            let isV2 = subject == .snapshotV2
            return try check(input) { (bytes) throws(UpdateError) in try snapshot(bytes, isV2: isV2) }
        case .stateVector:
            return try check(input) { (bytes) throws(UpdateError) in
                try StateVector(decoding: bytes).encoded()
            }
        case .relativePosition:
            let document = try target.document().document
            return try check(input) { (bytes) throws(UpdateError) in try position(bytes, document) }
        case .relativePositionJSON: return try positionJSON(input, try target.document().document)
        case .syncMessage: return try message(input)
        }
    }

    /// `rewrite` reads an input and writes what it read: that must be read again and written alike.
    private static func check(
        _ input: [UInt8], _ rewrite: ([UInt8]) throws(UpdateError) -> [UInt8]
    ) throws(Complaint) -> Bool {
        switch Result(catching: { () throws(UpdateError) in try rewrite(input) }) {
        case .failure(let error):
            try demand((0...input.count).contains(error.offset), "no offset of the input: \(error)")
            return false
        case .success(let written):
            let again = Result(catching: { () throws(UpdateError) in try rewrite(written) })
            try demand(again == .success(written), "written \(hexText(written)), then \(again)")
            return true
        }
    }

    private static func awareness(_ bytes: [UInt8]) throws(UpdateError) -> [UInt8] {
        let update = try AwarenessUpdate(decoding: bytes)
        var states = AwarenessStates()
        states.apply(update, atMs: 1)
        states.apply(update, atMs: 2)
        _ = states.encode(states.clients)
        for entry in update.entries { _ = AwarenessUpdate.rewritingUser(entry.json, id: "u", name: "n") }
        return update.encoded()
    }

    /// Written in both versions: one is read back by `check`, the other here.
    private static func snapshot(_ bytes: [UInt8], isV2: Bool) throws(UpdateError) -> [UInt8] {
        let snapshot = isV2 ? try Snapshot(decodingV2: bytes) : try Snapshot(decodingV1: bytes)
        let other =
            isV2
            ? try Snapshot(decodingV1: snapshot.encoded()) : try Snapshot(decodingV2: snapshot.encodedV2())
        return isV2 ? other.encodedV2() : other.encoded()
    }

    private static func position(_ bytes: [UInt8], _ document: Document) throws(UpdateError) -> [UInt8] {
        let position = try RelativePosition(decoding: bytes)
        _ = document.absolutePosition(of: position)
        return position.encoded()
    }

    private static func positionJSON(_ input: [UInt8], _ document: Document) throws(Complaint) -> Bool {
        guard let value = JSONParser.parse(String(decoding: input, as: UTF8.self), maxNesting: 100) else {
            return false
        }
        try demand(
            JSONParser.parse(value.json, maxNesting: 100).map(\.json) == value.json,
            "JSON written and read differs")
        let read = Result(catching: { () throws(UpdateError) in try RelativePosition(json: value) })
        guard case .success(let position) = read else { return false }
        _ = document.absolutePosition(of: position)
        let again = Result(catching: { () throws(UpdateError) in try RelativePosition(json: position.json) })
        try demand(again == .success(position), "position \(position.json.json) is read as \(again)")
        return true
    }

    // MARK: Messages

    private static func message(_ input: [UInt8]) throws(Complaint) -> Bool {
        let plain = try plainMessage(input[...])
        let named = Result(catching: { () throws(FrameError) in
            let frame = try NamedFrame(decoding: input[...])
            return (frame.name, try frame.content())
        })
        guard case .success((let name, let content)) = named else { return plain }
        guard case .message(let body) = content else { return true }
        let framed = Framing.named(name).encode(Array(body))
        let again = Result(catching: { () throws(FrameError) in try NamedFrame(decoding: framed[...]) })
        guard case .success(let frame) = again else { throw Complaint("a frame written is refused") }
        try demand(frame.name.utf8.elementsEqual(name.utf8), "a frame written has another name")
        return try plainMessage(body) || plain
    }

    private static func plainMessage(_ input: ArraySlice<UInt8>) throws(Complaint) -> Bool {
        let message: ClientMessage
        do throws(FrameError) { message = try ClientMessage(decoding: input) } catch {
            guard case .malformed(_, let offset) = error else { return false }
            try demand((0...input.count).contains(offset), "no offset of the message: \(error)")
            return false
        }
        let written: [UInt8]
        switch message {
        case .syncStep1(let vector): written = ServerFrame.syncStep1(stateVector: vector)
        case .syncStep2(let update): written = ServerFrame.syncStep2(update: update)
        case .update(let update): written = ServerFrame.update(update)
        case .awareness(let update): written = ServerFrame.awareness(update)
        case .stateless(let text): written = ServerFrame.stateless(text)
        case .queryAwareness, .unknown: return true
        }
        let again = Result(catching: { () throws(FrameError) in try ClientMessage(decoding: written[...]) })
        try demand(again == .success(message), "a message written is read as \(again)")
        return true
    }
}
