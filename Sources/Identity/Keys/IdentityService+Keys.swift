import JWTKit

extension IdentityService {
    /// Signs with the key whose turn it is.
    func sign(_ claims: some JWTPayload, type: String) async throws(IdentityError) -> String {
        try await codec.sign(claims, type: type, atMs: environment.now())
    }

    /// As `TokenCodec.verify`. For a key that is not known the keys are read again: another process may have made it.
    func verify<Claims: JWTPayload>(
        _ token: String, type: String, as claims: Claims.Type
    ) async throws(IdentityError) -> Claims {
        if let found = try await codec.verify(token, type: type, as: claims) { return found }
        try await reloadKeysIfStale()
        guard let found = try await codec.verify(token, type: type, as: claims) else { throw .invalidToken }
        return found
    }

    private func reloadKeysIfStale() async throws(IdentityError) {
        let atMs = environment.now()
        let isStale = state.withLock { state in
            guard atMs >= state.keysReadAtMs.saturatingAdding(Limits.keyReloadMs) else { return false }
            state.keysReadAtMs = atMs
            return true
        }
        if isStale { try await use(try await stored { try await keyStore.signingKeys() }) }
    }

    /// Keeps the keys as they should be: takes up those of other processes, replaces the newest when it is as old as
    /// the settings allow, and removes those that nothing needs. Called every minute or so.
    public func tendKeys() async throws(IdentityError) {
        let atMs = environment.now()
        var keys = try await stored { try await keyStore.signingKeys() }
        if let intervalMs = settings.keyRotationMs,
            SigningKeyRule.isDue(keys, every: intervalMs, atMs: atMs)
        {
            keys = try await rotateKeys()
        }
        let outlived = Set(SigningKeyRule.outlived(keys, atMs: atMs).map(\.id))
        if !outlived.isEmpty {
            try await stored { try await keyStore.remove(Array(outlived)) }
            keys.removeAll { outlived.contains($0.id) }
        }
        try await use(keys)
    }

    /// Makes a new key. It is published at once and signs after `Limits.keyLeadMs`; what the old ones signed stays
    /// good until it expires.
    ///
    /// - Parameter atOnce: the new key signs now, and all others are removed: every access and sync token is worth
    ///   nothing from here on, refresh tokens stay. For a key that somebody else may have.
    public func rotateKeys(atOnce: Bool = false) async throws(IdentityError) -> [SigningKey] {
        let atMs = environment.now()
        let present = try await stored { try await keyStore.signingKeys() }
        guard let newest = present.last, present.count < Limits.signingKeys || atOnce else {
            throw IdentityError(.unavailable, "There are too many signing keys already.")
        }
        let key: SigningKey
        do {
            var made = try TokenCodec.key(seed: environment.randomBytes(32), createdAtMs: atMs)
            made.activeFromMs = atOnce ? atMs : atMs.saturatingAdding(Limits.keyLeadMs)
            key = made
        } catch {
            throw IdentityError(.unavailable, "A signing key cannot be made: \(error)")
        }
        var keys = try await stored { try await keyStore.add(key, after: newest.id) }
        if atOnce, keys.contains(key) {
            let others = keys.map(\.id).filter { $0 != key.id }
            try await stored { try await keyStore.remove(others) }
            keys = [key]
        }
        try await use(keys)
        return keys
    }

    private func use(_ keys: [SigningKey]) async throws(IdentityError) {
        guard keys != codec.signingKeys else { return }
        do {
            let codec = try await TokenCodec(signingKeys: keys)
            let atMs = environment.now()
            state.withLock { state in
                state.codec = codec
                state.keysReadAtMs = atMs
            }
        } catch {
            throw IdentityError(.unavailable, "The signing keys cannot be read: \(error)")
        }
    }
}
