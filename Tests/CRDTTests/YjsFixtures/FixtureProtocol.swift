import CRDT
import SyncProtocol

/// Messages: what the server writes must be what the protocols' own code writes, and what clients write must be
/// read.
extension FixtureWorld {
    func protocolStep(_ name: String, _ arguments: Arguments, _ expected: Value?) throws -> Value? {
        if name.hasPrefix("frame") { return try frameStep(name, arguments, expected) }
        if name.hasPrefix("named") { return try namedStep(name, arguments, expected) }
        guard name.hasPrefix("awareness"), name != "awareness" else { return nil }
        let holder = try arguments.string(0)
        guard var its = awareness[holder] else { throw FixtureError("no awareness \(holder)") }
        defer { awareness[holder] = its }
        switch name {
        case "awarenessSet":
            // The server has no state of its own: it reads what a client writes.
            let update = try AwarenessUpdate(decoding: try bytes(expected ?? .undefined))
            guard update.entries.map(\.client) == [its.client],
                JSONParser.parse(update.entries[0].json)?.sortedJSON == arguments[1].sortedJSON
            else { throw FixtureError("another state was read") }
            its.states.apply(update, atMs: 0)
            return keep(update.encoded(), arguments[2])
        case "awarenessApply":
            let change = its.states.apply(try AwarenessUpdate(decoding: try bytes(arguments[1])), atMs: 0)
            func list(_ clients: [ClientID]) -> Value { .array(clients.map { .integer(Int($0)) }) }
            return [
                "added": list(change.added), "updated": list(change.updated), "removed": list(change.removed),
            ]
        case "awarenessEncode":
            let clients = (arguments[1].array ?? []).compactMap { $0.integer.map { ClientID($0) } }
            return keep(its.states.encode(clients), arguments[2])
        case "awarenessStates":
            return .array(
                its.states.clients.map { client in
                    let state = its.states.json(of: client).flatMap { JSONParser.parse($0) } ?? .undefined
                    return [.integer(Int(client)), state]
                })
        default: return nil
        }
    }

    private func frameStep(_ name: String, _ arguments: Arguments, _ expected: Value?) throws -> Value? {
        let frame: [UInt8]
        let message: ClientMessage
        var label = arguments[1]
        switch name {
        case "frameStep1":
            let vector = try replica(arguments).document.encodeStateVector()
            (frame, message) = (ServerFrame.syncStep1(stateVector: vector), .syncStep1(vector))
        case "frameStep2":
            let vector = try StateVector(decoding: try bytes(arguments[1]))
            let update = try replica(arguments).document.encodeStateAsUpdate(since: vector)
            (frame, message) = (ServerFrame.syncStep2(update: update), .syncStep2(update))
            label = arguments[2]
        case "frameUpdate":
            let update = try bytes(arguments[0])
            (frame, message) = (ServerFrame.update(update), .update(update))
        case "frameAwareness":
            let update = try bytes(arguments[0])
            (frame, message) = (ServerFrame.awareness(update), .awareness(update))
        case "frameDenied":
            // Only servers say it.
            return keep(ServerFrame.permissionDenied(reason: try arguments.string(0)), label)
        case "frameQueryAwareness":
            // Only clients say it.
            (frame, message) = (try bytes(expected ?? .undefined), .queryAwareness)
            label = arguments[0]
        default: return nil
        }
        guard try ClientMessage(decoding: frame[...]) == message else {
            throw FixtureError("read as another")
        }
        return keep(frame, label)
    }

    private func namedStep(_ name: String, _ arguments: Arguments, _ expected: Value?) throws -> Value? {
        let framing = Framing.named(try arguments.string(0))
        switch name {
        case "named":
            let body = try bytes(arguments[1])
            let frame = framing.encode(body)
            let read = try NamedFrame(decoding: frame[...])
            guard read.name == arguments[0].string, try read.content() == .message(body[...]) else {
                throw FixtureError("read as another")
            }
            return keep(frame, arguments[2])
        case "namedToken", "namedClose":
            let frame = try bytes(expected ?? .undefined)
            let content = try NamedFrame(decoding: frame[...]).content()
            guard content == (name == "namedClose" ? .close : .token(try arguments.string(1))) else {
                throw FixtureError("read as another")
            }
            return keep(
                name == "namedClose"
                    ? framing.encode(ServerFrame.close(reason: try arguments.string(1))) : frame, arguments[2]
            )
        case "namedDenied":
            return keep(
                framing.encode(ServerFrame.permissionDenied(reason: try arguments.string(1))), arguments[2])
        case "namedAuthenticated":
            return keep(
                framing.encode(ServerFrame.authenticated(mayWrite: arguments[1] == true)), arguments[2])
        case "namedStateless":
            return keep(framing.encode(ServerFrame.stateless(try arguments.string(1))), arguments[2])
        case "namedSyncStatus":
            return keep(framing.encode(ServerFrame.syncStatus(isSaved: arguments[1] == true)), arguments[2])
        default: return nil
        }
    }
}
