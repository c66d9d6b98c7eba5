import Hummingbird
import Identity
import Rooms
import SyncServer

/// For those who run the server: bans, roles, rooms in memory, open sockets.
package struct AdminRoutes: Sendable {
    private let identity: IdentityService
    private let directory: RoomDirectory
    private let forgetRefusals: @Sendable () -> Void

    /// - Parameter forgetRefusals: called when somebody may see more than before.
    package init(
        identity: IdentityService, directory: RoomDirectory, forgetRefusals: @escaping @Sendable () -> Void
    ) {
        self.identity = identity
        self.directory = directory
        self.forgetRefusals = forgetRefusals
    }

    package var routes: [Route] { accountRoutes + roomRoutes + socketRoutes }

    private static let json = Route.Body.json(limit: GatewayLimits.jsonBody)

    // MARK: Accounts

    private var accountRoutes: [Route] {
        [
            Route(
                .post, "/api/v1/admin/users/{id}/bans", access: .moderators, body: Self.json,
                limits: [.writes]
            ) { _, context in try await ban(context) },
            Route(.get, "/api/v1/admin/users/{id}/bans", access: .moderators) { _, context in
                let bans = try await identity.bans(of: try context.parameter("id"))
                return .json(PageReply(items: bans.map(BanReply.init), nextCursor: nil))
            },
            Route(
                .delete, "/api/v1/admin/users/{id}/bans", access: .moderators, limits: [.writes]
            ) { _, context in
                guard try await identity.liftBan(of: try context.parameter("id")) else {
                    throw HTTPProblem.notFound("This account is not banned.")
                }
                return Response(status: .noContent)
            },
            Route(
                .put, "/api/v1/admin/users/{id}/role", access: .administrators, body: Self.json,
                limits: [.writes]
            ) { _, context in
                let wish = try context.decode(RoleWish.self)
                let account = try await identity.setRole(wish.role, of: try context.parameter("id"))
                forgetRefusals()
                return .json(
                    RoleReply(
                        id: account.id, handle: account.handle, roles: account.roles.map(\.rawValue).sorted())
                )
            },
        ]
    }

    private struct RoleWish: Decodable { var role: Role }

    private struct RoleReply: Encodable {
        var id: String
        var handle: String
        var roles: [String]
    }

    private struct BanWish: Decodable {
        var reason: String
        /// Nil: for good.
        var seconds: Int?
    }

    private func ban(_ context: GatewayContext) async throws -> Response {
        let caller = try context.requireCaller()
        let wish = try context.decode(BanWish.self)
        guard (1...Identity.Limits.banReasonBytes).contains(wish.reason.utf8.count) else {
            throw HTTPProblem.invalid(
                "reason", "has 1 to \(Identity.Limits.banReasonBytes) bytes", code: "length")
        }
        if let seconds = wish.seconds, !(1...Identity.Limits.banSeconds).contains(seconds) {
            throw HTTPProblem.invalid(
                "seconds", "is a number from 1 to \(Identity.Limits.banSeconds)", code: "range")
        }
        let ban = try await identity.ban(
            try context.parameter("id"), reason: wish.reason, seconds: wish.seconds, by: caller)
        return .json(BanReply(ban), status: .created)
    }

    // MARK: Rooms

    private var roomRoutes: [Route] {
        [
            Route(.get, "/api/v1/admin/rooms", access: .moderators) { request, _ in
                let page = try PageRequest(request)
                let ids = directory.loadedRooms(after: page.cursor ?? "", limit: page.fetched)
                var rooms: [LoadedRoomReply] = []
                for id in ids.prefix(page.limit) {
                    if let room = try? await directory.with(id, { room, _ in LoadedRoomReply(room) }) {
                        rooms.append(room)
                    }
                }
                let next = ids.count > page.limit ? ids.prefix(page.limit).last : nil
                return .json(PageReply(items: rooms, nextCursor: next))
            },
            Route(.get, "/api/v1/admin/rooms/{id}/sockets", access: .moderators) { _, context in
                let views = try await directory.with(try context.parameter("id")) { room, _ in
                    room.subscriberViews
                }
                let shown = views.prefix(GatewayLimits.listedSubscribers).map(SubscriberReply.init)
                return .json(PageReply(items: Array(shown), nextCursor: nil))
            },
        ]
    }

    // MARK: Sockets

    private var socketRoutes: [Route] {
        [
            Route(.get, "/api/v1/admin/sockets", access: .moderators) { request, _ in
                let page = try PageRequest(request)
                guard let after = UInt64(page.cursor ?? "0") else {
                    throw HTTPProblem.invalid("cursor", "is not a cursor of this list", code: "cursor")
                }
                let sockets = directory.registry.sockets(after: after, limit: page.fetched)
                return .json(
                    PageReply(sockets, of: page, cursor: { String($0.id) }, item: SocketReply.init))
            },
            Route(
                .delete, "/api/v1/admin/sockets/{id}", access: .moderators, limits: [.writes]
            ) { _, context in
                guard let id = UInt64(try context.parameter("id")), directory.registry.close(id) else {
                    throw HTTPProblem.notFound("There is no such socket.")
                }
                return Response(status: .noContent)
            },
            Route(
                .delete, "/api/v1/admin/users/{id}/sockets", access: .moderators, limits: [.writes]
            ) { _, context in
                let closed = directory.registry.closeAll(
                    of: try context.parameter("id"), reason: "an administrator closed your sockets")
                return .json(ClosedReply(closed: closed))
            },
        ]
    }

    private struct ClosedReply: Encodable { var closed: Int }
}

private struct BanReply: Encodable {
    var id: String
    var userId: String
    var reason: String
    var bannedBy: String
    var createdAt: String
    @Nullable var expiresAt: String?
    @Nullable var liftedAt: String?

    init(_ ban: Ban) {
        id = ban.id
        userId = ban.userID
        reason = ban.reason
        bannedBy = ban.bannedBy
        createdAt = timestamp(ban.createdAtMs)
        expiresAt = ban.expiresAtMs.map(timestamp)
        liftedAt = ban.liftedAtMs.map(timestamp)
    }
}

private struct LoadedRoomReply: Encodable {
    var id: String
    var kind: RoomKind
    var visibility: RoomVisibility
    var phase: String
    var sockets: Int
    var sequence: Int64
    /// Accepted and not on disk yet.
    var pendingBytes: Int

    init(_ room: Room) {
        id = room.specification.id
        kind = room.specification.kind
        visibility = room.specification.visibility
        phase = room.phase.rawValue
        sockets = room.subscriberCount
        sequence = room.sequence
        pendingBytes = room.uncommittedBytes
    }
}

private struct SubscriberReply: Encodable {
    var userId: String
    var handle: String
    var document: String
    var access: String
    @Nullable var quarantine: String?

    init(_ view: SubscriberView) {
        userId = view.userID
        handle = view.handle
        document = view.document
        access = view.access == .delayedRead ? "delayed_read" : view.access.rawValue
        quarantine = view.quarantine
    }
}

private struct SocketReply: Encodable {
    struct User: Encodable {
        var id: String
        var handle: String
    }

    var id: String
    var address: String
    var openedAt: String
    var users: [User]
    var documents: [String]
    var messages: UInt64
    var bytes: UInt64
    var throttles: UInt64

    init(_ view: SocketView) {
        id = String(view.id)
        address = view.address
        openedAt = timestamp(view.openedAtMs)
        users = view.users.map { User(id: $0.id, handle: $0.handle) }
        documents = view.documents
        messages = view.messages
        bytes = view.bytes
        throttles = view.throttles
    }
}
