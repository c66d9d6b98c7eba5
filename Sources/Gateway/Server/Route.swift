import HTTPTypes
import Hummingbird
import Identity

/// Answers one request that was let through.
package typealias RouteHandler =
    @Sendable (_ request: Request, _ context: GatewayContext) async throws -> Response

/// One call of the HTTP interface: what it takes to be let in, and who answers.
package struct Route: Sendable {
    package enum Access: Sendable {
        /// Nobody is asked who they are; a token is not looked at.
        case open
        /// A token may be sent, and then it must be good.
        case optional
        /// Any account with a good token, guests too.
        case caller
        /// One of these roles.
        case roles(Set<Role>)

        static let moderators = Access.roles([.moderator, .admin])
        static let administrators = Access.roles([.admin])
    }

    package enum Body: Sendable {
        case none
        /// JSON of at most that many bytes; no body at all stands for `{}`.
        case json(limit: Int)
        /// One of these media types.
        case bytes(limit: Int, types: [String])
    }

    package enum Audit: Sendable, Equatable {
        case never
        case always
        /// Where a moderator or an administrator calls: others do the same with what is their own.
        case ofStaff
    }

    package enum TokenRule: Sendable, Equatable {
        case scope(TokenScope)
        /// Whoever calls has to have logged in: a token that could change the account, or make tokens, would be worth
        /// as much as its password.
        case refused
    }

    package var method: HTTPRequest.Method
    /// As in OpenAPI: `/api/v1/rooms/{id}`; a last segment `**` matches any rest, the empty one too.
    package var path: String
    package var access: Access
    package var body: Body
    /// The rate limits that this call counts against.
    package var limits: [RatePolicyName]
    /// Whether an `Idempotency-Key` is honoured.
    package var idempotent: Bool
    /// What a service account's key must be good for; nil: the call is for people alone.
    package var scope: ServiceScope?
    /// Whether the call is kept in the audit log.
    package var audit: Audit
    /// Set on public reads whose answers are kept in memory.
    package var cache: CacheRule?
    /// Tags of kept answers that may be stale after the call.
    package var changes: [String]
    /// What a personal token must be good for.
    package var tokenRule: TokenRule
    package var handler: RouteHandler

    package init(
        _ method: HTTPRequest.Method, _ path: String, access: Access = .caller, body: Body = .none,
        limits: [RatePolicyName] = [.reads], idempotent: Bool = false,
        scope: ServiceScope? = nil, tokens: TokenRule? = nil, audit: Audit? = nil,
        cache: CacheRule? = nil, changes tags: [String] = [],
        handler: @escaping RouteHandler
    ) {
        self.method = method
        self.path = path
        self.access = access
        self.body = body
        self.limits = limits
        self.idempotent = idempotent
        self.scope = scope
        self.cache = cache
        self.changes = tags
        let changes = method != .get && method != .head
        if let audit {
            self.audit = audit
        } else if case .roles = access, changes {
            self.audit = .always
        } else {
            self.audit = .never
        }
        self.tokenRule = tokens ?? .scope(method == .get || method == .head ? .read : .write)
        self.handler = handler
    }
}
