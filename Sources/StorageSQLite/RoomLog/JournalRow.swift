import Rooms

/// What one commit added, of all rooms, as one row of the journal.
///
/// A list of records: room, sequence, kind, document, author, time, payload, note (1 and the text, or 0), checksum. Numbers
/// are little-endian, 8 bytes (kind and the note's flag 1, lengths and checksum 4); texts and payloads follow their length.
enum JournalRow {
    struct Part: Equatable {
        var room: String
        var entry: UnsettledRecords.Entry
    }

    static func encode(_ parts: [(room: String, entries: [UnsettledRecords.Entry])]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(
            parts.reduce(0) { total, part in
                total + part.entries.reduce(0) { $0 + $1.cost + part.room.utf8.count + 32 }
            })
        for part in parts {
            for entry in part.entries { append(entry, of: part.room, to: &bytes) }
        }
        return bytes
    }

    private static func append(_ entry: UnsettledRecords.Entry, of room: String, to bytes: inout [UInt8]) {
        let record = entry.record
        append(text: room, to: &bytes)
        append(UInt64(bitPattern: record.sequence), to: &bytes)
        bytes.append(record.kind.rawValue)
        append(text: record.document, to: &bytes)
        append(text: record.author, to: &bytes)
        append(UInt64(bitPattern: record.committedAtMs), to: &bytes)
        append(UInt32(truncatingIfNeeded: record.payload.count), to: &bytes)
        bytes.append(contentsOf: record.payload)
        bytes.append(record.note == nil ? 0 : 1)
        if let note = record.note { append(text: note, to: &bytes) }
        append(entry.checksum, to: &bytes)
    }

    private static func append(text: String, to bytes: inout [UInt8]) {
        append(UInt32(truncatingIfNeeded: text.utf8.count), to: &bytes)
        bytes.append(contentsOf: text.utf8)
    }

    private static func append(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// The records of a row, as far as they can be told apart; `isWhole` is false where the rest cannot be.
    static func decode(_ bytes: [UInt8]) -> (parts: [Part], isWhole: Bool) {
        var cursor = Cursor(bytes: bytes)
        var parts: [Part] = []
        while !cursor.isAtEnd {
            guard let part = cursor.part() else { return (parts, false) }
            parts.append(part)
        }
        return (parts, true)
    }

    private struct Cursor {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool { position == bytes.count }

        mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count <= bytes.count - position else { return nil }
            defer { position += count }
            return bytes[position..<position + count]
        }

        mutating func number<Number: FixedWidthInteger & UnsignedInteger>(_: Number.Type) -> Number? {
            take(MemoryLayout<Number>.size)?.reversed().reduce(0) { $0 << 8 | Number($1) }
        }

        mutating func block() -> ArraySlice<UInt8>? {
            guard let count = number(UInt32.self) else { return nil }
            return take(Int(count))
        }

        mutating func text() -> String? {
            block().map { String(decoding: $0, as: UTF8.self) }
        }

        mutating func part() -> Part? {
            guard let room = text(), let sequence = number(UInt64.self),
                let kind = number(UInt8.self).flatMap(LogRecord.Kind.init), let document = text(),
                let author = text(), let time = number(UInt64.self), let payload = block(),
                let flag = number(UInt8.self), flag < 2
            else { return nil }
            var note: String?
            if flag == 1 {
                note = text()
                if note == nil { return nil }
            }
            guard let checksum = number(UInt32.self) else { return nil }
            let record = LogRecord(
                sequence: Int64(bitPattern: sequence), kind: kind, document: document, author: author,
                committedAtMs: Int64(bitPattern: time), payload: Array(payload), note: note)
            return Part(room: room, entry: .init(record, checksum: checksum))
        }
    }
}
