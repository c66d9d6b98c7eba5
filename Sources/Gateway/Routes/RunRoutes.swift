import Foundation
import Hummingbird
import Identity
import Judging

/// Programs run on an input of the caller's own.
package enum RunRoutes {
    /// The text of a room's file, as the caller may see it now; throws what the room's own calls throw.
    package typealias RoomSource =
        @Sendable (_ caller: Caller, _ roomID: String, _ document: String?, _ file: String?) async throws ->
        String

    /// - Parameter admit: throws where programs are not run now.
    package static func routes(
        judge: JudgeService, languages: LanguageTable, admit: @escaping @Sendable () throws -> Void = {},
        roomSource: @escaping RoomSource
    ) -> [Route] {
        [
            Route(
                .post, "/api/v1/runs", body: .json(limit: GatewayLimits.sourceBody), limits: [.runs],
                idempotent: true
            ) { _, context in
                let caller = try context.requireCaller()
                let body = try context.decode(Order.self)
                try admit()
                let language = try SourceRules.language(body.language, of: languages)
                let input = try input(of: body)
                guard input.count <= GatewayLimits.standardInputBytes else {
                    throw HTTPProblem.invalid(
                        "stdin", "has more than \(GatewayLimits.standardInputBytes) bytes", code: "length")
                }
                let source = try await source(of: body, caller, roomSource)
                try SourceRules.check(source)
                let id = try await judge.startRun(
                    userID: caller.userID, language: language, source: Array(source.utf8),
                    stdin: input)
                return .json(
                    RunReply(id: id, state: .queued), status: .accepted,
                    headers: [.location: "/api/v1/runs/\(id)"])
            },
            Route(.get, "/api/v1/runs/{id}") { request, context in
                let caller = try context.requireCaller()
                let id = try context.parameter("id")
                try await SubmissionStream.wait(
                    id, seconds: try SubmissionStream.seconds(request), judge.watches
                ) {
                    switch await judge.runState(id, userID: caller.userID) {
                    case .queued?, .running?: false
                    case .finished?, nil: true
                    }
                }
                guard let state = await judge.runState(id, userID: caller.userID) else {
                    throw HTTPProblem.notFound("There is no such run, or it is gone.")
                }
                return .json(RunReply(id: id, state: state))
            },
        ]
    }

    /// Text, or bytes in base64.
    private static func input(of order: Order) throws(HTTPProblem) -> [UInt8] {
        guard let encoded = order.stdinBase64 else { return Array((order.stdin ?? "").utf8) }
        if order.stdin != nil {
            throw .invalid("stdin_base64", "is given beside stdin; send one of them", code: "conflict")
        }
        guard let data = Data(base64Encoded: encoded) else {
            throw .invalid("stdin_base64", "is not base64", code: "value")
        }
        return [UInt8](data)
    }

    private static func source(
        of order: Order, _ caller: Caller, _ roomSource: RoomSource
    ) async throws -> String {
        switch (order.source, order.roomID) {
        case (let source?, nil): return source
        case (nil, let roomID?): return try await roomSource(caller, roomID, order.document, order.file)
        case (nil, nil): throw HTTPProblem.invalid("source", "is missing", code: "missing")
        case (.some, .some):
            throw HTTPProblem.invalid("source", "is given beside room_id; send one of them", code: "conflict")
        }
    }

    private struct Order: Decodable {
        var language: String
        var source: String?
        var stdin: String?
        var stdinBase64: String?
        var roomID: String?
        var document: String?
        var file: String?

        /// Keys come with `snake_case` already taken off, which gives `roomId`.
        private enum CodingKeys: String, CodingKey {
            case language, source, stdin, stdinBase64, document, file
            case roomID = "roomId"
        }
    }
}

/// A run as its owner sees it: the fields of `coduel sandbox run`, all null until it is finished.
package struct RunReply: Encodable, Sendable {
    package enum Status: String, Encodable, Sendable { case queued, running, finished }

    package var id: String
    package var status: Status
    @Nullable package var verdict: Verdict?
    @Nullable package var exitCode: Int32?
    @Nullable package var signal: Int32?
    @Nullable package var cpuTimeMs: Int?
    @Nullable package var wallTimeMs: Int?
    @Nullable package var memoryBytes: Int64?
    @Nullable package var stdout: String?
    @Nullable package var stderr: String?
    @Nullable package var stdoutBase64: String?
    @Nullable package var stderrBase64: String?
    @Nullable package var stdoutTruncated: Bool?
    @Nullable package var stderrTruncated: Bool?
    @Nullable package var compile: ExecutionReply?
    package var layers: [String]

    package init(id: String, state: RunState) {
        self.id = id
        var execution: ExecutionReply?
        var outcome: RunOutcome?
        switch state {
        case .queued: status = .queued
        case .running: status = .running
        case .finished(let finished):
            status = .finished
            outcome = finished
            execution = finished.execution.map { ExecutionReply($0) }
        }
        verdict = outcome?.verdict
        exitCode = execution?.exitCode
        signal = execution?.signal
        cpuTimeMs = execution?.cpuTimeMs
        wallTimeMs = execution?.wallTimeMs
        memoryBytes = execution?.memoryBytes
        stdout = execution?.stdout
        stderr = execution?.stderr
        stdoutBase64 = execution?.stdoutBase64
        stderrBase64 = execution?.stderrBase64
        stdoutTruncated = execution?.stdoutTruncated
        stderrTruncated = execution?.stderrTruncated
        compile = outcome.map { ExecutionReply($0.compile) }
        layers = outcome.map { $0.execution?.layers ?? $0.compile.layers } ?? []
    }
}

/// One execution in the sandbox. In a text, bytes that are no UTF-8 come as U+FFFD; the whole then stands beside it in
/// base64.
package struct ExecutionReply: Encodable, Sendable {
    @Nullable package var exitCode: Int32?
    @Nullable package var signal: Int32?
    package var cpuTimeMs: Int
    package var wallTimeMs: Int
    package var memoryBytes: Int64
    package var stdout: String
    package var stderr: String
    @Nullable package var stdoutBase64: String?
    @Nullable package var stderrBase64: String?
    package var stdoutTruncated: Bool
    package var stderrTruncated: Bool
    package var layers: [String]

    package init(_ result: ExecutionResult) {
        exitCode = result.exitCode
        signal = result.signal
        cpuTimeMs = result.cpuTimeMs
        wallTimeMs = result.wallTimeMs
        memoryBytes = result.memoryBytes
        stdout = String(decoding: result.standardOutput, as: UTF8.self)
        stderr = String(decoding: result.standardError, as: UTF8.self)
        stdoutBase64 = Self.base64(result.standardOutput)
        stderrBase64 = Self.base64(result.standardError)
        stdoutTruncated = result.outputTruncated
        stderrTruncated = result.errorTruncated
        layers = result.layers
    }

    /// Nil for UTF-8.
    private static func base64(_ bytes: [UInt8]) -> String? {
        String(validating: bytes, as: UTF8.self) == nil ? Data(bytes).base64EncodedString() : nil
    }
}
