/// What the configuration says about the HTTP side.
package struct GatewaySettings: Sendable {
    /// Address the listener binds: a literal or a host name.
    package var host: String
    /// 0 takes a free one.
    package var port: Int
    /// Names, without port, this server is reached by besides loopback's; see `OriginPolicy`.
    package var allowedHosts: [String]
    /// Pages of other origins that may call the API and open sockets.
    package var allowedOrigins: [String]
    /// Proxies whose `X-Forwarded-For` is believed.
    package var trustedProxies: [AddressBlock]
    /// Replaces `RatePolicy.defaults` name by name.
    package var ratePolicies: [RatePolicyName: RatePolicy]
    /// The built page.
    package var pages: StaticFiles
    /// The text of `openapi.yaml`; nil when it is not installed.
    package var openAPI: String?
    /// Handlers at work at once; beyond, 503. Requests that still arrive, and event streams, do not count.
    package var requestsInFlight: Int
    /// Time for a body to arrive, ms; a longer one gets more by its size (`GatewayLimits.slowestUpload`).
    package var bodyTimeoutMs: Int64
    /// Whether each call of a route with a limit is a line of the log.
    package var logsAccess: Bool
    /// What the listener proves who it is with; nil: it speaks plain HTTP.
    package var certificates: TLSCertificates?
    /// Version of the program, for `/healthz` and `coduel_build_info`.
    package var version: String

    package init(
        host: String = "127.0.0.1", port: Int = 8080, allowedHosts: [String] = [],
        allowedOrigins: [String] = [],
        trustedProxies: [AddressBlock] = [], ratePolicies: [RatePolicyName: RatePolicy] = [:],
        pages: StaticFiles = StaticFiles(root: nil), openAPI: String? = nil,
        requestsInFlight: Int = GatewayLimits.requestsInFlight,
        bodyTimeoutMs: Int64 = GatewayLimits.bodyTimeoutMs, logsAccess: Bool = true,
        certificates: TLSCertificates? = nil, version: String = "0.1.0"
    ) {
        self.host = host
        self.port = port
        self.allowedHosts = allowedHosts
        self.allowedOrigins = allowedOrigins
        self.trustedProxies = trustedProxies
        self.ratePolicies = ratePolicies
        self.pages = pages
        self.openAPI = openAPI
        self.requestsInFlight = requestsInFlight
        self.bodyTimeoutMs = bodyTimeoutMs
        self.logsAccess = logsAccess
        self.certificates = certificates
        self.version = version
    }

    /// Whether the listener can be reached from this machine only.
    package var isLoopback: Bool {
        if host.lowercased() == "localhost" { return true }
        guard let bytes = ClientAddress.bytes(of: host) else { return false }
        if bytes.count == 4 { return bytes[0] == 127 }
        return bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    }

    package var originPolicy: OriginPolicy {
        OriginPolicy(isLoopback: isLoopback, hosts: allowedHosts, origins: allowedOrigins)
    }

    package var effectiveRatePolicies: [RatePolicyName: RatePolicy] {
        RatePolicy.defaults.merging(ratePolicies) { _, own in own }
    }
}
