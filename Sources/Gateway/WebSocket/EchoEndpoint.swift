import SyncServer

/// Sends every message back, for the Autobahn suite (`--conformance-echo`).
final class EchoEndpoint: WebSocketEndpoint {
    static let maximumMessageBytes = 32 << 20
    private var connection: WebSocketConnection?

    func opened(_ connection: WebSocketConnection) { self.connection = connection }

    func received(_ message: [UInt8], isText: Bool) {
        connection?.send(isText ? .text : .binary, message)
    }

    func writabilityChanged() {
        guard let connection else { return }
        connection.setReading(connection.isWritable)
    }

    func closed() { connection = nil }
}
