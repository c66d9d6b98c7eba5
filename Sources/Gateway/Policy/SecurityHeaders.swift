import HTTPTypes

extension HTTPField.Name {
    /// Names of the IETF draft ratelimit-headers and others that HTTPTypes does not know.
    static let rateLimit = named("RateLimit")
    static let rateLimitPolicy = named("RateLimit-Policy")
    static let idempotencyKey = named("Idempotency-Key")
    static let idempotencyReplayed = named("Idempotency-Replayed")
    static let requestID = named("X-Request-Id")
    static let referrerPolicy = named("Referrer-Policy")
    static let openerPolicy = named("Cross-Origin-Opener-Policy")
    static let resourcePolicy = named("Cross-Origin-Resource-Policy")
    static let forwardedFor = named("X-Forwarded-For")
    /// The last record of the log that an answered state of a document knows of.
    static let documentSequence = named("X-Document-Sequence")
    /// W3C Trace Context.
    static let traceparent = named("traceparent")
    static let tracestate = named("tracestate")
    static let lastEventID = named("Last-Event-ID")

    /// All names above are tokens, so the fallback is never taken.
    private static func named(_ name: String) -> HTTPField.Name { HTTPField.Name(name) ?? .via }
}

/// Fields that every answer carries.
package enum SecurityHeaders {
    /// `authority` is the request's host, already checked, for the socket addresses of `connect-src`: older browsers
    /// do not count `ws:` of the same host as `'self'`. The code editor keeps its rules in adopted style sheets of a
    /// shadow root, which need neither a nonce nor `unsafe-inline`.
    package static func contentSecurityPolicy(authority: String?) -> String {
        let sockets =
            authority.flatMap { OriginPolicy.split($0) == nil ? nil : " ws://\($0) wss://\($0)" } ?? ""
        return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
            + "connect-src 'self'\(sockets); manifest-src 'self'; base-uri 'none'; form-action 'none'; "
            + "frame-ancestors 'none'"
    }

    package static func apply(to fields: inout HTTPFields, authority: String?, isSecure: Bool = false) {
        // RFC 6797: only over TLS, and only for this name.
        if isSecure { fields[.strictTransportSecurity] = "max-age=31536000" }
        fields[.xContentTypeOptions] = "nosniff"
        fields[.referrerPolicy] = "no-referrer"
        fields[.openerPolicy] = "same-origin"
        fields[.resourcePolicy] = "same-origin"
        if !fields.contains(.contentSecurityPolicy) {
            fields[.contentSecurityPolicy] = contentSecurityPolicy(authority: authority)
        }
    }
}
