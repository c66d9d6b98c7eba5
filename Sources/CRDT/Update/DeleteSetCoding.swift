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

    /// Writes ranges that are sorted by client and clock and do not overlap, in v2 (yjs `DSEncoderV2`).
    static func writeV2(_ ranges: [Update.ClientRange], to out: inout ByteWriter) {
        var starts: [Int] = []
        for (index, range) in ranges.enumerated() where index == 0 || ranges[index - 1].client != range.client
        {
            starts.append(index)
        }
        out.varUint(UInt64(starts.count))
        for (place, start) in starts.enumerated() {
            let end = place + 1 < starts.count ? starts[place + 1] : ranges.count
            out.varUint(ranges[start].client)
            out.varUint(UInt64(end - start))
            var clock: UInt64 = 0
            for range in ranges[start..<end] {
                out.varUint(range.from - clock)
                out.varUint(range.to - range.from - 1)
                clock = range.to
            }
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
