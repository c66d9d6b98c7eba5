import Synchronization

/// What those who watch a submission are told while it is judged. That a stream ends means: look at the store.
public enum SubmissionNews: Sendable, Equatable {
    case status(SubmissionStatus)
    /// A test is through; how many were accepted so far, and how many there are.
    case test(TestResult, testsPassed: Int, testsTotal: Int)
}

/// Streams of news about submissions (and ends of runs) by id, for long polls and event streams. Thread-safe, bounded;
/// telling never waits for a reader: one that lags misses news, never the end.
public final class SubmissionWatches: Sendable {
    private struct State {
        var streams: [String: [UInt64: AsyncStream<SubmissionNews>.Continuation]] = [:]
        var count = 0
        var next: UInt64 = 0
        var isClosed = false
    }

    private let state = Mutex(State())

    public init() {}

    /// News from now on, until the submission is finished or the server stops. Nil when too many watch already.
    public func watch(_ id: String) -> AsyncStream<SubmissionNews>? {
        let (stream, continuation) = AsyncStream.makeStream(
            of: SubmissionNews.self, bufferingPolicy: .bufferingNewest(Limits.watchBacklog))
        let key: UInt64? = state.withLock { state in
            guard !state.isClosed, state.count < Limits.watches,
                state.streams[id, default: [:]].count < Limits.watchesPerSubmission
            else { return nil }
            state.next += 1
            state.count += 1
            state.streams[id, default: [:]][state.next] = continuation
            return state.next
        }
        guard let key else { return nil }
        continuation.onTermination = { [weak self] _ in self?.remove(id, key) }
        return stream
    }

    func tell(_ id: String, _ news: SubmissionNews) {
        let streams = state.withLock { $0.streams[id].map { Array($0.values) } ?? [] }
        for stream in streams { stream.yield(news) }
    }

    func end(_ id: String) {
        let streams = state.withLock { state in
            let ended = state.streams.removeValue(forKey: id) ?? [:]
            state.count -= ended.count
            return Array(ended.values)
        }
        for stream in streams { stream.finish() }
    }

    /// Ends all streams and takes no new ones.
    func close() {
        let streams = state.withLock { state in
            defer { state = State(isClosed: true) }
            return state.streams.values.flatMap { Array($0.values) }
        }
        for stream in streams { stream.finish() }
    }

    private func remove(_ id: String, _ key: UInt64) {
        state.withLock { state in
            guard state.streams[id]?.removeValue(forKey: key) != nil else { return }
            state.count -= 1
            if state.streams[id]?.isEmpty == true { state.streams[id] = nil }
        }
    }
}
