import CRDT
import SyncProtocol

/// Several updates of one flush as one, for those who only read. Writers get theirs as they sent them: that is how
/// they know that they are saved.
enum MergedUpdates {
    private struct Member {
        var message: [UInt8]
        var update: ArraySlice<UInt8>
    }

    /// The messages with runs of updates merged. What cannot be merged stays.
    static func merge(_ messages: [[UInt8]]) -> [[UInt8]] {
        guard messages.count > 1 else { return messages }
        var merged: [[UInt8]] = []
        var run: [Member] = []
        func finish() {
            merged += one(run) ?? run.map(\.message)
            run.removeAll()
        }
        for message in messages {
            if let update = ServerFrame.updateBytes(of: message) {
                run.append(Member(message: message, update: update))
            } else {
                finish()
                merged.append(message)
            }
        }
        finish()
        return merged
    }

    /// All of a run as one message; nil where they stay as they are.
    private static func one(_ run: [Member]) -> [[UInt8]]? {
        guard run.count > 1, run.reduce(0, { $0 + $1.message.count }) <= Limits.mergedBytes else {
            return nil
        }
        guard let updates = try? run.map({ try Update(decodingV1: Array($0.update)) }) else { return nil }
        return [ServerFrame.update(Update.merge(updates).bytes)]
    }
}
