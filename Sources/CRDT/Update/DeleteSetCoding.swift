/// Delete sets as the format carries them: `varUint clients, (varUint client, varUint count, ranges)*`.
extension DeleteRanges {
    /// Reads a delete set of either format (yjs `readDeleteSet`). Every count is checked against what is left
    /// of the buffer and against `limits` before anything is kept. O(ranges).
    static func read(
        _ reader: inout ByteReader, isV2: Bool, limits: UpdateLimits
    ) throws(UpdateError) -> [Update.ClientRange] {
        let clientCount = try reader.varUint()
        guard clientCount <= UInt64(reader.remaining / 2) + 1 else {
            throw reader.error(.malformed, "delete set of \(clientCount) clients")
        }
        guard clientCount <= UInt64(limits.maxClients) else {
            throw reader.error(.tooLarge, "too many clients")
        }
        var ranges: [Update.ClientRange] = []
        for _ in 0..<clientCount {
            let client = try reader.varUint()
            let count = try reader.varUint()
            guard count <= UInt64(reader.remaining / 2) else {
                throw reader.error(.malformed, "\(count) deletions announced")
            }
            var previous: UInt64 = 0
            for _ in 0..<count {
                let range = try range(&reader, client, after: isV2 ? previous : nil)
                guard ranges.count < limits.maxDeleteRanges else {
                    throw reader.error(.tooLarge, "too many deletions")
                }
                ranges.append(range)
                previous = range.to
            }
        }
        return ranges
    }

    /// One range. In v2 (`after` given) the clock is the distance from the end of the range before and the
    /// length is one less than it is.
    @inline(__always)
    private static func range(
        _ reader: inout ByteReader, _ client: ClientID, after previous: UInt64?
    ) throws(UpdateError) -> Update.ClientRange {
        let clock = try reader.varUint() + (previous ?? 0)
        let length = try reader.varUint() + (previous == nil ? 0 : 1)
        guard clock <= Limits.maxClock, length <= Limits.maxClock, clock + length <= Limits.maxClock else {
            throw reader.error(.tooLarge, "deletion at clock \(clock)")
        }
        // Yjs breaks when it has to keep an empty range.
        guard length > 0 else { throw reader.error(.malformed, "deletion of no length") }
        return Update.ClientRange(client: client, from: clock, to: clock + length)
    }

    /// Writes ranges that are sorted by client and clock and do not overlap (yjs `writeDeleteSet`).
    static func write<Writer: DeletionWriter & ~Copyable>(
        _ ranges: [Update.ClientRange], to out: inout Writer
    ) {
        var starts: [Int] = []
        for (index, range) in ranges.enumerated() where index == 0 || ranges[index - 1].client != range.client
        {
            starts.append(index)
        }
        out.beginDeletions(clients: starts.count)
        for (place, start) in starts.enumerated() {
            let end = place + 1 < starts.count ? starts[place + 1] : ranges.count
            out.beginDeletions(ranges[start].client, ranges: end - start)
            for range in ranges[start..<end] { out.deletion(from: range.from, to: range.to) }
        }
    }

    /// Whether every unit of `range` is in `ranges`, which are sorted and joined as by `merged`. O(log n).
    static func contain(_ range: Update.ClientRange, in ranges: [Update.ClientRange]) -> Bool {
        var low = 0
        var high = ranges.count
        // The last range that begins at or before this one, in the order of client descending, clock
        // ascending.
        while low < high {
            let middle = (low + high) >> 1
            if (range.client, ranges[middle].from) <= (ranges[middle].client, range.from) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        guard low > 0, ranges[low - 1].client == range.client else { return false }
        return ranges[low - 1].to >= range.to
    }
}

/// What the two formats do with deletions (yjs `DSEncoderV1`, `DSEncoderV2`).
protocol DeletionWriter: ~Copyable {
    /// Begins the deletions of so many clients.
    mutating func beginDeletions(clients: Int)
    /// Begins the deletions of one client.
    mutating func beginDeletions(_ client: ClientID, ranges: Int)
    mutating func deletion(from: UInt64, to: UInt64)
}

/// v1: clocks and lengths as they are.
extension ByteWriter: DeletionWriter {
    mutating func beginDeletions(clients: Int) { varUint(UInt64(clients)) }

    mutating func beginDeletions(_ client: ClientID, ranges: Int) {
        varUint(client)
        varUint(UInt64(ranges))
    }

    mutating func deletion(from: UInt64, to: UInt64) {
        varUint(from)
        varUint(to - from)
    }
}

/// v2: each clock as the distance from the end of the deletion before.
struct DeletionWriterV2: DeletionWriter, ~Copyable {
    var out = OutputBuffer()
    private var end: UInt64 = 0

    mutating func beginDeletions(clients: Int) { out.varUint(UInt64(clients)) }

    mutating func beginDeletions(_ client: ClientID, ranges: Int) {
        out.varUint(client)
        out.varUint(UInt64(ranges))
        end = 0
    }

    @inline(__always)
    mutating func deletion(from: UInt64, to: UInt64) {
        out.varUint(from - end)
        out.varUint(to - from - 1)
        end = to
    }
}
