import Gateway
import Judging
import Synchronization
import Traces

/// Measures the judge, and ties what it does to the traces of those who asked for it. A trace is kept in memory from
/// taking a submission to its verdict; judging that goes on after a restart begins a trace of its own.
final class JudgeObservation: Sendable {
    private struct Asked {
        var trace: TraceContext?
        var verdict: String?
    }

    private let tracer: Tracer
    private let metrics: Metrics
    private let now: @Sendable () -> Int64
    private let asked = Mutex<[String: Asked]>([:])

    /// Submissions whose traces are kept; more are judged without one.
    private static let capacity = 20_000

    init(tracer: Tracer, metrics: Metrics, now: @escaping @Sendable () -> Int64) {
        self.tracer = tracer
        self.metrics = metrics
        self.now = now
    }

    /// Hands a submission to the judge; what is done to it belongs to the trace of the calling task, unless it is
    /// refused.
    func submitting(
        _ id: String, _ submit: () async throws(JudgingError) -> Void
    ) async throws(JudgingError) {
        if let trace = TraceContext.current {
            asked.withLock { asked in
                if asked.count < Self.capacity { asked[id] = Asked(trace: trace) }
            }
        }
        do throws(JudgingError) {
            try await submit()
        } catch {
            asked.withLock { $0[id] = nil }
            throw error
        }
    }

    /// `JudgeService.AttemptScope`.
    func attempt(
        _ submission: Submission, _ body: @Sendable () async throws -> Bool
    ) async throws -> Bool {
        let startMs = now()
        if submission.attempts == 0 {
            metrics.observe(.judgeWait, Self.seconds(from: submission.createdAtMs, to: startMs))
        }
        let trace = asked.withLock { $0[submission.id]?.trace }
        let isDone = try await TraceContext.$current.withValue(trace) {
            try await tracer.span("process judge", .consumer, attributes: Self.attributes(submission)) {
                span in
                let isDone = try await body()
                span?["coduel.verdict"] = asked.withLock { $0[submission.id]?.verdict }.map { .text($0) }
                return isDone
            }
        }
        if isDone { asked.withLock { $0[submission.id] = nil } }
        metrics.observe(.judgeRun, Self.seconds(from: startMs, to: now()), labels: [submission.language])
        return isDone
    }

    func finished(_ submission: Submission, verdict: String) {
        metrics.add(.verdicts, labels: [verdict, submission.language])
        metrics.observe(.judgeVerdict, Self.seconds(from: submission.createdAtMs, to: now()))
        asked.withLock { $0[submission.id]?.verdict = verdict }
    }

    private static func seconds(from startMs: Int64, to endMs: Int64) -> Double {
        max(0, Double(endMs) - Double(startMs)) / 1_000
    }

    private static func attributes(_ submission: Submission) -> [String: Span.Value] {
        var attributes: [String: Span.Value] = [
            "messaging.operation.type": .text("process"), "messaging.destination.name": .text("judge"),
            "messaging.message.id": .text(submission.id), "coduel.language": .text(submission.language),
            "coduel.problem.id": .text(submission.problemID),
            "coduel.attempt": .integer(Int64(submission.attempts + 1)),
        ]
        if let origin = submission.origin { attributes["coduel.room.id"] = .text(origin.roomID) }
        return attributes
    }
}
