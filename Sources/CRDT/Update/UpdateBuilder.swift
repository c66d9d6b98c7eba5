/// Writes structs of decoded updates again, as Yjs's byte-level functions do (yjs `updates.js`): items that
/// have an origin lose the map key flag, since those functions do not know the key.
struct UpdateBuilder {
    private var writer = ByteWriter()
    /// Structs of the client being written, and where their count belongs.
    private var body = ByteWriter()
    private var client: ClientID = 0
    private var firstClock: UInt64 = 0
    private var count: UInt64 = 0
    private var clientCount: UInt64 = 0
    private let form: Form

    enum Form {
        /// For this engine: v1 but for the values that it cannot say (`PayloadValue`).
        case own
        /// v1, with the map key flags as they came.
        case v1
    }

    init(_ form: Form = .own) { self.form = form }

    /// A struct with the update it comes from.
    struct Source {
        var update: Update
        var record: StructRecord

        var client: ClientID { update.clientTable[Int(record.client)] }
        /// How many leading units of the record were cut off.
        var cut: UInt32 = 0
        var clock: UInt64 { UInt64(record.clock) + UInt64(cut) }
        var end: UInt64 { UInt64(record.end) }
        var length: UInt64 { end - clock }
    }

    /// An update made of runs of records of another one, clients descending, without deletions.
    static func update(of runs: [(client: UInt32, range: Range<Int>)], in update: Update) -> Update {
        var builder = UpdateBuilder()
        let table = update.clientTable
        for run in runs.sorted(by: { table[Int($0.client)] > table[Int($1.client)] }) {
            for index in run.range { builder.write(Source(update: update, record: update.records[index])) }
        }
        return Self.decoded(builder.finish(deletes: []))
    }

    /// The v1 form of an update, with the map key flags as they came.
    static func bytes(of update: Update) -> [UInt8] {
        var builder = UpdateBuilder(.v1)
        for record in update.records { builder.write(Source(update: update, record: record)) }
        return builder.finish(deletes: DeleteRanges.grouped(update.deletes))
    }

    /// Decodes what was built from validated parts, or is the v1 state of a document.
    static func decoded(_ bytes: [UInt8]) -> Update {
        do throws(UpdateError) {
            var update = try UpdateDecoder.decode(bytes, limits: .trusted, isOwn: true)
            update.hasFinalFlags = true
            return update
        } catch {
            return .empty
        }
    }

    private mutating func start(_ source: Source) {
        if count > 0 && client == source.client { return }
        flush()
        client = source.client
        firstClock = source.clock
    }

    private mutating func flush() {
        guard count > 0 else { return }
        writer.varUint(count)
        writer.varUint(client)
        writer.varUint(firstClock)
        writer.raw(body.bytes)
        body = ByteWriter()
        count = 0
        clientCount += 1
    }

    mutating func write(_ source: Source) {
        start(source)
        count += 1
        RecordWriter.write(source, form, to: &body)
    }

    mutating func writeSkip(client id: ClientID, clock: UInt64, length: UInt64) {
        if !(count > 0 && client == id) {
            flush()
            client = id
            firstClock = clock
        }
        count += 1
        body.byte(ContentKind.skip.rawValue)
        body.varUint(length)
    }

    mutating func writeGC(client id: ClientID, clock: UInt64, length: UInt64) {
        if !(count > 0 && client == id) {
            flush()
            client = id
            firstClock = clock
        }
        count += 1
        body.byte(ContentKind.gc.rawValue)
        body.varUint(length)
    }

    /// The update with the given deletions, which are in order: see `DeleteRanges.merged` and `grouped`.
    mutating func finish(deletes: [Update.ClientRange]) -> [UInt8] {
        flush()
        var out = ByteWriter(capacity: writer.bytes.count + 16)
        out.varUint(clientCount)
        out.raw(writer.bytes)
        DeleteRanges.write(deletes, to: &out)
        return out.bytes
    }
}

extension UpdateBuilder {
    /// Decodes the v2 state of a document.
    static func decodedState(v2 bytes: [UInt8]) -> Update {
        do throws(UpdateError) {
            var update = try Update(decodingV2: bytes, limits: .trusted)
            update.hasFinalFlags = true
            return update
        } catch {
            return .empty
        }
    }
}

extension Update {
    /// An update that brings nothing.
    public static let empty = Update(
        storage: [0, 0], encodedCount: 2, isV1: true, clientTable: [], records: [], groups: [], deletes: [])
}

/// Delete sets as sorted ranges.
enum DeleteRanges {
    /// Sorted by client descending and clock ascending, touching and overlapping ranges joined.
    static func merged(_ ranges: [Update.ClientRange]) -> [Update.ClientRange] {
        var joined: [Update.ClientRange] = []
        for next in ranges.sorted(by: { ($1.client, $0.from) < ($0.client, $1.from) }) {
            if let last = joined.last, last.client == next.client, last.to >= next.from {
                joined[joined.count - 1].to = max(last.to, next.to)
            } else {
                joined.append(next)
            }
        }
        return joined
    }

    /// Clients descending, the ranges of each as they are: Yjs joins touching ranges only where it merges.
    /// Joined as well where they overlap or are out of order, which v2 has no form for.
    static func grouped(_ ranges: [Update.ClientRange]) -> [Update.ClientRange] {
        if isInOrder(ranges) { return ranges }
        let byClient = ranges.enumerated()
            .sorted { ($1.element.client, $0.offset) < ($0.element.client, $1.offset) }.map(\.element)
        return isInOrder(byClient) ? byClient : merged(ranges)
    }

    private static func isInOrder(_ ranges: [Update.ClientRange]) -> Bool {
        zip(ranges, ranges.dropFirst()).allSatisfy { first, second in
            first.client == second.client ? first.to <= second.from : first.client > second.client
        }
    }
}
