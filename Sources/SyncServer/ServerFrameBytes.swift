import NIOCore
import NIOWebSocket

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
