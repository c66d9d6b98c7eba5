import NIOCore
import NIOWebSocket
import SyncProtocol

extension ByteBuffer {
    /// Appends one final, unmasked WebSocket frame (RFC 6455 §5.2).
    mutating func writeWebSocketFrame(_ opcode: WebSocketOpcode, _ payload: some Collection<UInt8>) {
        let count = payload.count
        writeInteger(UInt8(0x80) | UInt8(webSocketOpcode: opcode))
        if count < 126 {
            writeInteger(UInt8(count))
        } else if count <= Int(UInt16.max) {
            writeMultipleIntegers(UInt8(126), UInt16(count))
        } else {
            writeMultipleIntegers(UInt8(127), UInt64(count))
        }
        writeBytes(payload)
    }
}

extension Framing {
    /// Messages of `ServerFrame` as WebSocket frames, one each, in one buffer.
    func webSocketFrames(_ messages: [[UInt8]]) -> ByteBuffer {
        let nameBytes = if case .named(let name) = self { name.utf8.count + 2 } else { 0 }
        let capacity = messages.reduce(0) { $0 + $1.count + nameBytes + 10 }
        var buffer = ByteBufferAllocator().buffer(capacity: capacity)
        for message in messages { buffer.writeWebSocketFrame(.binary, encode(message)) }
        return buffer
    }
}
