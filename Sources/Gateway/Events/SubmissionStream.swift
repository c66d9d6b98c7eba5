import Hummingbird
import Judging
import NIOCore

/// Waiting for a submission: once, or as server-sent events while it is judged.
enum SubmissionStream {
    /// Returns when `isOver` holds, when the submission or run of that id ends, or after so many seconds. Where too many
    /// wait already it returns at once.
    static func wait(
        _ id: String, seconds: Int, _ watches: SubmissionWatches, isOver: () async throws -> Bool
    ) async throws {
        guard seconds > 0, let news = watches.watch(id), try await !isOver() else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in news {} }
            group.addTask { try? await Task.sleep(for: .seconds(seconds)) }
            await group.next()
            group.cancelAll()
        }
    }

    /// The `wait` of a query, seconds: 0 without one.
    static func seconds(_ request: Request) throws(HTTPProblem) -> Int {
        guard let text = request.uri.queryParameters["wait"] else { return 0 }
        guard let seconds = Int(text), (0...GatewayLimits.longestWait).contains(seconds) else {
            throw .invalid(
                "wait", "is a number of seconds from 0 to \(GatewayLimits.longestWait)", code: "range")
        }
        return seconds
    }

    /// Events `status`, `test` and at last `finished` with the whole submission; a stream that ends without it means
    /// that the server stops.
    static func response(
        _ submission: Submission, _ news: AsyncStream<SubmissionNews>,
        read: @escaping @Sendable () async throws -> Submission?
    ) -> Response {
        let (items, continuation) = AsyncStream.makeStream(
            of: SubmissionNews?.self, bufferingPolicy: .bufferingNewest(GatewayLimits.eventBacklog))
        let body = ResponseBody { writer in
            let beats = Task {
                while !Task.isCancelled {
                    try await Task.sleep(for: GatewayLimits.eventHeartbeat)
                    continuation.yield(nil)
                }
            }
            let reader = Task {
                for await item in news { continuation.yield(item) }
                continuation.finish()
            }
            defer {
                beats.cancel()
                reader.cancel()
            }
            try await writer.write(event("status", StatusReply(status: submission.status)))
            for await item in items {
                try await writer.write(item.map(text) ?? ByteBuffer(string: ":\n\n"))
            }
            if let last = try await read(), last.judgement != nil {
                try await writer.write(event("finished", SubmissionView(last)))
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream", .cacheControl: "no-store", .connection: "keep-alive",
            ],
            body: body)
    }

    private struct StatusReply: Encodable {
        var status: SubmissionStatus
    }

    private struct TestReply: Encodable {
        var test: SubmissionView.Test
        var testsPassed: Int
        var testsTotal: Int
    }

    private static func text(of news: SubmissionNews) -> ByteBuffer {
        switch news {
        case .status(let status): event("status", StatusReply(status: status))
        case .test(let result, let passed, let total):
            event(
                "test",
                TestReply(test: SubmissionView.Test(result), testsPassed: passed, testsTotal: total))
        }
    }

    /// JSON as this interface writes it has no line ends.
    private static func event(_ type: String, _ value: some Encodable) -> ByteBuffer {
        var buffer = ByteBuffer(string: "event: \(type)\ndata: ")
        buffer.writeImmutableBuffer(JSONCoding.encode(value))
        buffer.writeString("\n\n")
        return buffer
    }
}
