import Hummingbird
import Identity
import Rooms

/// Words to everyone.
package struct AnnouncementRoutes: Sendable {
    private let store: any AnnouncementStore
    private let environment: IdentityEnvironment

    package init(store: any AnnouncementStore, environment: IdentityEnvironment) {
        self.store = store
        self.environment = environment
    }

    package var routes: [Route] {
        [
            Route(.get, "/api/v1/announcements", access: .open) { _, _ in
                let standing = try await store.announcements(atMs: environment.now())
                return .json(PageReply(items: standing.map(AnnouncementView.init), nextCursor: nil))
            },
            Route(
                .post, "/api/v1/admin/announcements", access: .administrators,
                body: .json(limit: GatewayLimits.jsonBody), limits: [.writes]
            ) { _, context in try await announce(context) },
            Route(
                .delete, "/api/v1/admin/announcements/{id}", access: .administrators, limits: [.writes]
            ) { _, context in
                guard try await store.remove(try context.parameter("id")) else {
                    throw HTTPProblem.notFound("There is no such announcement.")
                }
                return Response(status: .noContent)
            },
        ]
    }

    private struct Wish: Decodable {
        var text: String
        var kind: Announcement.Kind?
        /// Nil: until it is taken back.
        var seconds: Int?
    }

    private func announce(_ context: GatewayContext) async throws -> Response {
        let wish = try context.decode(Wish.self)
        guard (1...Identity.Limits.announcementBytes).contains(wish.text.utf8.count) else {
            throw HTTPProblem.invalid(
                "text", "has 1 to \(Identity.Limits.announcementBytes) bytes", code: "length")
        }
        if let seconds = wish.seconds, !(1...Identity.Limits.banSeconds).contains(seconds) {
            throw HTTPProblem.invalid(
                "seconds", "is a number from 1 to \(Identity.Limits.banSeconds)", code: "range")
        }
        let atMs = environment.now()
        let announcement = Announcement(
            id: environment.newID(), kind: wish.kind ?? .info, text: wish.text,
            createdBy: try context.requireCaller().userID, createdAtMs: atMs,
            expiresAtMs: wish.seconds.map { atMs + Int64($0) * 1_000 })
        guard try await store.insert(announcement, limit: Identity.Limits.announcements) else {
            throw HTTPProblem.conflict(
                "too_many", "\(Identity.Limits.announcements) announcements stand already: take one back.")
        }
        return .json(AnnouncementView(announcement), status: .created)
    }

    private struct AnnouncementView: Encodable {
        var id: String
        var kind: Announcement.Kind
        var text: String
        var createdAt: String
        @Nullable var expiresAt: String?

        init(_ announcement: Announcement) {
            id = announcement.id
            kind = announcement.kind
            text = announcement.text
            createdAt = timestamp(announcement.createdAtMs)
            expiresAt = announcement.expiresAtMs.map(timestamp)
        }
    }
}
