import Gateway
import Rooms
import SyncServer

/// The setting `sync-limits`: `NAME=NUMBER,…`, each of which replaces a default.
struct SyncLimitSettings {
    var rooms = RoomLimits.standard
    var sockets = SocketLimits.standard
    var roomsPerUser = GatewayLimits.roomsPerUser
    /// Open rooms on disk, and after how many hours without a change one is removed.
    var openRooms = 100_000
    var openRoomHours = 24 * 90

    /// What can be set, and how. A burst follows its rate: the same proportion as by default.
    private static let fields: [String: @Sendable (inout SyncLimitSettings, Int) -> Void] = [
        "message_bytes": { $0.sockets.messageBytes = $1 },
        "update_bytes": { $0.rooms.updateBytes = $1 },
        "document_bytes": { $0.rooms.documentBytes = $1 },
        "open_document_bytes": { $0.rooms.openDocumentBytes = $1 },
        "room_log_bytes": { $0.rooms.logBytes = $1 },
        "chat_lines": { $0.rooms.chatHistory = $1 },
        "room_sockets": { $0.rooms.subscribers = $1 },
        "awareness_bytes": { $0.rooms.awarenessBytes = $1 },
        "awareness_clients": { $0.rooms.awarenessClients = $1 },
        "socket_messages_per_s": { $0.sockets.socketMessages.scale(to: $1) },
        "socket_bytes_per_s": { $0.sockets.socketBytes.scale(to: $1) },
        "user_messages_per_s": { $0.sockets.userMessages.scale(to: $1) },
        "user_bytes_per_s": { $0.sockets.userBytes.scale(to: $1) },
        "user_work_per_s": { $0.sockets.userWork.scale(to: $1) },
        "sockets_per_user": { $0.sockets.socketsPerUser = $1 },
        "sockets_per_address": { $0.sockets.socketsPerAddress = $1 },
        "documents_per_socket": { $0.sockets.documentsPerSocket = $1 },
        "admission_frames": { $0.sockets.admissionFrames = $1 },
        "admission_bytes": { $0.sockets.admissionBytes = $1 },
        "admission_s": { $0.sockets.admissionSeconds = $1 },
        "rooms_per_user": { $0.roomsPerUser = $1 },
        "open_rooms": { $0.openRooms = $1 },
        "open_room_hours": { $0.openRoomHours = $1 },
    ]

    private static let numbers = 1...(1 << 40)

    init(_ entries: [String]) throws {
        for entry in entries {
            let parts = entry.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let set = Self.fields[parts[0]] else {
                let known = Self.fields.keys.sorted().joined(separator: ", ")
                throw SettingsError("sync-limits: \"\(entry)\" is not NAME=NUMBER; names: \(known)")
            }
            guard let number = Int(parts[1]), Self.numbers.contains(number) else {
                throw SettingsError(
                    "sync-limits: \"\(entry)\" is not NAME=NUMBER with a number from 1 to \(Self.numbers.upperBound)"
                )
            }
            set(&self, number)
        }
        // An update has to fit into a message, with the few bytes that its frame adds.
        sockets.messageBytes = max(sockets.messageBytes, rooms.updateBytes + Self.frameBytes)
    }

    private static let frameBytes = 64
}

extension Rate {
    /// Another rate with a burst in proportion.
    fileprivate mutating func scale(to perSecond: Int) {
        burst *= Double(perSecond) / self.perSecond
        self.perSecond = Double(perSecond)
    }
}
