import HTTPTypes
import Hummingbird
import NIOCore
import Traces

/// One fault of one field of a request body or query.
package struct FieldFault: Sendable, Equatable {
    /// The field's path in the request: `handle`, `user.name`, `languages.0`.
    package var field: String
    /// What is wrong, for people.
    package var message: String
    /// What is wrong, for programs: `missing`, `type`, `length`, …
    package var code: String

    package init(field: String, message: String, code: String) {
        self.field = field
        self.message = message
        self.code = code
    }
}

/// The one error of the HTTP interface, sent as `application/problem+json` (RFC 9457). Its texts are written for the
/// caller: nothing internal goes in.
package struct HTTPProblem: Error, Sendable {
    package var status: HTTPResponse.Status
    /// Stable name of the problem; its `type` is `urn:coduel:problem:CODE`.
    package var code: String
    package var detail: String
    package var errors: [FieldFault]
    /// Fields of the answer that belong to this problem: `WWW-Authenticate`, `Allow`, `Retry-After`.
    package var headers: HTTPFields

    package init(
        _ status: HTTPResponse.Status, code: String, detail: String, errors: [FieldFault] = [],
        headers: HTTPFields = [:]
    ) {
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = headers
    }

    /// The body is not what its content type promises, or a parameter cannot be read at all.
    package static func malformed(_ detail: String) -> HTTPProblem {
        HTTPProblem(.badRequest, code: "malformed", detail: detail)
    }

    /// No token (`error` nil), or a bad one (RFC 6750 §3).
    package static func unauthorized(_ detail: String, error: String? = nil) -> HTTPProblem {
        let challenge = error.map { "Bearer realm=\"coduel\", error=\"\($0)\"" } ?? "Bearer realm=\"coduel\""
        return HTTPProblem(
            .unauthorized, code: error ?? "token_missing", detail: detail,
            headers: [.wwwAuthenticate: challenge])
    }

    package static func forbidden(_ detail: String, code: String = "forbidden") -> HTTPProblem {
        HTTPProblem(.forbidden, code: code, detail: detail)
    }

    /// Also for what the caller may not know to exist.
    package static func notFound(_ detail: String = "There is nothing here.") -> HTTPProblem {
        HTTPProblem(.notFound, code: "not_found", detail: detail)
    }

    package static func methodNotAllowed(_ allowed: [String]) -> HTTPProblem {
        let list = allowed.sorted().joined(separator: ", ")
        return HTTPProblem(
            .methodNotAllowed, code: "method_not_allowed", detail: "This path takes \(list).",
            headers: [.allow: list])
    }

    package static func conflict(_ code: String, _ detail: String) -> HTTPProblem {
        HTTPProblem(.conflict, code: code, detail: detail)
    }

    package static func tooLarge(limit: Int) -> HTTPProblem {
        HTTPProblem(
            .contentTooLarge, code: "body_too_large", detail: "The body may have at most \(limit) bytes.")
    }

    package static func unsupportedMediaType(expected: [String]) -> HTTPProblem {
        HTTPProblem(
            .unsupportedMediaType, code: "unsupported_media_type",
            detail: "The body must be \(expected.joined(separator: " or ")).")
    }

    /// A body that can be read but not accepted.
    package static func invalid(_ errors: [FieldFault]) -> HTTPProblem {
        HTTPProblem(
            .unprocessableContent, code: "invalid", detail: "Some fields are not acceptable.", errors: errors)
    }

    package static func invalid(_ field: String, _ message: String, code: String = "invalid") -> HTTPProblem {
        invalid([FieldFault(field: field, message: message, code: code)])
    }

    package static func tooManyRequests(_ detail: String, retryAfterSeconds: Int) -> HTTPProblem {
        HTTPProblem(
            .tooManyRequests, code: "rate_limited", detail: detail,
            headers: [.retryAfter: String(max(1, retryAfterSeconds))])
    }

    package static func unavailable(_ detail: String, retryAfterSeconds: Int = 1) -> HTTPProblem {
        HTTPProblem(
            .serviceUnavailable, code: "unavailable", detail: detail,
            headers: [.retryAfter: String(max(1, retryAfterSeconds))])
    }

    /// Our own fault. What happened goes to the log, under the request's id, and never to the caller.
    package static let internalError = HTTPProblem(
        .internalServerError, code: "internal", detail: "The server failed to answer this request.")

    /// The answer that carries this problem, and the trace it happened in.
    package func response(traceID: TraceID? = nil) -> Response {
        let body = Body(
            type: "urn:coduel:problem:\(code)", title: status.reasonPhrase, status: status.code,
            detail: detail,
            code: code, errors: errors.map { .init(field: $0.field, message: $0.message, code: $0.code) },
            traceID: traceID?.description)
        var fields = headers
        fields[.contentType] = "application/problem+json"
        fields[.cacheControl] = "no-store"
        return Response(status: status, headers: fields, body: .init(byteBuffer: JSONCoding.encode(body)))
    }

    private struct Body: Encodable {
        struct Fault: Encodable {
            var field: String
            var message: String
            var code: String
        }
        var type: String
        var title: String
        var status: Int
        var detail: String
        var code: String
        var errors: [Fault]
        var traceID: String?
    }
}
