import CRDT
import Foundation
import Rooms
import SyncProtocol
import TestSupport
import Testing

extension SplitMix64 {
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}

extension RoomCaller {
    static func user(_ name: String) -> RoomCaller {
        RoomCaller(userID: name, handle: name.capitalized, sessionID: "session-\(name)")
    }

    static func moderator(_ name: String) -> RoomCaller {
        RoomCaller(
            userID: name, handle: name.capitalized, sessionID: "session-\(name)", isModerator: true)
    }
}

extension RoomSpecification {
    static let createdAtMs: Int64 = 1_700_000_000_000

    static func pair(
        _ visibility: RoomVisibility = .private, members: [String] = ["ann", "bob"], problem: String? = "sum"
    ) -> RoomSpecification {
        RoomSpecification(
            id: "pair-1", kind: .pair, visibility: visibility, ownerID: members.first ?? "",
            problemID: problem,
            language: "python",
            participants: members.map { .init(userID: $0, handle: $0, language: "python") },
            createdAtMs: createdAtMs)
    }

    static func battle(
        _ visibility: RoomVisibility = .public, delay: SpectatorDelay = .seconds(15)
    ) -> RoomSpecification {
        RoomSpecification(
            id: "battle-1", kind: .battle, visibility: visibility, ownerID: "", problemID: "sum",
            language: "python",
            participants: ["ann", "bob"].map { .init(userID: $0, handle: $0, language: "python") },
            spectatorDelay: delay, createdAtMs: createdAtMs)
    }

    static let open = RoomSpecification(
        id: "open/x", kind: .open, visibility: .public, ownerID: "", language: "python", participants: [],
        createdAtMs: 0)
}

/// What a frame from the server says.
enum Heard {
    case step1(StateVector)
    case step2([UInt8])
    case update([UInt8])
    case presence(AwarenessUpdate)
    case denied(String)
    case message(Value)
    case other

    init(_ frame: [UInt8]) {
        if frame.starts(with: [2, 0]), frame.count > 3 {
            // A reason is shorter than 128 bytes.
            self = .denied(String(decoding: frame[3...], as: UTF8.self))
            return
        }
        guard let message = try? ClientMessage(decoding: frame[...]) else {
            self = .other
            return
        }
        switch message {
        case .syncStep1(let bytes): self = (try? StateVector(decoding: bytes)).map(Heard.step1) ?? .other
        case .syncStep2(let bytes): self = .step2(bytes)
        case .update(let bytes): self = .update(bytes)
        case .awareness(let bytes):
            self = (try? AwarenessUpdate(decoding: bytes)).map(Heard.presence) ?? .other
        case .stateless(let json): self = JSONParser.parse(json).map(Heard.message) ?? .other
        case .queryAwareness, .unknown: self = .other
        }
    }

    var update: [UInt8]? {
        switch self {
        case .step2(let bytes), .update(let bytes): bytes
        default: nil
        }
    }

    var denial: String? {
        if case .denied(let reason) = self { return reason }
        return nil
    }

    var message: Value? {
        if case .message(let value) = self { return value }
        return nil
    }

    var presence: AwarenessUpdate? {
        if case .presence(let update) = self { return update }
        return nil
    }
}

/// The room log, kept in memory.
struct MemoryLog {
    var records: [LogRecord] = []
    var snapshot: RoomSnapshot?

    func history(of specification: RoomSpecification, atMs: Int64) -> RoomHistory {
        let from = snapshot?.sequence ?? 0
        let delayed = Set(Room.delayedDocuments(of: specification))
        let before = records.filter { $0.sequence <= from }
        return RoomHistory(
            snapshot: snapshot, tail: records.filter { $0.sequence > from },
            story: before.filter { $0.kind != .update },
            delayed: before.filter { $0.kind == .update && delayed.contains($0.document) },
            notes: records.filter { $0.note != nil && $0.committedAtMs >= atMs - Rooms.Limits.nonceMs })
    }

    /// The document as the records say that pass the test.
    func document(_ name: String, where isIncluded: (LogRecord) -> Bool = { _ in true }) -> Document {
        let document = Document(clientID: 9)
        for record in records where record.kind == .update && record.document == name && isIncluded(record) {
            try? document.applyUpdate(record.payload)
        }
        return document
    }
}

extension RoomPorts {
    /// No limits beyond the room's own; one language.
    static let test = RoomPorts(fileNames: ["python": "main.py"]) { _, _ in nil }
}
