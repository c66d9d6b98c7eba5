import CRDT
import Rooms
import SyncProtocol
import TestSupport

/// A Yjs client behind one socket: a document of its own that applies what it hears.
final class Client {
    let document: Document
    let host: Host
    let caller: RoomCaller
    let name: String
    private(set) var socket: SubscriberID

    /// Opens a socket and exchanges steps 1 and 2, as stock providers do.
    init(_ host: Host, _ caller: RoomCaller, _ name: String, clientID: ClientID, syncs: Bool = true) throws {
        self.host = host
        self.caller = caller
        self.name = name
        document = Document(clientID: clientID)
        socket = try host.open(caller, name)
        if syncs { sync() }
    }

    func sync() {
        host.send(.step1(document.stateVector), from: socket)
        take()
    }

    /// A new socket for the same document, after the old one is gone.
    func reconnect() throws {
        socket = try host.open(caller, name)
        sync()
    }

    /// Applies everything heard since the last call, and answers a step 1.
    func take() {
        for message in host.takeInbox(of: socket) {
            if let update = message.update { try? document.applyUpdate(update) }
            if case .step1(let vector) = message,
                let update = try? Update(decodingV1: document.encodeStateAsUpdate(since: vector))
            {
                host.send(.update(update, isStep2: true), from: socket)
            }
        }
    }

    /// The path of a file's text.
    func file(_ name: String = "main.py") -> SharedPath { SharedPath("files").key(name) }

    func text(_ name: String = "main.py") -> String { document.textInMap("files", name) ?? "" }

    /// Makes a local edit; gives its update without sending it.
    func edit(_ body: (PathEdits) throws(EditError) -> Void) throws -> [UInt8] {
        try document.edit(body) ?? [0, 0]
    }

    func type(_ text: String, at position: Int = 0, in name: String = "main.py") throws {
        let path = file(name)
        let update = try edit { transaction throws(EditError) in
            try transaction.insertText(text, at: position, in: path)
        }
        try host.send(update, from: socket)
    }

    func delete(at position: Int, _ length: Int, in name: String = "main.py") throws {
        let path = file(name)
        let update = try edit { transaction throws(EditError) in
            try transaction.delete(at: position, length: length, in: path)
        }
        try host.send(update, from: socket)
    }

    /// A random insertion or deletion in the file, sent.
    func scribble(_ random: inout SplitMix64) throws {
        take()
        let length = document.length(at: file()) ?? 0
        if length > 3, random.chance(35) {
            let at = random.below(length - 1)
            try delete(at: at, 1 + random.below(min(8, length - at)))
        } else {
            let words = ["x", "print(", "é", "for i in range(n):\n", "😀", "0", "    "]
            try type(words[random.below(words.count)], at: random.below(length + 1))
        }
    }
}
