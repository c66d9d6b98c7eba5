/// A picture of an account.
public struct Avatar: Sendable, Equatable {
    public var mediaType: String
    public var bytes: [UInt8]
    /// ms since 1970.
    public var setAtMs: Int64

    public init(mediaType: String, bytes: [UInt8], setAtMs: Int64) {
        self.mediaType = mediaType
        self.bytes = bytes
        self.setAtMs = setAtMs
    }
}

/// Keeps profiles and avatars. Every answer means "on disk".
public protocol ProfileStore: Sendable {
    /// An empty one where nothing was stored.
    func profile(of userID: String) async throws -> Profile
    /// Stores everything but the avatar's time.
    func setProfile(_ profile: Profile, of userID: String) async throws
    func avatar(of userID: String) async throws -> Avatar?
    /// Nil removes it.
    func setAvatar(_ avatar: Avatar?, of userID: String) async throws
}

/// Profiles and avatars, checked before they are stored.
public struct ProfileService: Sendable {
    private let store: any ProfileStore
    private let identity: IdentityService
    private let isTimeZone: @Sendable (String) -> Bool

    /// - Parameter isTimeZone: whether the zone is one of the IANA data base.
    public init(
        store: any ProfileStore, identity: IdentityService, isTimeZone: @escaping @Sendable (String) -> Bool
    ) {
        self.store = store
        self.identity = identity
        self.isTimeZone = isTimeZone
    }

    public func profile(of userID: String) async throws(IdentityError) -> Profile {
        try await identity.stored { try await store.profile(of: userID) }
    }

    /// - Throws: `invalidFields` with every fault; `notAllowed` for guests, whose names must not be mistaken.
    public func setProfile(_ profile: Profile, for caller: Caller) async throws(IdentityError) {
        try refuseGuest(caller)
        let faults = profile.faults(isTimeZone: isTimeZone)
        guard faults.isEmpty else {
            throw IdentityError(.invalidFields, "Some fields are not acceptable.", fieldErrors: faults)
        }
        try await identity.stored { try await store.setProfile(profile, of: caller.userID) }
    }

    public func avatar(of userID: String) async throws(IdentityError) -> Avatar? {
        try await identity.stored { try await store.avatar(of: userID) }
    }

    /// Stores a PNG, JPEG or WebP picture, told by its bytes and freed of what it says beyond the picture (where and
    /// when it was taken); nil removes it.
    ///
    /// - Throws: `invalidFields` for other bytes, and for a picture that is too small or too large.
    public func setAvatar(_ bytes: [UInt8]?, for caller: Caller) async throws(IdentityError) {
        try refuseGuest(caller)
        guard let bytes else {
            return try await identity.stored { try await store.setAvatar(nil, of: caller.userID) }
        }
        guard bytes.count <= Limits.avatarBytes, let picture = Picture(bytes) else {
            throw Self.refused("Is no PNG, JPEG or WebP picture of at most 256 KiB.")
        }
        guard Limits.avatarSide.contains(picture.width), Limits.avatarSide.contains(picture.height) else {
            throw Self.refused("Is 16 to 1,024 pixels wide and high.")
        }
        let avatar = Avatar(
            mediaType: picture.mediaType, bytes: picture.bytes, setAtMs: identity.environment.now())
        try await identity.stored { try await store.setAvatar(avatar, of: caller.userID) }
    }

    private func refuseGuest(_ caller: Caller) throws(IdentityError) {
        guard !caller.isGuest else { throw IdentityError(.notAllowed, "A guest has no profile.") }
    }

    private static func refused(_ message: String) -> IdentityError {
        IdentityError(.invalidFields, message, fieldErrors: [.init(field: "avatar", message: message)])
    }
}
