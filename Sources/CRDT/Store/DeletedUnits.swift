/// The deleted units of a document as runs of each client's clocks, kept up to date with every deletion so that
/// an encoding writes it without looking at the blocks.
///
/// Deletions go into a log first; it is put among the runs when someone reads them or it has grown as long as
/// they are. Each unit is deleted once.
struct DeletedUnits {
    struct Run: BitwiseCopyable {
        var from: UInt32
        var to: UInt32
    }

    /// The log is put among the runs when it has this many entries more than there are runs.
    private static let logSlack = 1024

    private var runs: [[Run]] = []
    private var log: [TransactionLog.Deletion] = []
    private(set) var runCount = 0

    /// Memory in bytes.
    var byteSize: Int {
        runCount * MemoryLayout<Run>.stride + log.count * MemoryLayout<TransactionLog.Deletion>.stride
            + runs.count * 40
    }

    @inline(__always)
    mutating func note(_ client: UInt32, _ clock: UInt32, _ length: UInt32) {
        let last = log.count - 1
        if last >= 0, log[last].client == client, log[last].clock &+ log[last].length == clock {
            log[last].length += length
            return
        }
        log.append(TransactionLog.Deletion(client: client, clock: clock, length: length))
        if log.count > runCount + Self.logSlack { settle() }
    }

    /// The runs of a client, ascending; whole after `settle`.
    func runs(of client: UInt32) -> [Run] { Int(client) < runs.count ? runs[Int(client)] : [] }

    /// Puts the log among the runs. O(runs of its clients + n log n) for a log of n.
    mutating func settle() {
        guard !log.isEmpty else { return }
        if log.count > 1 { log.sort { ($0.client, $0.clock) < ($1.client, $1.clock) } }
        var start = 0
        while start < log.count {
            let client = log[start].client
            var end = start + 1
            while end < log.count, log[end].client == client { end += 1 }
            merge(log[start..<end], of: Int(client))
            start = end
        }
        log.removeAll(keepingCapacity: log.count <= Self.logSlack)
    }

    private mutating func merge(_ new: ArraySlice<TransactionLog.Deletion>, of client: Int) {
        while runs.count <= client { runs.append([]) }
        let old = runs[client]
        runCount -= old.count
        if let last = old.last, let first = new.first, last.to <= first.clock {
            for run in new {
                Self.append(Run(from: run.clock, to: run.clock + run.length), to: &runs[client])
            }
        } else {
            var merged: [Run] = []
            merged.reserveCapacity(old.count + new.count)
            var next = 0
            for deletion in new {
                while next < old.count, old[next].from < deletion.clock {
                    Self.append(old[next], to: &merged)
                    next += 1
                }
                Self.append(Run(from: deletion.clock, to: deletion.clock + deletion.length), to: &merged)
            }
            while next < old.count {
                Self.append(old[next], to: &merged)
                next += 1
            }
            runs[client] = merged
        }
        runCount += runs[client].count
    }

    @inline(__always)
    private static func append(_ run: Run, to runs: inout [Run]) {
        let last = runs.count - 1
        if last >= 0, runs[last].to >= run.from {
            runs[last].to = max(runs[last].to, run.to)
        } else {
            runs.append(run)
        }
    }
}
