extension IdentityService {
    /// Makes a token; its text is never told again.
    ///
    /// - Parameter days: until it expires, 1 to `Limits.personalTokenDays`; nil: never.
    public func makeToken(
        name: String, scopes: Set<TokenScope>, days: Int?, for caller: Caller
    ) async throws(IdentityError) -> (token: PersonalToken, text: String) {
        guard let personalTokens else { throw .storeFailed }
        guard !caller.isGuest else { throw IdentityError(.notAllowed, "A guest has no tokens.") }
        try Self.check(tokenName: name, scopes, days)
        let atMs = environment.now()
        // No underscore in the id: it ends there.
        let id = String(Hashing.sha256Hex(environment.randomBytes(16)).prefix(16))
        let secret = Base64URL.encode(environment.randomBytes(Limits.refreshTokenBytes))
        let token = PersonalToken(
            id: id, userID: caller.userID, name: name, scopes: scopes,
            secretHash: Hashing.sha256(Array(secret.utf8)), createdAtMs: atMs,
            expiresAtMs: days.map { atMs.saturatingAdding(Int64($0) * 24 * 3600 * 1000) })
        let isStored = try await stored {
            try await personalTokens.insert(token, limit: Limits.personalTokensPerAccount)
        }
        guard isStored else {
            let text = "An account has at most \(Limits.personalTokensPerAccount) tokens: remove one first."
            throw IdentityError(.invalidFields, text, fieldErrors: [.init(field: "name", message: text)])
        }
        return (token, "\(PersonalToken.prefix)\(id)_\(secret)")
    }

    /// Newest first, expired ones too.
    public func tokens(of userID: String) async throws(IdentityError) -> [PersonalToken] {
        guard let personalTokens else { return [] }
        return try await stored { try await personalTokens.tokens(of: userID) }
    }

    /// Removes a token: it is refused at once, and its sockets close.
    public func removeToken(_ id: String, of userID: String) async throws(IdentityError) {
        guard let personalTokens, try await stored({ try await personalTokens.remove(id, of: userID) }) else {
            throw IdentityError(.notFound, "There is no such token.")
        }
        announceEnd(of: ["pat:\(id)"])
    }

    /// Who holds a personal token: its owner as the account is now, within the token's scopes.
    public func authenticate(personalToken text: String) async throws(IdentityError) -> Caller {
        let parts = text.dropFirst(PersonalToken.prefix.count).split(separator: "_", maxSplits: 1)
        guard let personalTokens, text.hasPrefix(PersonalToken.prefix), parts.count == 2,
            text.utf8.count <= Limits.serviceKeyBytes
        else { throw .invalidToken }
        let token = try await stored { try await personalTokens.token(String(parts[0])) }
        guard let token, Hashing.areEqual(token.secretHash, Hashing.sha256(Array(parts[1].utf8))) else {
            throw .invalidToken
        }
        let atMs = environment.now()
        guard let record = try await tokenRecord(token) else { throw .expiredToken }
        if atMs >= (token.usedAtMs ?? .min).saturatingAdding(Limits.tokenUseMs) {
            // What it is worth is known already: a failure here costs a line in a list.
            try? await personalTokens.noteUse(of: token.id, atMs: atMs)
        }
        return Caller(
            userID: record.account.id, handle: record.account.handle, sessionID: token.sessionID,
            roles: record.account.roles, tokenScopes: token.scopes)
    }

    /// The session that a token stands for, while the token lives and its owner is not banned.
    func tokenRecord(_ id: String) async throws(IdentityError) -> SessionRecord? {
        guard let personalTokens, let token = try await stored({ try await personalTokens.token(id) }) else {
            return nil
        }
        return try await tokenRecord(token)
    }

    private func tokenRecord(_ token: PersonalToken) async throws(IdentityError) -> SessionRecord? {
        guard token.isLive(atMs: environment.now()), let account = try await account(token.userID) else {
            return nil
        }
        if let bans {
            let ban = try await stored {
                try await bans.liveBan(of: account.id, atMs: environment.now())
            }
            if ban != nil { return nil }
        }
        let session = Session(
            id: token.sessionID, userID: account.id, createdAtMs: token.createdAtMs,
            expiresAtMs: token.expiresAtMs ?? .max)
        return SessionRecord(session: session, account: account)
    }

    /// The sessions of all of an account's tokens.
    func tokenSessions(of userID: String) async throws(IdentityError) -> [String] {
        try await tokens(of: userID).map(\.sessionID)
    }

    private static func check(
        tokenName name: String, _ scopes: Set<TokenScope>, _ days: Int?
    ) throws(IdentityError) {
        var faults: [IdentityError.FieldError] = []
        if !(1...Limits.personalTokenNameBytes).contains(name.utf8.count)
            || name.utf8.contains(where: { $0 < 0x20 })
        {
            faults.append(.init(field: "name", message: "A name has 1 to 64 bytes."))
        }
        if scopes.isEmpty {
            faults.append(.init(field: "scopes", message: "A token has at least one scope."))
        }
        if let days, !(1...Limits.personalTokenDays).contains(days) {
            faults.append(.init(field: "expires_in_days", message: "Is from 1 to 366."))
        }
        guard let first = faults.first else { return }
        throw IdentityError(.invalidFields, first.message, fieldErrors: faults)
    }
}
