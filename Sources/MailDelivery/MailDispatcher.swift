import Identity

/// Takes mails without blocking, and delivers them one after the other: to a mail server, again after a pause where it
/// fails, or into an outbox.
public final class MailDispatcher: Sendable {
    /// What the dispatcher needs of the rest of the system.
    public struct Ports: Sendable {
        /// ms since 1970.
        public var now: @Sendable () -> Int64
        public var newID: @Sendable () -> String
        /// A time as RFC 5322 writes it.
        public var date: @Sendable (_ ms: Int64) -> String
        public var pause: @Sendable (_ seconds: Int64) async throws -> Void
        /// What an operator should read; never an address or a text.
        public var note: @Sendable (String) -> Void

        public init(
            now: @escaping @Sendable () -> Int64, newID: @escaping @Sendable () -> String,
            date: @escaping @Sendable (_ ms: Int64) -> String,
            pause: @escaping @Sendable (_ seconds: Int64) async throws -> Void,
            note: @escaping @Sendable (String) -> Void
        ) {
            self.now = now
            self.newID = newID
            self.date = date
            self.pause = pause
            self.note = note
        }
    }

    public enum Way: Sendable {
        case outbox(FileOutbox)
        case server(SMTPClient)
    }

    private let way: Way
    private let sender: String
    private let ports: Ports
    private let queue: AsyncStream<OutgoingMail>
    private let inlet: AsyncStream<OutgoingMail>.Continuation

    /// - Parameter sender: the address that mails come from.
    public init(_ way: Way, sender: String, ports: Ports) {
        self.way = way
        self.sender = sender
        self.ports = ports
        (queue, inlet) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(MailLimits.queue))
    }

    /// Takes a mail for delivery; drops it where too many wait.
    public func take(_ mail: OutgoingMail) {
        if case .dropped = inlet.yield(mail) { ports.note("a mail was dropped: too many wait to be sent") }
    }

    /// Delivers until cancelled.
    public func run() async {
        for await mail in queue {
            await deliver(mail)
            if Task.isCancelled { return }
        }
    }

    private func deliver(_ mail: OutgoingMail) async {
        let id = ports.newID()
        guard let message = MailMessage(mail, from: sender, date: ports.date(ports.now()), id: id) else {
            return ports.note("a mail was dropped: its address cannot stand in an envelope")
        }
        var pauses = MailLimits.pauses[...]
        while !Task.isCancelled {
            do throws(MailError) {
                switch way {
                case .outbox(let outbox):
                    ports.note(
                        "a mail was put into \(try outbox.put(message, id: id)): no mail server is set")
                case .server(let client): try await client.send(message)
                }
                return
            } catch {
                guard !error.isFinal, let pause = pauses.popFirst() else {
                    return ports.note("a mail was given up: \(error)")
                }
                ports.note("a mail waits \(pause) s for another attempt: \(error)")
                try? await ports.pause(pause)
            }
        }
    }
}
