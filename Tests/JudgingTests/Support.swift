import Judging
import Problems
import Synchronization

/// Time that only tests move.
final class TestClock: Sendable {
    private let value = Mutex<Int64>(1_000_000)

    var now: Int64 { value.withLock { $0 } }

    func advance(by milliseconds: Int64) { value.withLock { $0 += milliseconds } }
}

/// Holds runs of chosen sources until they are let go.
actor Gate {
    private var held: Set<String>
    private var waiters: [String: [CheckedContinuation<Void, Never>]] = [:]
    private var arrivals: [String: Int] = [:]
    private var arrivalWaiters: [(String, Int, CheckedContinuation<Void, Never>)] = []

    init(holding sources: Set<String>) { held = sources }

    func pass(_ source: String) async {
        arrivals[source, default: 0] += 1
        let ready = arrivalWaiters.filter { arrivals[$0.0, default: 0] >= $0.1 }
        arrivalWaiters.removeAll { arrivals[$0.0, default: 0] >= $0.1 }
        for waiter in ready { waiter.2.resume() }
        guard held.contains(source) else { return }
        await withCheckedContinuation { waiters[source, default: []].append($0) }
    }

    func open(_ source: String) {
        held.remove(source)
        for waiter in waiters.removeValue(forKey: source) ?? [] { waiter.resume() }
    }

    /// Returns once that many runs of the source have arrived.
    func arrived(_ source: String, times: Int = 1) async {
        guard arrivals[source, default: 0] < times else { return }
        await withCheckedContinuation { arrivalWaiters.append((source, times, $0)) }
    }
}

/// What the service reported, in order, and a way to wait for ends.
actor Reports {
    private(set) var finished: [Submission] = []
    private(set) var progress:
        [(id: String, passed: Int, total: Int, status: SubmissionStatus, atMs: Int64)] = []
    private(set) var faults: [String] = []
    private var waiters: [(Int, CheckedContinuation<Void, Never>)] = []

    func add(_ submission: Submission) {
        finished.append(submission)
        let ready = waiters.filter { $0.0 <= finished.count }
        waiters.removeAll { $0.0 <= finished.count }
        for waiter in ready { waiter.1.resume() }
    }

    func add(progress id: String, _ passed: Int, _ total: Int, _ status: SubmissionStatus, atMs: Int64) {
        progress.append((id, passed, total, status, atMs))
    }

    func add(fault: String) { faults.append(fault) }

    func wait(for count: Int) async {
        guard finished.count < count else { return }
        await withCheckedContinuation { waiters.append((count, $0)) }
    }

    var verdicts: [String: Verdict] {
        Dictionary(
            finished.map { ($0.id, $0.judgement?.verdict ?? .judgeError) },
            uniquingKeysWith: { first, _ in first })
    }
}

actor MemorySubmissionStore: SubmissionStore {
    private(set) var rows: [String: Submission] = [:]
    private var order: [String] = []
    private var failures: Int

    /// The first `failures` calls of `advance` fail.
    init(_ submissions: [Submission] = [], failures: Int = 0) {
        for submission in submissions {
            rows[submission.id] = submission
            order.append(submission.id)
        }
        self.failures = failures
    }

    struct Failure: Error {}

    func insert(_ submission: Submission) -> Bool {
        guard rows[submission.id] == nil else { return false }
        rows[submission.id] = submission
        order.append(submission.id)
        return true
    }

    func submission(_ id: String) -> Submission? { rows[id] }

    func unfinished() -> [Submission] { order.compactMap { rows[$0] }.filter { $0.status != .finished } }

    func advance(_ id: String, to status: SubmissionStatus, beginsAttempt: Bool) throws {
        if failures > 0 {
            failures -= 1
            throw Failure()
        }
        guard rows[id]?.status != .finished else { return }
        rows[id]?.status = status
        if beginsAttempt { rows[id]?.attempts += 1 }
    }

    /// Whatever stood before.
    func set(_ id: String, _ judgement: Judgement) { rows[id]?.judgement = judgement }

    func finish(_ id: String, _ judgement: Judgement, atMs: Int64) -> Bool {
        guard let row = rows[id], row.judgement == nil else { return false }
        rows[id]?.judgement = judgement
        rows[id]?.status = .finished
        rows[id]?.finishedAtMs = atMs
        return true
    }
}

/// A submission to the problem `sums`.
func submission(
    _ id: String, user: String = "u", source: String = "ok", problem: String = "sums",
    language: String = "python",
    inRoom: Bool = false, attempts: Int = 0
) -> Submission {
    Submission(
        id: id, userID: user, problemID: problem, language: language, source: source, sha256: "",
        origin: inRoom ? SubmissionOrigin(roomID: "r", document: "main", file: "main.py", sequence: 1) : nil,
        attempts: attempts, createdAtMs: 0)
}
