/// Runs of clocks by client, each client's sorted and joined; the clients stay in the order they came, which is
/// the order undo brings their items back in (yjs `DeleteSet`).
struct IDSet {
    private(set) var clients: [(client: UInt32, ranges: [Range<UInt32>])] = []

    var isEmpty: Bool { clients.isEmpty }

    mutating func insert(_ client: UInt32, _ range: Range<UInt32>) {
        guard !range.isEmpty else { return }
        guard let place = clients.firstIndex(where: { $0.client == client }) else {
            clients.append((client, [range]))
            return
        }
        clients[place].ranges = Self.joined(clients[place].ranges + [range])
    }

    mutating func formUnion(_ other: IDSet) {
        for (client, ranges) in other.clients {
            if let place = clients.firstIndex(where: { $0.client == client }) {
                clients[place].ranges = Self.joined(clients[place].ranges + ranges)
            } else {
                clients.append((client, ranges))
            }
        }
    }

    private static func joined(_ ranges: [Range<UInt32>]) -> [Range<UInt32>] {
        var out: [Range<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = out.last, last.upperBound >= range.lowerBound {
                out[out.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                out.append(range)
            }
        }
        return out
    }

    /// O(clients + log ranges).
    func contains(_ client: UInt32, _ clock: UInt32) -> Bool {
        guard let ranges = clients.first(where: { $0.client == client })?.ranges else { return false }
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) >> 1
            if ranges[middle].lowerBound <= clock { low = middle + 1 } else { high = middle }
        }
        return low > 0 && ranges[low - 1].contains(clock)
    }
}

extension Store {
    /// The blocks of a set, cut at the ends of its runs (yjs `iterateDeletedStructs`).
    mutating func blocks(of set: IDSet) -> [UInt32] {
        var found: [UInt32] = []
        for (client, ranges) in set.clients {
            for range in ranges {
                found += blocks(of: client, from: range.lowerBound, to: range.upperBound)
            }
        }
        return found
    }

    func ranges(of set: IDSet) -> [Update.ClientRange] {
        DeleteRanges.merged(
            set.clients.flatMap { client, ranges in
                ranges.map {
                    Update.ClientRange(
                        client: id(client), from: UInt64($0.lowerBound), to: UInt64($0.upperBound))
                }
            })
    }
}
