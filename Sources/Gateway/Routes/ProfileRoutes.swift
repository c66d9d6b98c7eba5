import HTTPTypes
import Hummingbird
import Identity
import NIOCore
import Rooms

/// What people tell about themselves.
package struct ProfileRoutes: Sendable {
    private let identity: IdentityService
    private let profiles: ProfileService

    package init(identity: IdentityService, profiles: ProfileService) {
        self.identity = identity
        self.profiles = profiles
    }

    package var routes: [Route] {
        [
            Route(.get, "/api/v1/me/profile") { _, context in
                let caller = try context.requireCaller()
                return .json(ProfileReply(try await profiles.profile(of: caller.userID), caller.userID))
            },
            Route(
                .put, "/api/v1/me/profile", body: .json(limit: GatewayLimits.jsonBody), limits: [.writes]
            ) { _, context in try await replace(context) },
            Route(
                .put, "/api/v1/me/avatar",
                body: .bytes(
                    limit: GatewayLimits.avatarBody, types: ["image/png", "image/jpeg", "image/webp"]),
                limits: [.uploads]
            ) { _, context in
                let caller = try context.requireCaller()
                try await profiles.setAvatar(Array(buffer: context.body), for: caller)
                return .json(ProfileReply(try await profiles.profile(of: caller.userID), caller.userID))
            },
            Route(.delete, "/api/v1/me/avatar", limits: [.writes]) { _, context in
                try await profiles.setAvatar(nil, for: try context.requireCaller())
                return Response(status: .noContent)
            },
            Route(.get, "/api/v1/users/{id}") { _, context in try await show(context) },
            // Pictures are loaded by pages, which send no token with them.
            Route(.get, "/api/v1/users/{id}/avatar", access: .open) { request, context in
                try await avatar(request, context)
            },
        ]
    }

    private func replace(_ context: GatewayContext) async throws -> Response {
        let caller = try context.requireCaller()
        let wish = try context.decode(ProfileWish.self)
        try await profiles.setProfile(
            Profile(
                displayName: wish.displayName, country: wish.country, languages: wish.languages ?? [],
                timeZone: wish.timeZone, bio: wish.bio), for: caller)
        return .json(ProfileReply(try await profiles.profile(of: caller.userID), caller.userID))
    }

    private func show(_ context: GatewayContext) async throws -> Response {
        let id = try context.parameter("id")
        guard let account = try await identity.account(id) else {
            throw HTTPProblem.notFound("There is no such account.")
        }
        return .json(PersonReply(account, try await profiles.profile(of: id)))
    }

    private func avatar(_ request: Request, _ context: GatewayContext) async throws -> Response {
        guard let avatar = try await profiles.avatar(of: try context.parameter("id")) else {
            throw HTTPProblem.notFound("This account has no avatar.")
        }
        let tag = "\"\(Hashing.sha256Hex(avatar.bytes).prefix(32))\""
        let fields: HTTPFields = [.eTag: tag, .cacheControl: "public, max-age=60"]
        if let tags = request.headers[.ifNoneMatch], EntityTag.matches(tags, tag) {
            return Response(status: .notModified, headers: fields)
        }
        var response = Response(
            status: .ok, headers: fields, body: .init(byteBuffer: ByteBuffer(bytes: avatar.bytes)))
        response.headers[.contentType] = avatar.mediaType
        return response
    }

    private struct ProfileWish: Decodable {
        var displayName: String?
        var country: String?
        var languages: [String]?
        var timeZone: String?
        var bio: String?
    }

    private struct ProfileReply: Encodable {
        @Nullable var displayName: String?
        @Nullable var country: String?
        var languages: [String]
        @Nullable var timeZone: String?
        @Nullable var bio: String?
        @Nullable var avatarUrl: String?

        init(_ profile: Profile, _ userID: String) {
            displayName = profile.displayName
            country = profile.country
            languages = profile.languages
            timeZone = profile.timeZone
            bio = profile.bio
            avatarUrl = profile.avatarAtMs.map { "/api/v1/users/\(userID)/avatar?v=\($0)" }
        }
    }

    /// What others see: no time zone, which is for planning, and no address.
    private struct PersonReply: Encodable {
        var id: String
        var handle: String
        var isGuest: Bool
        var roles: [String]
        var createdAt: String
        @Nullable var displayName: String?
        @Nullable var country: String?
        var languages: [String]
        @Nullable var bio: String?
        @Nullable var avatarUrl: String?

        init(_ account: Account, _ profile: Profile) {
            let shown = ProfileReply(profile, account.id)
            id = account.id
            handle = account.handle
            isGuest = account.isGuest
            roles = account.roles.map(\.rawValue).sorted()
            createdAt = timestamp(account.createdAtMs)
            displayName = shown.displayName
            country = shown.country
            languages = shown.languages
            bio = shown.bio
            avatarUrl = shown.avatarUrl
        }
    }
}
