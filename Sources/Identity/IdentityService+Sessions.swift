extension IdentityService {
    /// Begins a session for a handle (any case) or an e-mail address with its password. An account that does not
    /// exist, a guest, and a wrong password answer the same in the same time. After some failures a name has to
    /// pause: `.tooManyAttempts`.
    public func logIn(
        login: String, password: String, code: String? = nil, client: SessionClient = .unknown
    ) async throws(IdentityError) -> TokenPair {
        guard login.utf8.prefix(Limits.emailBytes + 1).count <= Limits.emailBytes else {
            throw .badCredentials
        }
        let name = login.lowercased()
        try refusePaused(name)
        guard CredentialRules.canBePassword(password) else { throw failedLogIn(name) }

        let found = try await credentials(login)
        let bytes = Array(password.utf8)
        let encoded = found?.passwordHash ?? decoyHash
        guard let matches = try await pool.run({ PasswordHash.verify(bytes, against: encoded) }) else {
            throw IdentityError(.unavailable, "Passwords cannot be checked now.")
        }
        guard matches, let found, let hash = found.passwordHash else { throw failedLogIn(name) }
        state.withLock { $0.throttle.succeeded(name) }
        try await requireSecondFactor(code, of: found.account.id)
        if door.verifiedEmail, found.account.email != nil, found.account.emailVerifiedAtMs == nil {
            // Told only to whoever knows the password.
            await sendVerification(to: found.account.email ?? "", of: found.account)
            throw IdentityError(
                .notAllowed, "Confirm your e-mail address first: a mail with a link was sent to it.")
        }
        if settings.passwordHash.isOutdated(hash) { await rehash(password, of: found.account.id) }
        return try await beginSession(for: found.account, client)
    }

    /// - Throws: `tooManyAttempts` while the name has to pause.
    func refusePaused(_ name: String) throws(IdentityError) {
        let pause = state.withLock { $0.throttle.pause(of: name, atMs: environment.now()) }
        guard let pause else { return }
        throw IdentityError(
            .tooManyAttempts, "Too many failed log-ins; wait \(pause) s.", retryAfterSeconds: pause)
    }

    /// Makes a guest account and begins its session. The handle is the one asked for, or `guest`, with a suffix
    /// that makes it unique: a guest never holds a name that an account could be mistaken for.
    public func logInAsGuest(
        handle: String?, client: SessionClient = .unknown
    ) async throws(IdentityError) -> TokenPair {
        guard door.guests else {
            throw IdentityError(.guestsDisabled, "Guests are not allowed here.")
        }
        if let handle, let fault = CredentialRules.handleFault(handle) {
            throw IdentityError(
                .invalidHandle, fault, fieldErrors: [.init(field: "handle", message: fault)])
        }
        let base = handle ?? "guest"
        for attempt in 0..<Limits.guestHandleAttempts {
            let account = Account(
                id: environment.newID(), handle: guestHandle(base, attempt: attempt), email: nil,
                roles: Role.guest.granted, createdAtMs: environment.now())
            if try await stored({ try await accountStore.insert(account, passwordHash: nil) }) == nil {
                return try await beginSession(for: account, client)
            }
        }
        throw IdentityError(.handleTaken, "No free guest handle was found; ask for another.")
    }

    /// Exchanges a refresh token for a new pair. One that was exchanged before answers once more within
    /// `Limits.refreshGraceMs` to the same client; after that, or to another, it ends the whole session, for whoever
    /// holds the newer one.
    public func refresh(
        _ refreshToken: String, client: SessionClient = .unknown
    ) async throws(IdentityError) -> TokenPair {
        let expectedLength = (Limits.refreshTokenBytes * 8 + 5) / 6
        guard refreshToken.utf8.prefix(expectedLength + 1).count == expectedLength,
            Base64URL.isWellFormed(refreshToken)
        else { throw .invalidToken }
        let next = newRefreshToken()
        let outcome = try await stored {
            try await sessionStore.rotate(
                presented: Hashing.sha256(Array(refreshToken.utf8)),
                replacement: Hashing.sha256(Array(next.utf8)), client: client, atMs: environment.now())
        }
        switch outcome {
        case .rotated(let session):
            guard let account = try await account(session.userID) else { throw .sessionEnded }
            return try await pair(for: account, session: session, refreshToken: next)
        case .unknown: throw .invalidToken
        case .expired: throw .expiredToken
        case .ended: throw .sessionEnded
        case .reused(let session):
            announceEnd(of: [session.id])
            throw .sessionEnded
        }
    }

    /// Ends a session; ending one that is over is no fault. On return its tokens are refused.
    public func endSession(_ sessionID: String) async throws(IdentityError) {
        let ended = try await stored { try await sessionStore.end(sessionID, atMs: environment.now()) }
        if ended { announceEnd(of: [sessionID]) }
    }

    /// Live sessions of an account, newest first.
    public func sessions(of userID: String) async throws(IdentityError) -> [Session] {
        try await stored { try await sessionStore.sessions(of: userID, atMs: environment.now()) }
    }

    /// Ends a session of that account.
    ///
    /// - Throws: `notFound` for a session of somebody else, too.
    public func endSession(_ sessionID: String, of userID: String) async throws(IdentityError) {
        guard let record = try await liveRecord(sessionID), record.session.userID == userID else {
            throw IdentityError(.notFound, "There is no such session.")
        }
        try await endSession(sessionID)
    }

    /// Ends all sessions of the caller but the one it asks with; answers how many.
    public func endOtherSessions(of caller: Caller) async throws(IdentityError) -> Int {
        let ended = try await stored {
            try await sessionStore.endOthers(
                of: caller.userID, keeping: caller.sessionID, atMs: environment.now())
        }
        announceEnd(of: ended)
        return ended.count
    }

    /// Whether the session's tokens are good now.
    public func isSessionLive(_ sessionID: String) async throws(IdentityError) -> Bool {
        try await liveRecord(sessionID) != nil
    }

    /// Deletes sessions and refresh tokens that were over a day ago, a bounded number; answers how many rows went.
    /// Called now and then by maintenance.
    public func purgeSessions() async throws(IdentityError) -> Int {
        let beforeMs = environment.now().saturatingAdding(-24 * 3600 * 1000)
        return try await stored { try await sessionStore.purge(beforeMs: beforeMs, limit: Limits.purgedRows) }
    }

    /// The session and its account as they are now, when the session lives; from the cache or the store.
    func liveRecord(_ sessionID: String) async throws(IdentityError) -> SessionRecord? {
        if let tokenID = PersonalToken.id(ofSession: sessionID) { return try await tokenRecord(tokenID) }
        let atMs = environment.now()
        let (cached, generation) = state.withLock { state in
            (state.cache.record(sessionID, atMs: atMs), state.cache.generation)
        }
        if let cached { return cached.session.isLive(atMs: atMs) ? cached : nil }
        let record = try await stored { try await sessionStore.session(sessionID) }
        guard let record, record.session.isLive(atMs: atMs) else { return nil }
        state.withLock { $0.cache.keep(record, readAtMs: atMs, generation: generation) }
        return record
    }

    func beginSession(
        for account: Account, _ client: SessionClient
    ) async throws(IdentityError) -> TokenPair {
        try await refuseBanned(account.id)
        let atMs = environment.now()
        let session = Session(
            id: environment.newID(), userID: account.id, createdAtMs: atMs,
            expiresAtMs: atMs.saturatingAdding(Limits.sessionAbsoluteMs), client: client)
        let refreshToken = newRefreshToken()
        let token = RefreshToken(
            hash: Hashing.sha256(Array(refreshToken.utf8)), sessionID: session.id,
            expiresAtMs: RefreshRule.expiry(of: session, atMs: atMs))
        let ended = try await stored {
            try await sessionStore.create(session, token: token, limit: Limits.sessionsPerAccount)
        }
        announceEnd(of: ended)
        do {
            // A ban that came meanwhile did not find this session.
            try await refuseBanned(account.id)
        } catch {
            try await endSession(session.id)
            throw error
        }
        return try await pair(for: account, session: session, refreshToken: refreshToken)
    }

    private func pair(
        for account: Account, session: Session, refreshToken: String
    ) async throws(IdentityError) -> TokenPair {
        TokenPair(
            accessToken: try await mintAccessToken(for: account, sessionID: session.id),
            expiresInSeconds: Limits.accessTokenSeconds, refreshToken: refreshToken, userID: account.id,
            handle: account.handle)
    }

    func credentials(_ login: String) async throws(IdentityError) -> AccountCredentials? {
        if login.utf8.contains(UInt8(ascii: "@")) {
            guard let email = CredentialRules.normalisedEmail(login) else { return nil }
            return try await stored { try await accountStore.credentials(email: email) }
        }
        guard CredentialRules.handleFault(login) == nil else { return nil }
        return try await stored { try await accountStore.credentials(handle: login) }
    }

    /// What `caller` logs in by.
    ///
    /// - Throws: `notFound` for an account that is gone.
    func ownCredentials(of caller: Caller) async throws(IdentityError) -> AccountCredentials {
        guard let found = try await stored({ try await accountStore.credentials(id: caller.userID) }) else {
            throw IdentityError(.notFound, "There is no such account.")
        }
        return found
    }

    func failedLogIn(_ name: String) -> IdentityError {
        state.withLock { $0.throttle.failed(name, atMs: environment.now()) }
        return .badCredentials
    }

    /// Stores the password under the parameters of today. The log-in has succeeded already: a failure here only
    /// means that the next one tries again.
    private func rehash(_ password: String, of userID: String) async {
        guard let hash = try? await hash(password) else { return }
        try? await stored { try await accountStore.setPasswordHash(hash, of: userID) }
    }

    private func newRefreshToken() -> String {
        Base64URL.encode(environment.randomBytes(Limits.refreshTokenBytes))
    }

    private func guestHandle(_ base: String, attempt: Int) -> String {
        // Letters and digits that are not mistaken for one another when read aloud.
        let alphabet = Array("23456789abcdefghjkmnpqrstuvwxyz".utf8)
        let suffixLength = attempt < 2 ? 4 : 8
        let suffix = environment.randomBytes(suffixLength).map { alphabet[Int($0) % alphabet.count] }
        let room = Limits.handleLength.upperBound - suffixLength - 1
        return "\(base.prefix(room))-\(String(decoding: suffix, as: UTF8.self))"
    }
}
