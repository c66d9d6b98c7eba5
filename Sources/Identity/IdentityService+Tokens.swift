extension IdentityService {
    /// Who holds the access token. Refuses forged, expired and foreign tokens, sync tokens, and those of a session
    /// that has ended, at once. Role and handle are those of the account now.
    public func authenticate(accessToken: String) async throws(IdentityError) -> Caller {
        let claims = try await verify(accessToken, type: AccessClaims.type, as: AccessClaims.self)
        guard claims.iss == settings.issuer, claims.aud == AccessClaims.audience else { throw .invalidToken }
        try checkTimes(issuedAt: claims.iat, expiresAt: claims.exp)
        return try await caller(sessionID: claims.sid, userID: claims.sub)
    }

    /// A token that opens one room's documents at one epoch for as long as the session lives, at most
    /// `Limits.syncTokenSeconds`; stock clients keep it for life. `ttlSeconds` is clipped to that.
    public func mintSyncToken(
        roomID: String, epoch: Int64, for caller: Caller, ttlSeconds: Int
    ) async throws(IdentityError) -> (token: String, expiresAtMs: Int64) {
        guard roomID.utf8.prefix(Limits.roomIDBytes + 1).count <= Limits.roomIDBytes else {
            throw IdentityError(.notFound, "There is no such room.")
        }
        let issuedAt = nowSeconds()
        let ttl = Int64(min(max(ttlSeconds, 1), Limits.syncTokenSeconds))
        let claims = SyncClaims(
            iss: settings.issuer, aud: SyncClaims.audience, sub: caller.userID, sid: caller.sessionID,
            room: roomID, epoch: epoch, iat: issuedAt, exp: issuedAt.saturatingAdding(ttl),
            jti: environment.newID())
        let token = try await sign(claims, type: SyncClaims.type)
        return (token, claims.exp.multipliedReportingOverflow(by: 1000).partialValue)
    }

    /// What a sync token allows. Refuses access tokens, and tokens of a session that has ended.
    public func verifySyncToken(_ token: String) async throws(IdentityError) -> SyncGrant {
        let claims = try await verify(token, type: SyncClaims.type, as: SyncClaims.self)
        guard claims.iss == settings.issuer, claims.aud == SyncClaims.audience else { throw .invalidToken }
        try checkTimes(issuedAt: claims.iat, expiresAt: claims.exp)
        let caller = try await caller(sessionID: claims.sid, userID: claims.sub)
        let (expiresAtMs, overflow) = claims.exp.multipliedReportingOverflow(by: 1000)
        guard !overflow else { throw .invalidToken }
        return SyncGrant(roomID: claims.room, epoch: claims.epoch, caller: caller, expiresAtMs: expiresAtMs)
    }

    func mintAccessToken(for account: Account, sessionID: String) async throws(IdentityError) -> String {
        let issuedAt = nowSeconds()
        let claims = AccessClaims(
            iss: settings.issuer, aud: AccessClaims.audience, sub: account.id, clientID: settings.issuer,
            sid: sessionID,
            handle: account.handle, roles: account.roles.map(\.rawValue).sorted(), iat: issuedAt,
            exp: issuedAt.saturatingAdding(Int64(Limits.accessTokenSeconds)), jti: environment.newID())
        return try await sign(claims, type: AccessClaims.type)
    }

    /// - Throws: `invalidToken` for one that has expired, or that was issued in the future by more than a minute.
    func checkTimes(issuedAt: Int64, expiresAt: Int64) throws(IdentityError) {
        let now = nowSeconds()
        guard now < expiresAt else { throw .expiredToken }
        guard issuedAt <= state.withLock({ $0.latestSeconds }).saturatingAdding(Limits.tokenLeewaySeconds)
        else {
            throw .invalidToken
        }
    }

    func caller(sessionID: String, userID: String) async throws(IdentityError) -> Caller {
        guard let record = try await liveRecord(sessionID) else { throw .sessionEnded }
        guard record.account.id == userID else { throw .invalidToken }
        return Caller(
            userID: record.account.id, handle: record.account.handle, sessionID: sessionID,
            roles: record.account.roles)
    }

    private func nowSeconds() -> Int64 {
        let now = environment.now() / 1000
        state.withLock { $0.latestSeconds = max($0.latestSeconds, now) }
        return now
    }
}
