import Judging

/// The fixed layouts of `Sources/sandbox-helper/protocol.h`: little-endian, naturally aligned.
enum Wire {
    static let magic: UInt32 = 0x3153_4443
    static let requestBytes = 80
    static let replyBytes = 80 + 512 + 192
    static let helloBytes = 16 + 512 + 512 + 640 + 192
    static let largestMessage = helloBytes

    enum Operation: UInt32 {
        case compile = 1
        case run = 2
        case version = 3
        case assist = 4
        case runJoined = 5
        case assistJoined = 6
    }

    struct Request: Equatable {
        var operation: Operation
        var id: UInt64
        var language: String
        var limits: ExecutionLimits

        var bytes: [UInt8] {
            var writer = Writer()
            writer.put(Wire.magic)
            writer.put(operation.rawValue)
            writer.put(id)
            writer.put(text: language, size: 16)
            for value in [
                Int64(limits.cpuTimeMs), Int64(limits.wallTimeMs), limits.memoryBytes,
                Int64(limits.outputBytes), Int64(limits.errorBytes), Int64(limits.processes),
            ] {
                writer.put(UInt64(bitPattern: value))
            }
            return writer.bytes
        }
    }

    struct Hello: Equatable {
        var isUsable: Bool
        var layers: [String]
        var knownLayers: [String]
        var languages: [String]
        var detail: String

        init?(_ bytes: [UInt8]) {
            guard bytes.count == Wire.helloBytes else { return nil }
            var reader = Reader(bytes)
            guard reader.uint32() == Wire.magic else { return nil }
            _ = reader.uint32()
            isUsable = reader.uint32() != 0
            _ = reader.uint32()
            layers = reader.list(size: 512)
            knownLayers = reader.list(size: 512)
            languages = reader.list(size: 640)
            detail = reader.text(size: 192)
        }
    }

    struct Reply: Equatable {
        struct Flags: OptionSet {
            let rawValue: UInt32
            static let hasExitCode = Flags(rawValue: 1)
            static let hasSignal = Flags(rawValue: 2)
            static let outputTruncated = Flags(rawValue: 4)
            static let errorTruncated = Flags(rawValue: 8)
            static let hasOutput = Flags(rawValue: 16)
            static let hasError = Flags(rawValue: 32)
            static let hasArtefact = Flags(rawValue: 64)
            static let sourceIsArtefact = Flags(rawValue: 128)
        }

        var id: UInt64
        var end: ExecutionEnd
        var exitCode: Int32
        var signal: Int32
        var flags: Flags
        var cpuUs: Int64
        var wallUs: Int64
        var memoryBytes: Int64
        var outputBytes: Int64
        var errorBytes: Int64
        var artefactBytes: Int64
        var layers: [String]
        var detail: String

        private static let ends: [ExecutionEnd] = [
            .cpuTimeLimit, .wallTimeLimit, .memoryLimit, .outputLimit, .blockedSystemCall, .signalled,
            .exited,
            .sandboxError,
        ]

        init?(_ bytes: [UInt8]) {
            guard bytes.count == Wire.replyBytes else { return nil }
            var reader = Reader(bytes)
            guard reader.uint32() == Wire.magic else { return nil }
            let number = Int(reader.uint32())
            guard Self.ends.indices.contains(number) else { return nil }
            end = Self.ends[number]
            id = reader.uint64()
            exitCode = Int32(bitPattern: reader.uint32())
            signal = Int32(bitPattern: reader.uint32())
            flags = Flags(rawValue: reader.uint32())
            _ = reader.uint32()
            cpuUs = reader.int64()
            wallUs = reader.int64()
            memoryBytes = reader.int64()
            outputBytes = reader.int64()
            errorBytes = reader.int64()
            artefactBytes = reader.int64()
            layers = reader.list(size: 512)
            detail = reader.text(size: 192)
        }
    }

    private struct Writer {
        var bytes: [UInt8] = []

        mutating func put(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }

        /// Cut to leave the terminating zero.
        mutating func put(text: String, size: Int) {
            let kept = text.utf8.prefix(size - 1)
            bytes.append(contentsOf: kept)
            bytes.append(contentsOf: repeatElement(0, count: size - kept.count))
        }
    }

    /// Reads a message whose length has been checked; beyond its end there are zeros.
    private struct Reader {
        private let bytes: [UInt8]
        private var position = 0

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        private mutating func take(_ count: Int) -> ArraySlice<UInt8> {
            let end = min(position + count, bytes.count)
            defer { position = end }
            return bytes[min(position, end)..<end]
        }

        mutating func uint32() -> UInt32 {
            take(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }

        mutating func uint64() -> UInt64 {
            take(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }

        mutating func int64() -> Int64 { Int64(bitPattern: uint64()) }

        mutating func text(size: Int) -> String {
            String(decoding: take(size).prefix { $0 != 0 }, as: UTF8.self)
        }

        mutating func list(size: Int) -> [String] {
            text(size: size).split(separator: ",").map(String.init)
        }
    }
}
