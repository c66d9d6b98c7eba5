import Rooms
import SyncServer

extension Metric {
    package static let syncMessages = Metric(
        "coduel_ws_messages_total", .counter,
        "Messages on sync sockets by type; of those to many, one for each who is addressed.",
        labels: ["direction", "type"])
    package static let syncBytesReceived = Metric(
        "coduel_ws_received_bytes_total", .counter, "Bytes of messages received on sync sockets.")
    package static let syncBytesSent = Metric(
        "coduel_ws_sent_bytes_total", .counter, "Bytes of frames written to WebSockets.")
    package static let slowReceivers = Metric(
        "coduel_ws_slow_receivers", .gauge, "Documents of sockets that are sent nothing until they drain.")
    package static let overLimit = Metric(
        "coduel_sync_over_limit_total", .counter, "Times a limit of the sync sockets was met.",
        labels: ["limit"])
    package static let syncRefusals = Metric(
        "coduel_sync_refusals_total", .counter, "Refused writes and closed doors, by code.", labels: ["code"])
    package static let updates = Metric(
        "coduel_room_updates_total", .counter, "Updates that are on disk.")
    package static let updateBytes = Metric(
        "coduel_room_update_bytes_total", .counter, "Bytes of log records that are on disk.")
    package static let updateSizes = Metric(
        "coduel_crdt_update_bytes", .histogram, "Sizes of updates that are on disk.", buckets: sizes)
    package static let pendingBytes = Metric(
        "coduel_room_pending_bytes", .gauge, "Bytes accepted and not on disk yet.")
    package static let commitDuration = Metric(
        "coduel_log_commit_seconds", .histogram, "From handing a batch to the log until it was on disk.")
    package static let applyDuration = Metric(
        "coduel_crdt_apply_seconds", .histogram, "Applying a committed batch and telling everyone.")
    package static let readerLag = Metric(
        "coduel_reader_lag_seconds", .histogram,
        "From a commit until a reader's event loop came to telling it; a sample a second and room.")
}

extension Metrics {
    /// Registers everything the sync sockets and rooms count.
    package func register(_ directory: RoomDirectory) {
        registerRooms(directory)
        let statistics = directory.registry.statistics
        for kind in SyncMessageKind.allCases {
            gauge(.syncMessages, labels: ["received", kind.name]) {
                Double(statistics.received.value(kind))
            }
            gauge(.syncMessages, labels: ["sent", kind.name]) { Double(statistics.sent.value(kind)) }
        }
        gauge(.syncBytesReceived) { Double(statistics.bytesReceived.value) }
        gauge(.syncBytesSent) { Double(directory.loops.sentBytes) }
        gauge(.slowReceivers) { Double(statistics.slowReceivers.value) }
        gauge(.updates) { Double(statistics.updates.value) }
        gauge(.updateBytes) { Double(statistics.updateBytes.value) }
        gauge(.pendingBytes) { Double(statistics.pendingBytes.value) }
        for limit in OverLimit.allCases {
            gauge(.overLimit, labels: [limit.rawValue]) { Double(statistics.times(over: limit)) }
        }
        for code in SyncStatistics.refusalCodes {
            gauge(.syncRefusals, labels: [code]) { Double(statistics.times(refused: code)) }
        }
        histogram(.commitDuration) { statistics.commits.snapshot }
        histogram(.updateSizes) { statistics.updateSizes.snapshot }
        histogram(.applyDuration) { statistics.applications.snapshot }
        histogram(.readerLag) { statistics.readerLag.snapshot }
    }

    private func registerRooms(_ directory: RoomDirectory) {
        gauge(.webSocketConnections) { Double(directory.loops.openSockets) }
        for kind in RoomKind.allCases {
            gauge(.rooms, labels: [kind.rawValue]) { Double(directory.loadedRooms(of: kind)) }
        }
        for status in RoomStatus.allCases {
            gauge(.roomStatus, labels: [status.rawValue]) { Double(directory.rooms(status)) }
        }
    }
}
