import CZlib

/// Compresses and expands messages as `permessage-deflate` does without context takeover (RFC 7692 §7.2): every
/// message starts anew, so one codec serves all sockets of an event loop. Confined to that loop.
final class DeflateCodec {
    static let largestWindowBits: UInt8 = 15

    enum Failure: Error {
        /// Not the output of DEFLATE.
        case unreadable
        /// Expands to more than allowed.
        case tooLarge
        case outOfMemory
    }

    /// By window bits; nearly all clients take the largest.
    private var deflaters: [UInt8: ZStream] = [:]
    private var inflater: ZStream?
    /// What ends every compressed message and is left out on the wire.
    private static let tail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]

    /// The message compressed, or nil when that does not make it smaller.
    func compress(_ message: some Sequence<UInt8>, windowBits: UInt8) -> [UInt8]? {
        guard let stream = deflater(windowBits) else { return nil }
        let input = Array(message)
        guard deflateReset(stream.pointer) == Z_OK else { return nil }
        // Deflated data that does not fit is of no use.
        var output = [UInt8](repeating: 0, count: input.count + Self.tail.count)
        let written = stream.run(input, into: &output, from: 0) { deflate($0, Z_SYNC_FLUSH) }
        guard case .done(let count) = written, count > Self.tail.count,
            output[count - Self.tail.count..<count].elementsEqual(Self.tail),
            count - Self.tail.count < input.count
        else { return nil }
        output.removeSubrange((count - Self.tail.count)...)
        return output
    }

    /// What a client compressed. Never holds more than `limit` and one growth step.
    func expand(_ message: [UInt8], limit: Int) throws(Failure) -> [UInt8] {
        guard let stream = expander() else { throw .outOfMemory }
        guard inflateReset(stream.pointer) == Z_OK else { throw .unreadable }
        let input = message + Self.tail
        // One byte more than allowed tells that there is more.
        var output = [UInt8](repeating: 0, count: min(limit + 1, max(256, 4 * message.count)))
        var filled = 0
        stream.set(input: input.count)
        while true {
            let step = stream.step(input, into: &output, from: filled) { inflate($0, Z_SYNC_FLUSH) }
            filled = step.filled
            guard filled <= limit else { throw .tooLarge }
            switch step.status {
            case Z_OK, Z_BUF_ERROR:
                if step.inputLeft == 0 && filled < output.count {
                    output.removeSubrange(filled...)
                    return output
                }
                guard filled == output.count else { throw .unreadable }
                output.append(contentsOf: repeatElement(0, count: min(limit + 1, 4 * filled) - filled))
            case Z_STREAM_END:
                // A final block may end a message early (§7.2.3.4); more blocks may follow.
                guard inflateReset(stream.pointer) == Z_OK else { throw .unreadable }
                if step.inputLeft <= Self.tail.count + 1 {
                    output.removeSubrange(filled...)
                    return output
                }
                if filled == output.count {
                    output.append(contentsOf: repeatElement(0, count: min(limit + 1, 4 * filled) - filled))
                }
            default: throw .unreadable
            }
        }
    }

    private func deflater(_ windowBits: UInt8) -> ZStream? {
        if let known = deflaters[windowBits] { return known }
        let stream = ZStream.deflating(windowBits: Int32(windowBits))
        deflaters[windowBits] = stream
        return stream
    }

    private func expander() -> ZStream? {
        if let inflater { return inflater }
        inflater = ZStream.inflating(windowBits: Int32(Self.largestWindowBits))
        return inflater
    }
}

/// zlib's stream at an address of its own: its state points back to it.
private final class ZStream {
    enum Outcome { case done(Int), failed }

    let pointer: UnsafeMutablePointer<z_stream>
    private let end: (UnsafeMutablePointer<z_stream>) -> Void
    private var inputLeft = 0

    private init(end: @escaping (UnsafeMutablePointer<z_stream>) -> Void) {
        pointer = .allocate(capacity: 1)
        pointer.initialize(to: z_stream())
        self.end = end
    }

    deinit {
        end(pointer)
        pointer.deallocate()
    }

    static func deflating(windowBits: Int32) -> ZStream? {
        let stream = ZStream { _ = deflateEnd($0) }
        let status = deflateInit2_(
            stream.pointer, Limits.compressionLevel, Z_DEFLATED, -windowBits, Limits.compressionMemory,
            Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        return status == Z_OK ? stream : nil
    }

    static func inflating(windowBits: Int32) -> ZStream? {
        let stream = ZStream { _ = inflateEnd($0) }
        let status = inflateInit2_(
            stream.pointer, -windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        return status == Z_OK ? stream : nil
    }

    func set(input count: Int) { inputLeft = count }

    /// One call that takes all of `input`; fails where `output` is too small.
    func run(
        _ input: [UInt8], into output: inout [UInt8], from start: Int,
        _ body: (UnsafeMutablePointer<z_stream>) -> Int32
    ) -> Outcome {
        set(input: input.count)
        let step = step(input, into: &output, from: start, body)
        return step.status == Z_OK && step.inputLeft == 0 ? .done(step.filled) : .failed
    }

    /// One call with what is left of `input` and the room behind `start`.
    func step(
        _ input: [UInt8], into output: inout [UInt8], from start: Int,
        _ body: (UnsafeMutablePointer<z_stream>) -> Int32
    ) -> (status: Int32, filled: Int, inputLeft: Int) {
        input.withUnsafeBufferPointer { source in
            output.withUnsafeMutableBufferPointer { target in
                pointer.pointee.next_in = UnsafeMutablePointer(
                    mutating: source.baseAddress.map { $0 + (source.count - inputLeft) })
                pointer.pointee.avail_in = UInt32(inputLeft)
                pointer.pointee.next_out = target.baseAddress.map { $0 + start }
                pointer.pointee.avail_out = UInt32(target.count - start)
                let status = body(pointer)
                inputLeft = Int(pointer.pointee.avail_in)
                return (status, target.count - Int(pointer.pointee.avail_out), inputLeft)
            }
        }
    }
}
