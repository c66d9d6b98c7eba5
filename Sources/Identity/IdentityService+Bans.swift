extension IdentityService {
    /// Bans an account: no log-in begins a session any more, and all that live end, and with them their sockets.
    ///
    /// - Parameter seconds: how long; nil for good.
    /// - Throws: `notFound`; `notAllowed` for an administrator, who has to lose that role first.
    public func ban(
        _ userID: String, reason: String, seconds: Int?, by moderator: Caller
    ) async throws(IdentityError) -> Ban {
        guard let bans else { throw .storeFailed }
        guard let account = try await account(userID) else {
            throw IdentityError(.notFound, "There is no such account.")
        }
        guard !account.roles.contains(.admin), userID != moderator.userID else {
            throw IdentityError(.notAllowed, "Administrators and oneself are not banned.")
        }
        let atMs = environment.now()
        let ban = Ban(
            id: environment.newID(), userID: userID, reason: reason, bannedBy: moderator.userID,
            createdAtMs: atMs,
            expiresAtMs: seconds.map {
                atMs.saturatingAdding(Int64(min(max($0, 1), Limits.banSeconds)) * 1_000)
            })
        // First the ban, then the sessions: one that is begun in between is ended by `refuseBanned`.
        try await stored { try await bans.insert(ban) }
        announceEnd(of: try await stored { try await sessionStore.endAll(of: userID, atMs: atMs) })
        announceEnd(of: try await tokenSessions(of: userID))
        return ban
    }

    /// Lifts the bans of an account; false when there was none.
    public func liftBan(of userID: String) async throws(IdentityError) -> Bool {
        guard let bans else { return false }
        return try await stored { try await bans.lift(userID: userID, atMs: environment.now()) }
    }

    /// The newest bans of an account, lifted and expired ones too.
    public func bans(of userID: String) async throws(IdentityError) -> [Ban] {
        guard let bans else { return [] }
        return try await stored { try await bans.bans(of: userID) }
    }

    /// - Throws: `banned` with the reason, when the account is.
    func refuseBanned(_ userID: String) async throws(IdentityError) {
        guard let bans else { return }
        let ban = try await stored { try await bans.liveBan(of: userID, atMs: environment.now()) }
        guard let ban else { return }
        let left = ban.expiresAtMs.map { max(1, ($0 - environment.now() + 999) / 1_000) }
        throw IdentityError(
            .banned, "This account is banned: \(ban.reason)", retryAfterSeconds: left.map { Int($0) })
    }
}
