import NIOCore
import SyncProtocol

/// A socket of one document, as y-websocket speaks it: the document is that of the socket's path, the token stands
/// in the request. Confined to its event loop.
public final class PlainEndpoint: WebSocketEndpoint, DocumentChannelOwner {
    private let socket: SyncSocket
    private let directory: RoomDirectory
    /// Nil once they were used: they hold the request's token.
    private var admission: (@Sendable () async throws(DoorRefusal) -> SocketAdmission)?
    private var onRefusal: ((DoorRefusal) -> Void)?
    private var channel: DocumentChannel?

    public init(
        directory: RoomDirectory, loop: any EventLoop, address: String,
        admission: @escaping @Sendable () async throws(DoorRefusal) -> SocketAdmission,
        onRefusal: @escaping (DoorRefusal) -> Void
    ) {
        socket = SyncSocket(
            socketLoop: directory.loops[loop], registry: directory.registry, address: address)
        self.directory = directory
        self.admission = admission
        self.onRefusal = onRefusal
    }

    public func opened(_ connection: WebSocketConnection) {
        guard let admission else { return }
        self.admission = nil
        socket.opened(connection)
        let channel = DocumentChannel(framing: .plain, on: socket, of: self, directory: directory)
        self.channel = channel
        let loop = socket.socketLoop.loop
        let closing = NIOLoopBound(self, eventLoop: loop)
        socket.entry.onClose { refusal in
            loop.execute {
                let endpoint = closing.value
                if let channel = endpoint.channel { endpoint.end(channel, refusal) }
            }
        }
        channel.open(admission)
    }

    public func received(_ message: [UInt8], isText: Bool) {
        guard !isText else {
            // Sync frames are binary; a text frame is a client that speaks something else.
            channel?.say(ServerFrame.permissionDenied(reason: WriteRefusal.malformed.reason))
            return socket.closeAsUnreadable("frames are binary")
        }
        channel?.received(message[...])
        socket.countMessage(bytes: message.count)
    }

    public func writabilityChanged() {
        socket.updateReading()
        channel?.writabilityChanged()
    }

    public func closed() {
        channel?.leave()
        channel = nil
        socket.closed()
    }

    func channel(_ channel: DocumentChannel, wasTurnedAway refusal: DoorRefusal) {
        guard socket.isOpen else { return }
        onRefusal?(refusal)
        end(channel, refusal)
    }

    func channelWasOpened(_ channel: DocumentChannel) { onRefusal = nil }

    func channel(_ channel: DocumentChannel, wasEnded refusal: DoorRefusal) { end(channel, refusal) }

    /// Says a refusal in band, then closes with its code.
    private func end(_ channel: DocumentChannel, _ refusal: DoorRefusal) {
        channel.say(ServerFrame.permissionDenied(reason: refusal.reason))
        socket.close(refusal)
    }
}
