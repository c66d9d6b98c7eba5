import Synchronization
import Traces

/// Takes finished spans and posts them in batches to an OTLP collector. Bounded: while the collector is slow or away
/// spans are dropped and counted, and nothing else of the server notices.
public final class SpanExporter: Sendable {
    /// Posts a body of JSON; gives the HTTP status, or nil where there was no answer.
    public typealias Send = @Sendable (_ body: [UInt8]) async -> Int?

    /// What became of spans since the start.
    public struct Counts: Sendable, Equatable {
        public var exported: UInt64 = 0
        /// There was no space, or the collector would not have them.
        public var dropped: UInt64 = 0
        /// Waiting now.
        public var waiting = 0
    }

    private struct State {
        var waiting: [Span] = []
        var exported: UInt64 = 0
        var dropped: UInt64 = 0
    }

    private let resource: OTLP.Resource
    private let send: Send
    private let state = Mutex(State())

    /// - Parameter instance: tells this process from others of the service.
    public init(service: String, version: String, instance: String, send: @escaping Send) {
        resource = OTLP.Resource(name: service, version: version, instance: instance)
        self.send = send
    }

    public var counts: Counts {
        state.withLock { Counts(exported: $0.exported, dropped: $0.dropped, waiting: $0.waiting.count) }
    }

    /// Keeps a span for the next batch. Does not block; O(1).
    public func record(_ span: Span) {
        state.withLock { state in
            guard state.waiting.count < Limits.waitingSpans else {
                state.dropped &+= 1
                return
            }
            state.waiting.append(span)
        }
    }

    /// Sends until its task is cancelled, and then what is left, once.
    public func run() async {
        repeat {
            try? await Task.sleep(for: Limits.sendInterval)
            await flush(mayRetry: !Task.isCancelled)
        } while !Task.isCancelled
    }

    /// Sends all that waits now.
    private func flush(mayRetry: Bool) async {
        var left = state.withLock { $0.waiting.count }
        while left > 0 {
            let batch = take()
            guard !batch.isEmpty else { return }
            left -= batch.count
            await deliver(batch, mayRetry: mayRetry)
        }
    }

    private func take() -> [Span] {
        state.withLock { state in
            let batch = Array(state.waiting.prefix(Limits.spansPerRequest))
            state.waiting.removeFirst(batch.count)
            return batch
        }
    }

    private func deliver(_ batch: [Span], mayRetry: Bool) async {
        let body = OTLP.request(batch, from: resource)
        for pause in (mayRetry ? Limits.retryPauses : []) + [nil] {
            // A task of its own: the last batch leaves although ours is cancelled.
            let send = send
            let status = await Task { await send(body) }.value
            if let status, (200..<300).contains(status) {
                return state.withLock { $0.exported &+= UInt64(batch.count) }
            }
            // Only these may be tried again (OTLP specification, "Retryable Response Codes").
            guard let pause, status.map([429, 502, 503, 504].contains) ?? true else { break }
            do { try await Task.sleep(for: pause) } catch { break }
        }
        state.withLock { $0.dropped &+= UInt64(batch.count) }
    }
}
