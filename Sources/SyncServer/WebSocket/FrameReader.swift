import NIOCore

/// One frame of a client, with its mask taken off.
struct ClientFrame {
    var isFinal: Bool
    /// The first reserved bit: the message is compressed (RFC 7692 §6).
    var isCompressed: Bool
    var opcode: Opcode
    var payload: [UInt8]
}

/// Frame types (RFC 6455 §11.8).
enum Opcode: UInt8 {
    case continuation = 0
    case text = 1
    case binary = 2
    case close = 8
    case ping = 9
    case pong = 10

    var isControl: Bool { rawValue >= 8 }
}

/// Why bytes are no frames that may be read on.
enum FrameViolation: Error {
    case unreadable
    case tooLarge
}

/// Cuts a client's bytes into frames (RFC 6455 §5.2). Keeps nothing between frames; of one that has not arrived
/// whole, what has.
struct FrameReader {
    private let maximumPayloadBytes: Int
    private var buffer: ByteBuffer?

    init(maximumPayloadBytes: Int) { self.maximumPayloadBytes = maximumPayloadBytes }

    mutating func append(_ bytes: ByteBuffer) {
        guard buffer != nil else { return buffer = bytes }
        var bytes = bytes
        buffer?.writeBuffer(&bytes)
    }

    /// The next whole frame, or nil until more bytes have come.
    ///
    /// - Throws: as soon as the frame's head shows that it breaks the rules; nothing after it can be read.
    mutating func next() throws(FrameViolation) -> ClientFrame? {
        guard let bytes = buffer else { return nil }
        let read = bytes.withUnsafeReadableBytes { source in
            Result { () throws(FrameViolation) in
                try Self.frame(in: source, maximumPayloadBytes: maximumPayloadBytes)
            }
        }
        guard let (frame, length) = try read.get() else { return nil }
        if bytes.readableBytes == length { buffer = nil } else { buffer?.moveReaderIndex(forwardBy: length) }
        return frame
    }

    /// Lets go of a large read of which little is left.
    mutating func compact() {
        guard let rest = buffer, rest.storageCapacity > 2 * rest.readableBytes else { return }
        buffer = ByteBuffer(bytes: rest.readableBytesView)
    }

    private static func frame(
        in source: UnsafeRawBufferPointer, maximumPayloadBytes: Int
    ) throws(FrameViolation) -> (ClientFrame, length: Int)? {
        guard source.count >= 2 else { return nil }
        let first = source[0]
        let second = source[1]
        // No extension uses the other reserved bits, and a client masks (§5.1).
        guard first & 0x30 == 0, second & 0x80 != 0, let opcode = Opcode(rawValue: first & 0x0F) else {
            throw .unreadable
        }
        let isFinal = first & 0x80 != 0
        var header = 2
        var count = Int(second & 0x7F)
        if opcode.isControl && !(isFinal && count <= 125) { throw .unreadable }
        if count == 126 {
            guard source.count >= 4 else { return nil }
            count = Int(UInt16(bigEndian: source.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
            header = 4
        } else if count == 127 {
            guard source.count >= 10 else { return nil }
            let long = UInt64(bigEndian: source.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
            guard long <= UInt64(maximumPayloadBytes) else { throw .tooLarge }
            count = Int(long)
            header = 10
        }
        guard count <= maximumPayloadBytes else { throw .tooLarge }
        let start = header + 4
        guard source.count >= start + count else { return nil }
        let mask = source.loadUnaligned(fromByteOffset: header, as: UInt32.self)
        let payload = unmasked(UnsafeRawBufferPointer(rebasing: source[start..<start + count]), mask)
        let frame = ClientFrame(
            isFinal: isFinal, isCompressed: first & 0x40 != 0, opcode: opcode, payload: payload)
        return (frame, start + count)
    }

    /// A copy without the mask (§5.3), eight bytes at a time. `mask` is as it lies in memory.
    private static func unmasked(_ source: UnsafeRawBufferPointer, _ mask: UInt32) -> [UInt8] {
        let wide = UInt64(mask) << 32 | UInt64(mask)
        return [UInt8](unsafeUninitializedCapacity: source.count) { target, count in
            let out = UnsafeMutableRawBufferPointer(target)
            let whole = source.count & ~7
            for offset in stride(from: 0, to: whole, by: 8) {
                let word = source.loadUnaligned(fromByteOffset: offset, as: UInt64.self) ^ wide
                out.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
            }
            withUnsafeBytes(of: wide) { key in
                for offset in whole..<source.count { out[offset] = source[offset] ^ key[offset & 7] }
            }
            count = source.count
        }
    }
}
