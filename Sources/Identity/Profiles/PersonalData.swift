/// Everything that is kept about one person, over all domains of the installation.
public protocol PersonalDataStore: Sendable {
    /// All of it as one JSON object, a member for each kind of data; secrets and hashes are left out.
    func export(of userID: String) async throws -> String
    /// Removes what is the person's alone, and takes names and texts from what others need: results and ratings stay
    /// under an id that tells nothing.
    func erase(_ userID: String, handle: String) async throws
}

extension IdentityService {
    /// All that is kept about the caller, as JSON text.
    public func exportData(of caller: Caller) async throws(IdentityError) -> String {
        guard let personalData else { throw .storeFailed }
        return try await stored { try await personalData.export(of: caller.userID) }
    }

    /// Ends an account for good: sessions, tokens, e-mail address, profile and texts go, its results stay without a
    /// name.
    ///
    /// - Parameter password: the account's; a guest has none.
    /// - Throws: `badCredentials`; `notAllowed` for an administrator, who has to lose that role first.
    public func eraseAccount(of caller: Caller, password: String?) async throws(IdentityError) {
        guard let personalData else { throw .storeFailed }
        let found = try await ownCredentials(of: caller)
        guard !found.account.roles.contains(.admin) else {
            throw IdentityError(
                .notAllowed, "An administrator's account is not deleted: change its role first.")
        }
        if found.passwordHash != nil { try await requirePassword(password ?? "", of: found) }
        let handle = "deleted-\(Hashing.sha256Hex(environment.randomBytes(16)).prefix(12))"
        let tokens = try await tokenSessions(of: caller.userID)
        let atMs = environment.now()
        // Sessions first: what is done meanwhile would write names again.
        let ended = try await stored { try await sessionStore.endAll(of: caller.userID, atMs: atMs) }
        announceEnd(of: ended + tokens)
        try await stored {
            _ = try await accountStore.erase(caller.userID, handle: handle)
            try await personalData.erase(caller.userID, handle: handle)
        }
        state.withLock { $0.cache.invalidate(user: caller.userID) }
    }
}
