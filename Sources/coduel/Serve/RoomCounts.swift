import Gateway
import SyncServer

/// Room events as an operator's counters.
enum RoomCounts {
    static func count(_ event: RoomEvent, in metrics: Metrics) {
        switch event {
        case .recordsLost(let count, let fromDocuments):
            metrics.add(
                .lostRecords, Double(count), labels: [fromDocuments ? "changed" : "whole"])
        case .snapshotsLost(let count): metrics.add(.lostSnapshots, Double(count))
        case .loadFailed: metrics.add(.roomFailures, labels: ["load"])
        case .logFailed: metrics.add(.roomFailures, labels: ["write"])
        case .readOnly(let isReadOnly): if isReadOnly { metrics.add(.readOnlyTurns) }
        }
    }
}
