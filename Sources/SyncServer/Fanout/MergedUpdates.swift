import CRDT
import SyncProtocol

/// Several updates of one flush as one, for those who only read. Writers get theirs as they sent them: that is how
/// they know that they are saved.
enum MergedUpdates {
    /// The messages with runs of updates merged. What cannot be merged, or does not become smaller, stays.
    static func merge(_ messages: [[UInt8]]) -> [[UInt8]] {
        guard messages.count > 1 else { return messages }
        var merged: [[UInt8]] = []
        var run: [[UInt8]] = []
        func finish() {
            merged += one(run)
            run.removeAll()
        }
        for message in messages {
            if ServerFrame.updateBytes(of: message) == nil {
                finish()
                merged.append(message)
            } else {
                run.append(message)
            }
        }
        finish()
        return merged
    }

    private static func one(_ messages: [[UInt8]]) -> [[UInt8]] {
        let bytes = messages.reduce(0) { $0 + $1.count }
        guard messages.count > 1, bytes <= Limits.mergedBytes else { return messages }
        var updates: [Update] = []
        for message in messages {
            guard let payload = ServerFrame.updateBytes(of: message),
                let update = try? Update(decodingV1: Array(payload))
            else { return messages }
            updates.append(update)
        }
        return [ServerFrame.update(Update.merge(updates).bytes)]
    }
}
