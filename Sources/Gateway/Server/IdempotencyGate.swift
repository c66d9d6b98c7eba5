import HTTPTypes
import Hummingbird
import Identity
import NIOCore

/// Honours `Idempotency-Key` (IETF draft idempotency-key-header): the first call with a key does the work, a repeat
/// with the same body gets the same answer, one with another body is refused.
package struct IdempotencyGate: Sendable {
    private let store: any IdempotencyStore
    private let now: @Sendable () -> Int64

    package init(store: any IdempotencyStore, now: @escaping @Sendable () -> Int64) {
        self.store = store
        self.now = now
    }

    /// Answers the request by its handler, or from memory. Only answers of success are kept: after a failure the
    /// same key may be tried again.
    package func answer(_ request: Request, _ context: GatewayContext, _ route: Route) async throws
        -> Response
    {
        guard let text = request.headers[.idempotencyKey] else {
            return try await route.handler(request, context)
        }
        guard (1...IdempotencyLimits.keyBytes).contains(text.utf8.count) else {
            throw HTTPProblem.malformed(
                "An Idempotency-Key has 1 to \(IdempotencyLimits.keyBytes) characters.")
        }
        let owner = context.caller?.userID ?? ClientAddress.subject(of: context.address)
        // The real path, not the pattern: the same key for two rooms is two calls.
        let key = IdempotencyKey(
            key: text, userID: owner, route: "\(route.method.rawValue) \(request.uri.path)")
        let hash = Hashing.sha256(Array(buffer: context.body))
        switch try await store.claim(key, bodyHash: hash, atMs: now()) {
        case .claimed:
            return try await answerClaimed(key, request, context, route)
        case .inProgress:
            throw HTTPProblem.conflict(
                "request_in_progress", "The first call with this Idempotency-Key still runs.")
        case .mismatch:
            throw HTTPProblem.invalid(
                "Idempotency-Key", "was used with another body", code: "idempotency_key_reused")
        case .completed(let status, let body):
            return Response(
                status: .init(code: status),
                headers: [.contentType: "application/json; charset=utf-8", .idempotencyReplayed: "true"],
                body: .init(byteBuffer: ByteBuffer(bytes: body)))
        }
    }

    private func answerClaimed(
        _ key: IdempotencyKey, _ request: Request, _ context: GatewayContext, _ route: Route
    ) async throws -> Response {
        do {
            let response = try await route.handler(request, context)
            guard response.status.kind == .successful else {
                try await store.release(key)
                return response
            }
            let recorder = BodyRecorder()
            try await response.body.write(recorder)
            // The work is done: an answer that cannot be kept is given all the same.
            try? await store.complete(key, status: response.status.code, body: recorder.bytes, atMs: now())
            return response
        } catch {
            // Best effort: a claim that stays is given up by the store after a minute.
            try? await store.release(key)
            throw error
        }
    }
}
