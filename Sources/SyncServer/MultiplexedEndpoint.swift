import NIOCore
import SyncProtocol

/// A socket of many documents, as Hocuspocus clients speak it: every message begins with its document's name, and a
/// token opens a document each. Confined to its event loop.
///
/// A refusal concerns its document alone; the socket is closed when nothing is left on it that was let in, or when
/// all of it is to come back: at a restart, or when a room is to be loaded again.
public final class MultiplexedEndpoint: WebSocketEndpoint, DocumentChannelOwner {
    private let socket: SyncSocket
    private let directory: RoomDirectory
    private let admission:
        @Sendable (_ name: String, _ token: String) async throws(DoorRefusal) -> SocketAdmission
    private var channels: [String: DocumentChannel] = [:]
    private var refusals = 0
    private var vacancy: Scheduled<Void>?

    /// - Parameter admission: who opens the document of that name with that token, or why not.
    public init(
        directory: RoomDirectory, loop: any EventLoop, address: String,
        admission:
            @escaping @Sendable (_ name: String, _ token: String) async throws(DoorRefusal) -> SocketAdmission
    ) {
        socket = SyncSocket(
            socketLoop: directory.loops[loop], registry: directory.registry, address: address)
        self.directory = directory
        self.admission = admission
    }

    public func opened(_ connection: WebSocketConnection) {
        socket.opened(connection)
        let loop = socket.socketLoop.loop
        let closing = NIOLoopBound(self, eventLoop: loop)
        socket.entry.onClose { refusal in loop.execute { closing.value.end(refusal) } }
        watchVacancy(DoorRefusal(.unauthenticated, "no document was opened"))
    }

    public func closed() {
        vacancy?.cancel()
        vacancy = nil
        for channel in channels.values { channel.leave() }
        channels.removeAll()
        socket.closed()
    }

    public func writabilityChanged() {
        socket.updateReading()
        for channel in channels.values { channel.writabilityChanged() }
    }

    // MARK: From the client

    public func received(_ bytes: [UInt8], isText: Bool) {
        guard !isText else { return socket.closeAsUnreadable("frames are binary") }
        socket.countMessage(bytes: bytes.count)
        if bytes == NamedFrame.ping { return socket.send(NamedFrame.pong) }
        if bytes == NamedFrame.pong { return }
        guard let frame = try? NamedFrame(decoding: bytes[...]), frame.name.utf8.count <= Limits.nameBytes
        else {
            return socket.closeAsUnreadable("frames begin with the name of a document")
        }
        do throws(FrameError) {
            switch try frame.content() {
            case .token(let token): open(frame.name, token)
            case .close: leave(frame.name)
            // What comes before the token is not answered.
            case .message(let body): channels[frame.name]?.received(body)
            }
        } catch {
            channels[frame.name]?.refuseUnreadable()
        }
    }

    /// A document that is open already is opened anew, as by a new socket.
    private func open(_ name: String, _ token: String) {
        if let before = channels.removeValue(forKey: name) {
            let isOvertaken = before.isOpening
            before.leave()
            // Checking a token costs something: one that is overtaken by the next counts as refused.
            if isOvertaken, !countRefusal(DoorRefusal(.tooFast, "too many tokens at once")) { return }
        }
        let channel = DocumentChannel(framing: .named(name), on: socket, of: self, directory: directory)
        guard channels.count < socket.limits.documentsPerSocket else {
            socket.statistics.count(.documentsPerSocket)
            return turnAway(channel, DoorRefusal(.tooFast, "too many documents on one socket"))
        }
        vacancy?.cancel()
        vacancy = nil
        channels[name] = channel
        let admission = admission
        channel.open { () async throws(DoorRefusal) in
            guard token.utf8.count <= Limits.tokenBytes else {
                throw DoorRefusal(.unauthenticated, "the token is not valid")
            }
            return try await admission(name, token)
        }
    }

    private func leave(_ name: String) {
        guard let channel = channels.removeValue(forKey: name) else { return }
        channel.leave()
        watchVacancy(DoorRefusal(.idle, "no document is open"))
    }

    // MARK: Refusals

    func channel(_ channel: DocumentChannel, wasTurnedAway refusal: DoorRefusal) {
        remove(channel)
        turnAway(channel, refusal)
    }

    private func turnAway(_ channel: DocumentChannel, _ refusal: DoorRefusal) {
        channel.say(ServerFrame.permissionDenied(reason: refusal.reason))
        if countRefusal(refusal) { watchVacancy(refusal) }
    }

    /// False when there were so many that the socket is closed.
    private func countRefusal(_ refusal: DoorRefusal) -> Bool {
        refusals += 1
        guard refusals >= Limits.refusals else { return true }
        socket.close(refusal)
        return false
    }

    func channelWasOpened(_ channel: DocumentChannel) {}

    func channel(_ channel: DocumentChannel, wasEnded refusal: DoorRefusal) {
        channel.say(ServerFrame.permissionDenied(reason: refusal.reason))
        switch refusal.code {
        case .reset, .unauthenticated, .forbidden, .notFound:
            channel.say(ServerFrame.close(reason: refusal.reason))
            channel.leave()
            remove(channel)
            if channels.isEmpty { socket.close(refusal) }
        case .goingAway, .tooBig, .restarting, .tryAgainLater, .idle, .tooFast:
            socket.close(refusal)
        }
    }

    /// Says a refusal of the whole socket for each document, then closes it.
    private func end(_ refusal: DoorRefusal) {
        for channel in channels.values { channel.say(ServerFrame.permissionDenied(reason: refusal.reason)) }
        socket.close(refusal)
    }

    private func remove(_ channel: DocumentChannel) {
        guard case .named(let name) = channel.framing, channels[name] === channel else { return }
        channels[name] = nil
    }

    /// A socket that carries nothing is closed after a while.
    private func watchVacancy(_ refusal: DoorRefusal) {
        guard channels.isEmpty, socket.isOpen else { return }
        vacancy?.cancel()
        vacancy = socket.socketLoop.loop.assumeIsolated().scheduleTask(in: Limits.vacantTimeout) {
            [weak self] in
            guard let self, self.channels.isEmpty else { return }
            self.socket.close(refusal)
        }
    }
}
