import NIOCore
import SyncProtocol

extension ByteBuffer {
    /// Appends one final, unmasked WebSocket frame (RFC 6455 §5.2); compressed where that was agreed on, the message is
    /// of a size for which it pays, and it becomes smaller by it.
    mutating func writeWebSocketFrame(
        _ opcode: Opcode, _ payload: some Collection<UInt8>,
        compressedBy deflate: (codec: DeflateCodec, agreement: DeflateAgreement)? = nil
    ) {
        if let deflate, !opcode.isControl, Limits.compressedMessageBytes.contains(payload.count),
            let small = deflate.codec.compress(payload, windowBits: deflate.agreement.serverWindowBits)
        {
            writeWebSocketHead(0xC0 | opcode.rawValue, count: small.count)
            writeBytes(small)
        } else {
            writeWebSocketHead(0x80 | opcode.rawValue, count: payload.count)
            writeBytes(payload)
        }
    }

    private mutating func writeWebSocketHead(_ first: UInt8, count: Int) {
        if count < 126 {
            writeMultipleIntegers(first, UInt8(count))
        } else if count <= Int(UInt16.max) {
            writeMultipleIntegers(first, UInt8(126), UInt16(count))
        } else {
            writeMultipleIntegers(first, UInt8(127), UInt64(count))
        }
    }
}

extension Framing {
    /// Messages of `ServerFrame` as WebSocket frames, one each, in one buffer.
    func webSocketFrames(
        _ messages: [[UInt8]], compressedBy deflate: (codec: DeflateCodec, agreement: DeflateAgreement)? = nil
    ) -> ByteBuffer {
        let nameBytes = if case .named(let name) = self { name.utf8.count + 2 } else { 0 }
        let capacity = messages.reduce(0) { $0 + $1.count + nameBytes + 10 }
        var buffer = ByteBufferAllocator().buffer(capacity: capacity)
        for message in messages {
            buffer.writeWebSocketFrame(.binary, encode(message), compressedBy: deflate)
        }
        return buffer
    }
}
