import Foundation
import Hummingbird
import Identity
import Rooms

/// Accounts, for those who run the server: search, what is set at the door, and what was done.
package struct PeopleAdminRoutes: Sendable {
    private let identity: IdentityService
    private let log: any AuditLog

    package init(identity: IdentityService, log: any AuditLog) {
        self.identity = identity
        self.log = log
    }

    package var routes: [Route] {
        [
            Route(.get, "/api/v1/admin/users", access: .moderators) { request, _ in
                .json(try await search(request))
            },
            Route(.get, "/api/v1/admin/users/{id}", access: .moderators) { _, context in
                let id = try context.parameter("id")
                guard
                    let found = try await identity.search(AccountQuery(text: id, limit: 2)).first(where: {
                        $0.account.id == id
                    })
                else { throw HTTPProblem.notFound("There is no such account.") }
                return .json(AccountView(found))
            },
            Route(.get, "/api/v1/admin/audit", access: .administrators) { request, _ in
                .json(try await entries(request))
            },
            Route(.get, "/api/v1/admin/settings", access: .administrators) { _, _ in
                .json(identity.door)
            },
            Route(
                .put, "/api/v1/admin/settings", access: .administrators,
                body: .json(limit: GatewayLimits.jsonBody), limits: [.writes]
            ) { _, context in
                let wish = try context.decode(DoorWish.self)
                var door = identity.door
                door.guests = wish.guests ?? door.guests
                door.registrations = wish.registrations ?? door.registrations
                door.verifiedEmail = wish.verifiedEmail ?? door.verifiedEmail
                try await identity.setDoor(door)
                return .json(door)
            },
        ]
    }

    private struct DoorWish: Decodable {
        var guests: Bool?
        var registrations: Bool?
        var verifiedEmail: Bool?
    }

    // MARK: Search

    private func search(_ request: Request) async throws -> PageReply<AccountView> {
        let page = try PageRequest(request)
        let parameters = QueryText(request)
        var query = AccountQuery(after: page.cursor, limit: page.fetched)
        if let text = parameters["q"] {
            guard text.utf8.count <= Identity.Limits.searchBytes else {
                throw HTTPProblem.invalid(
                    "q", "has at most \(Identity.Limits.searchBytes) bytes", code: "length")
            }
            query.text = text
        }
        if let name = parameters["role"] {
            guard let role = Role(rawValue: name) else {
                throw HTTPProblem.invalid("role", "is no role", code: "value")
            }
            query.role = role
        }
        if let text = parameters["banned"] {
            guard text == "true" || text == "false" else {
                throw HTTPProblem.invalid("banned", "is true or false", code: "value")
            }
            query.bannedOnly = text == "true"
        }
        let found = try await identity.search(query)
        return PageReply(
            found, of: page, cursor: { $0.account.handle.lowercased() }, item: AccountView.init)
    }

    private struct AccountView: Encodable {
        var id: String
        var handle: String
        @Nullable var email: String?
        var emailVerified: Bool
        var roles: [String]
        var banned: Bool
        var createdAt: String

        init(_ record: AccountRecord) {
            id = record.account.id
            handle = record.account.handle
            email = record.account.email
            emailVerified = record.account.emailVerifiedAtMs != nil
            roles = record.account.roles.map(\.rawValue).sorted()
            banned = record.isBanned
            createdAt = timestamp(record.account.createdAtMs)
        }
    }

    // MARK: What was done

    private func entries(_ request: Request) async throws -> PageReply<EntryView> {
        let page = try PageRequest(request)
        let parameters = QueryText(request)
        var query = AuditQuery(before: page.cursor, limit: page.fetched)
        query.actorID = parameters["actor"]
        query.action = parameters["action"]
        query.subject = parameters["subject"]
        query.fromMs = try Self.time(parameters["from"], "from")
        query.untilMs = try Self.time(parameters["until"], "until")
        let found = try await log.entries(query)
        return PageReply(found, of: page, cursor: \.id, item: EntryView.init)
    }

    private static func time(_ text: String?, _ name: String) throws(HTTPProblem) -> Int64? {
        guard let text else { return nil }
        guard let atMs = DocumentQuery.milliseconds(of: String(text)) else {
            throw .invalid(name, "is no time such as 2026-01-31T12:00:00Z", code: "value")
        }
        return atMs
    }

    private struct EntryView: Encodable {
        struct Actor: Encodable {
            var id: String
            var handle: String
        }

        var id: String
        var at: String
        var actor: Actor
        var action: String
        var subject: String
        var detail: String
        var address: String
        var requestId: String
        @Nullable var status: Int?

        init(_ entry: AuditEntry) {
            id = entry.id
            at = timestamp(entry.atMs)
            actor = Actor(id: entry.actorID, handle: entry.actor)
            action = entry.action
            subject = entry.subject
            detail = entry.detail
            address = entry.address
            requestId = entry.requestID
            status = entry.status
        }
    }
}
