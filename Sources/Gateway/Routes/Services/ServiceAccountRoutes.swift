import HTTPTypes
import Hummingbird
import Identity
import Rooms

/// Service accounts and their keys, for administrators.
package struct ServiceAccountRoutes: Sendable {
    private let services: ServiceAccountService

    package init(services: ServiceAccountService) {
        self.services = services
    }

    package var routes: [Route] {
        let json = Route.Body.json(limit: GatewayLimits.jsonBody)
        return [
            Route(
                .post, "/api/v1/service-accounts", access: .administrators, body: json, limits: [.writes]
            ) { _, context in try await create(context) },
            Route(.get, "/api/v1/service-accounts", access: .administrators) { request, _ in
                try await list(request)
            },
            Route(.get, "/api/v1/service-accounts/{id}", access: .administrators) { _, context in
                try await show(context.parameter("id"))
            },
            Route(
                .post, "/api/v1/service-accounts/{id}/quotas", access: .administrators, body: json,
                limits: [.writes]
            ) { _, context in try await setQuotas(context) },
            Route(
                .post, "/api/v1/service-accounts/{id}/keys", access: .administrators, body: json,
                limits: [.writes]
            ) { _, context in try await addKey(context) },
            Route(
                .delete, "/api/v1/service-accounts/{id}/keys/{key}", access: .administrators,
                limits: [.writes]
            ) { _, context in
                try await services.revokeKey(context.parameter("key"), of: context.parameter("id"))
                return Response(status: .noContent)
            },
        ]
    }

    private struct Creation: Decodable {
        var name: String
        var scopes: [ServiceScope]
        var quotas: QuotaWish?
    }

    private struct QuotaWish: Decodable {
        var documents: Int?
        var tokensPerMinute: Int?

        func over(_ quotas: ServiceQuotas) -> ServiceQuotas {
            ServiceQuotas(
                documents: documents ?? quotas.documents,
                tokensPerMinute: tokensPerMinute ?? quotas.tokensPerMinute)
        }
    }

    private func create(_ context: GatewayContext) async throws -> Response {
        let wish = try context.decode(Creation.self)
        let made = try await services.create(
            name: wish.name, scopes: Set(wish.scopes),
            quotas: wish.quotas?.over(ServiceQuotas()) ?? ServiceQuotas())
        return .json(
            AccountReply(made.account, [KeyReply(made.key, text: made.text)]), status: .created,
            headers: [.location: "/api/v1/service-accounts/\(made.account.id)"])
    }

    private func list(_ request: Request) async throws -> Response {
        let page = try PageRequest(request)
        let found = try await services.accounts(after: page.cursor, limit: page.fetched)
        return .json(PageReply(found, of: page, cursor: \.id) { AccountReply($0, nil) })
    }

    private func show(_ id: String) async throws -> Response {
        let account = try await services.account(id)
        return .json(AccountReply(account, try await services.keys(of: id).map { KeyReply($0, text: nil) }))
    }

    private func setQuotas(_ context: GatewayContext) async throws -> Response {
        let id = try context.parameter("id")
        let wish = try context.decode(QuotaWish.self)
        let account = try await services.account(id)
        try await services.setQuotas(wish.over(account.quotas), of: id)
        return try await show(id)
    }

    private struct KeyWish: Decodable {
        var scopes: [ServiceScope]
    }

    private func addKey(_ context: GatewayContext) async throws -> Response {
        let wish = try context.decode(KeyWish.self)
        let made = try await services.addKey(to: context.parameter("id"), scopes: Set(wish.scopes))
        return .json(KeyReply(made.key, text: made.text), status: .created)
    }
}

private struct AccountReply: Encodable {
    struct Quotas: Encodable {
        var documents: Int
        var tokensPerMinute: Int
    }

    var id: String
    var name: String
    var quotas: Quotas
    var createdAt: String
    var keys: [KeyReply]?

    init(_ account: ServiceAccount, _ keys: [KeyReply]?) {
        id = account.id
        name = account.name
        quotas = Quotas(
            documents: account.quotas.documents, tokensPerMinute: account.quotas.tokensPerMinute)
        createdAt = timestamp(account.createdAtMs)
        self.keys = keys
    }
}

private struct KeyReply: Encodable {
    var id: String
    var scopes: [String]
    var createdAt: String
    @Nullable var revokedAt: String?
    /// The key itself, told once.
    var key: String?

    init(_ key: ServiceKey, text: String?) {
        id = key.id
        scopes = key.scopes.map(\.rawValue).sorted()
        createdAt = timestamp(key.createdAtMs)
        revokedAt = key.revokedAtMs.map(timestamp)
        self.key = text
    }
}
