import Synchronization

/// Events for users (`match.found`, `submission.finished`, …), each delivered to every open stream of its user and
/// kept for a while, so that a stream that broke resumes where it was. In memory, bounded in every direction;
/// thread-safe; publishing never waits for a reader.
package final class UserEvents: Sendable {
    package struct Event: Sendable, Equatable {
        /// Rises over all users, for the life of this object.
        package var sequence: UInt64
        package var type: String
        package var json: String
    }

    /// What a stream is told next.
    package enum Item: Sendable, Equatable {
        case event(Event)
        case heartbeat
    }

    private struct Subscriber {
        var sessionID: String
        var continuation: AsyncStream<Item>.Continuation
    }

    private struct Mailbox {
        var recent: [Event] = []
        /// Every event up to this one is no longer in `recent`.
        var forgottenThrough: UInt64
        var subscribers: [UInt64: Subscriber] = [:]
        /// Place in the order of use, for forgetting.
        var usedAt: UInt64
    }

    private struct State {
        var mailboxes: [String: Mailbox] = [:]
        var sequence: UInt64 = 0
        var clock: UInt64 = 0
        var subscribers = 0
        var isClosed = false
    }

    /// Part of every event id: sequences of another run of the server mean nothing here.
    private let run: String
    private let state = Mutex(State())

    /// `run` tells this run of the server from all others: letters and digits.
    package init(run: String) {
        self.run = run
    }

    package var subscriberCount: Int { state.withLock { $0.subscribers } }

    /// The id that a stream sends with an event, and a client back as `Last-Event-ID`.
    package func id(of sequence: UInt64) -> String { "\(run)-\(sequence)" }

    /// Keeps an event for its user and hands it to the user's open streams. A stream that lags by
    /// `GatewayLimits.eventBacklog` ends; an event over `GatewayLimits.eventBytes` is dropped. O(streams of the user).
    package func publish(userID: String, type: String, json: String) {
        guard json.utf8.count <= GatewayLimits.eventBytes, type.utf8.count <= 64 else { return }
        state.withLock { state in
            guard !state.isClosed else { return }
            state.sequence += 1
            let event = Event(sequence: state.sequence, type: type, json: json)
            var mailbox = Self.takeMailbox(of: userID, &state, before: event.sequence)
            mailbox.recent.append(event)
            if mailbox.recent.count > GatewayLimits.eventsPerUser {
                mailbox.forgottenThrough = mailbox.recent.removeFirst().sequence
            }
            for (key, subscriber) in mailbox.subscribers {
                switch subscriber.continuation.yield(.event(event)) {
                case .enqueued: break
                case .dropped, .terminated:
                    subscriber.continuation.finish()
                    mailbox.subscribers[key] = nil
                    state.subscribers -= 1
                @unknown default: break
                }
            }
            state.mailboxes[userID] = mailbox
        }
    }

    /// Opens a stream. `lastEventID` is what the client got last, if it got anything.
    ///
    /// Throws 503 at the bound of all streams, 429 at that of one user's.
    package func subscribe(
        userID: String, sessionID: String, lastEventID: String?
    ) throws(HTTPProblem) -> Subscription {
        let (items, continuation) = AsyncStream.makeStream(
            of: Item.self, bufferingPolicy: .bufferingOldest(GatewayLimits.eventBacklog))
        return try state.withLock { state throws(HTTPProblem) in
            guard !state.isClosed, state.subscribers < GatewayLimits.eventSubscribers else {
                throw .unavailable("The server takes no further event streams now.", retryAfterSeconds: 5)
            }
            var mailbox = Self.takeMailbox(of: userID, &state, before: state.sequence + 1)
            guard mailbox.subscribers.count < GatewayLimits.eventSubscribersPerUser else {
                state.mailboxes[userID] = mailbox
                throw .tooManyRequests(
                    "At most \(GatewayLimits.eventSubscribersPerUser) event streams a user.",
                    retryAfterSeconds: 5)
            }
            state.clock += 1
            let key = state.clock
            mailbox.subscribers[key] = Subscriber(sessionID: sessionID, continuation: continuation)
            state.subscribers += 1
            state.mailboxes[userID] = mailbox
            let known = lastEventID.map { sequence(of: $0) }
            var missed: [Event] = []
            var hasGap = false
            if let asked = known {
                hasGap = asked.map { $0 < mailbox.forgottenThrough } ?? true
                missed = mailbox.recent.filter { $0.sequence > asked ?? 0 }
            }
            return Subscription(
                owner: self, userID: userID, key: key, missed: missed, hasGap: hasGap,
                position: state.sequence,
                items: items, continuation: continuation)
        }
    }

    /// Ends the streams of a session that ended.
    package func endSession(_ sessionID: String) {
        state.withLock { state in
            for (userID, mailbox) in state.mailboxes {
                for (key, subscriber) in mailbox.subscribers where subscriber.sessionID == sessionID {
                    subscriber.continuation.finish()
                    state.mailboxes[userID]?.subscribers[key] = nil
                    state.subscribers -= 1
                }
            }
        }
    }

    /// Ends all streams and takes no new ones: the server stops.
    package func close() {
        state.withLock { state in
            state.isClosed = true
            for mailbox in state.mailboxes.values {
                for subscriber in mailbox.subscribers.values { subscriber.continuation.finish() }
            }
            state.mailboxes = [:]
            state.subscribers = 0
        }
    }

    fileprivate func unsubscribe(userID: String, key: UInt64) {
        state.withLock { state in
            guard state.mailboxes[userID]?.subscribers.removeValue(forKey: key) != nil else { return }
            state.subscribers -= 1
        }
    }

    /// The sequence in an id of this run; nil for any other text.
    private func sequence(of id: String) -> UInt64? {
        guard id.hasPrefix(run + "-") else { return nil }
        return UInt64(id.dropFirst(run.utf8.count + 1))
    }

    /// The user's mailbox, a new one where there is none; it must be stored back. At the bound of users the one
    /// unused for longest, without a stream, is forgotten: O(users), once for an eighth of them.
    private static func takeMailbox(of userID: String, _ state: inout State, before next: UInt64) -> Mailbox {
        state.clock += 1
        if var mailbox = state.mailboxes[userID] {
            mailbox.usedAt = state.clock
            return mailbox
        }
        if state.mailboxes.count >= GatewayLimits.eventUsers {
            let idle = state.mailboxes.filter { $0.value.subscribers.isEmpty }
            let oldest = idle.sorted { $0.value.usedAt < $1.value.usedAt }.prefix(
                GatewayLimits.eventUsers / 8)
            for (userID, _) in oldest { state.mailboxes[userID] = nil }
        }
        return Mailbox(forgottenThrough: next - 1, usedAt: state.clock)
    }
}

extension UserEvents {
    /// One open stream.
    package struct Subscription: Sendable {
        fileprivate let owner: UserEvents
        fileprivate let userID: String
        fileprivate let key: UInt64
        /// Events since the id the client named.
        package let missed: [Event]
        /// Whether events between that id and `missed` are lost: the client has to read its state anew.
        package let hasGap: Bool
        /// Sequence of the newest event of anyone when the stream was opened.
        package let position: UInt64
        package let items: AsyncStream<Item>
        fileprivate let continuation: AsyncStream<Item>.Continuation

        /// Asks the stream for a sign of life. Dropped when the stream has other things to say.
        package func beat() { continuation.yield(.heartbeat) }

        /// Ends the stream. Idempotent.
        package func cancel() {
            continuation.finish()
            owner.unsubscribe(userID: userID, key: key)
        }
    }
}
