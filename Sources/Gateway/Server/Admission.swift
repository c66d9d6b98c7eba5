import HTTPTypes
import Hummingbird
import Identity
import NIOCore

/// Lets a request in, or says why not: rate limit an address, token, role, rate limit a user, content type and size,
/// in this order, so that what costs more comes later and a stranger learns less.
package struct Admission: Sendable {
    package typealias Authenticate = @Sendable (_ accessToken: String) async throws -> Caller

    private let authenticate: Authenticate
    private let limiter: RateLimiter
    private let metrics: Metrics
    private let bodyTimeoutMs: Int64
    private let now: @Sendable () -> Int64

    package init(
        authenticate: @escaping Authenticate, limiter: RateLimiter, metrics: Metrics,
        bodyTimeoutMs: Int64, now: @escaping @Sendable () -> Int64
    ) {
        self.authenticate = authenticate
        self.limiter = limiter
        self.metrics = metrics
        self.bodyTimeoutMs = bodyTimeoutMs
        self.now = now
    }

    /// Fills in the caller and the body. The fields of the limits this call counted against are left in `fields`,
    /// also when it throws.
    package func admit(
        _ request: Request, to route: Route, _ context: inout GatewayContext, fields: inout HTTPFields
    ) async throws {
        let address = ClientAddress.subject(of: context.address)
        for policy in route.limits where policy.isByAddress {
            try take(policy, subject: address, fields: &fields)
        }
        try await identify(request, for: route, &context, fields: &fields)
        let subject = context.caller.map { "user:\($0.userID)" } ?? address
        for policy in route.limits where !policy.isByAddress {
            try take(policy, subject: subject, fields: &fields)
        }
        try await readBody(of: request, as: route.body, &context)
    }

    private func take(_ policy: RatePolicyName, subject: String, fields: inout HTTPFields) throws(HTTPProblem)
    {
        guard let decision = limiter.take(policy, subject: subject, atMs: now()) else { return }
        metrics.add(
            .rateLimitDecisions, labels: [policy.rawValue, decision.isAllowed ? "allowed" : "refused"])
        // Of several limits all are told.
        fields[.rateLimitPolicy] = [fields[.rateLimitPolicy], decision.policyField].compactMap(\.self)
            .joined(separator: ", ")
        fields[.rateLimit] = [fields[.rateLimit], decision.limitField].compactMap(\.self)
            .joined(separator: ", ")
        if !decision.isAllowed {
            throw .tooManyRequests(
                "The limit \"\(policy.rawValue)\" is \(decision.quota) in \(decision.windowSeconds) s.",
                retryAfterSeconds: decision.resetSeconds)
        }
    }

    private func identify(
        _ request: Request, for route: Route, _ context: inout GatewayContext, fields: inout HTTPFields
    ) async throws {
        let isRequired: Bool
        switch route.access {
        case .open: return
        case .optional: isRequired = false
        case .caller, .roles: isRequired = true
        }
        guard let header = request.headers[.authorization] else {
            if isRequired { throw HTTPProblem.unauthorized("This call needs an access token.") }
            return
        }
        do {
            guard let token = Self.bearerToken(header) else {
                throw HTTPProblem.unauthorized(
                    "The Authorization field holds no bearer token.", error: "invalid_token")
            }
            context.caller = try await authenticate(token)
        } catch {
            let problem = HTTPProblem.describing(error)
            if problem.status == .unauthorized {
                try take(.refusals, subject: ClientAddress.subject(of: context.address), fields: &fields)
            }
            throw problem
        }
        if let scopes = context.caller?.scopes {
            guard let scope = route.scope, scopes.contains(scope) else {
                throw HTTPProblem.forbidden(
                    route.scope.map { "This call needs a key with the scope \($0.rawValue)." }
                        ?? "Service accounts cannot make this call.", code: "scope_missing")
            }
        }
        if let scopes = context.caller?.tokenScopes { try Self.check(scopes, for: route) }
        if case .roles(let roles) = route.access, let caller = context.caller,
            caller.roles.isDisjoint(with: roles)
        {
            throw HTTPProblem.forbidden("This call needs another role.", code: "role_missing")
        }
    }

    /// Whether a personal token is good for a call.
    private static func check(_ scopes: Set<TokenScope>, for route: Route) throws(HTTPProblem) {
        guard case .scope(let scope) = route.tokenRule else {
            throw .forbidden("This call needs a log-in, not a personal token.", code: "session_required")
        }
        var needed = [scope]
        if case .roles = route.access { needed.append(.admin) }
        for scope in needed where !scopes.contains(scope) {
            throw .forbidden(
                "This call needs a token with the scope \(scope.rawValue).", code: "scope_missing")
        }
    }

    private static func bearerToken(_ header: String) -> String? {
        guard header.utf8.count <= GatewayLimits.tokenBytes, header.prefix(7).lowercased() == "bearer " else {
            return nil
        }
        let token = header.dropFirst(7).drop { $0 == " " }
        return token.isEmpty ? nil : String(token)
    }

    private func readBody(
        of request: Request, as body: Route.Body, _ context: inout GatewayContext
    ) async throws {
        let limit: Int
        let types: [String]
        switch body {
        case .none: return
        case .json(let bytes): (limit, types) = (bytes, ["application/json"])
        case .bytes(let bytes, let accepted): (limit, types) = (bytes, accepted)
        }
        let declared = request.headers[.contentLength].flatMap { Int($0) }
        let isEmpty = declared == 0 || (declared == nil && request.headers[.transferEncoding] == nil)
        if let contentType = request.headers[.contentType] {
            guard types.contains(Self.mediaType(contentType)) else {
                throw HTTPProblem.unsupportedMediaType(expected: types)
            }
        } else if !isEmpty {
            throw HTTPProblem.unsupportedMediaType(expected: types)
        }
        if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw HTTPProblem.unsupportedMediaType(expected: types)
        }
        if let declared, declared > limit { throw HTTPProblem.tooLarge(limit: limit) }
        context.body = try await collect(request, limit: limit, on: context.channel)
        context.bodyWasRead = true
    }

    /// The whole body. One that comes too slowly costs its connection: nothing else tells it from a client that
    /// holds connections on purpose.
    private func collect(
        _ request: Request, limit: Int, on channel: any Channel
    ) async throws -> ByteBuffer {
        let timeoutMs = bodyTimeoutMs + Int64(limit / GatewayLimits.slowestUpload) * 1_000
        let deadline = channel.eventLoop.scheduleTask(in: .milliseconds(timeoutMs)) {
            channel.close(promise: nil)
        }
        defer { deadline.cancel() }
        do {
            return try await request.body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw HTTPProblem.tooLarge(limit: limit)
        } catch let error as CancellationError {
            throw error
        } catch {
            // The client broke off, or sent what is no body.
            throw HTTPProblem.malformed("The body cannot be read.")
        }
    }

    /// The type without parameters, lower case.
    private static func mediaType(_ field: String) -> String {
        String(field.prefix { $0 != ";" }).lowercased().filter { $0 != " " && $0 != "\t" }
    }
}
