import SyncServer

extension Metric {
    package static let syncMessages = Metric(
        "coduel_ws_messages_received_total", .counter, "Messages received on sync sockets.")
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
    package static let pendingBytes = Metric(
        "coduel_room_pending_bytes", .gauge, "Bytes accepted and not on disk yet.")
    package static let commitDuration = Metric(
        "coduel_log_commit_seconds", .histogram, "From handing a batch to the log until it was on disk.")
    package static let applyDuration = Metric(
        "coduel_room_apply_seconds", .histogram, "Applying a committed batch and telling everyone.")
    package static let readerLag = Metric(
        "coduel_reader_lag_seconds", .histogram,
        "From a commit until a reader's event loop came to telling it; a sample a second and room.")
}

extension Metrics {
    /// Registers everything the sync sockets and rooms count.
    package func register(_ directory: RoomDirectory) {
        let statistics = directory.registry.statistics
        gauge(.syncMessages) { Double(statistics.messagesReceived.value) }
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
        histogram(.applyDuration) { statistics.applications.snapshot }
        histogram(.readerLag) { statistics.readerLag.snapshot }
    }
}
