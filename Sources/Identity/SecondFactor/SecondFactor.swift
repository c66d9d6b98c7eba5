/// The second factor of an account, as it is stored.
public struct SecondFactor: Sendable, Equatable {
    public var userID: String
    /// The secret of the time codes, sealed.
    public var sealedSecret: String
    /// Nil until the first code proved that an app has the secret.
    public var confirmedAtMs: Int64?
    /// The step of the last code that was taken.
    public var lastStep: Int64?
    /// SHA-256 of the recovery codes that are left.
    public var recoveryHashes: [[UInt8]]

    public init(
        userID: String, sealedSecret: String, confirmedAtMs: Int64? = nil, lastStep: Int64? = nil,
        recoveryHashes: [[UInt8]] = []
    ) {
        self.userID = userID
        self.sealedSecret = sealedSecret
        self.confirmedAtMs = confirmedAtMs
        self.lastStep = lastStep
        self.recoveryHashes = recoveryHashes
    }
}

/// Keeps second factors. Every answer means "on disk".
public protocol SecondFactorStore: Sendable {
    func factor(of userID: String) async throws -> SecondFactor?
    /// Replaces what is there; nil removes it.
    func set(_ factor: SecondFactor?, of userID: String) async throws
    /// Notes that a step's code was taken; false when that step or a later one was before: of two who send one code
    /// one gets in.
    func useStep(_ step: Int64, of userID: String) async throws -> Bool
    /// Removes a recovery code; false when it is not there.
    func useRecovery(_ hash: [UInt8], of userID: String) async throws -> Bool
}

extension IdentityService {
    /// What `beginSecondFactor` answers.
    public struct SecondFactorSecret: Sendable {
        /// Base 32, to type in.
        public var secret: String
        /// For a QR code.
        public var url: String
    }

    /// Whether log-ins of the account need a code, and how many recovery codes are left.
    public func secondFactor(of userID: String) async throws(IdentityError) -> (
        isOn: Bool, recoveryCodes: Int
    ) {
        guard let factor = try await factor(of: userID), factor.confirmedAtMs != nil else {
            return (false, 0)
        }
        return (true, factor.recoveryHashes.count)
    }

    /// Makes a secret for an authenticator app; it counts once `confirmSecondFactor` saw a code of it.
    ///
    /// - Throws: `badCredentials`; `notAllowed` where there is a second factor already, or none can be kept.
    public func beginSecondFactor(
        password: String, for caller: Caller
    ) async throws(IdentityError) -> SecondFactorSecret {
        guard let secondFactors, let box = secretBox else {
            throw IdentityError(.notAllowed, "This installation keeps no second factors.")
        }
        let found = try await ownCredentials(of: caller)
        try await requirePassword(password, of: found)
        guard try await factor(of: caller.userID)?.confirmedAtMs == nil else {
            throw IdentityError(.notAllowed, "There is a second factor already: remove it first.")
        }
        let secret = environment.randomBytes(TimeCode.secretBytes)
        let sealed = try box.seal(Base64URL.encode(secret), for: Self.purpose(caller.userID))
        let factor = SecondFactor(userID: caller.userID, sealedSecret: sealed)
        try await stored { try await secondFactors.set(factor, of: caller.userID) }
        let text = TimeCode.base32(secret)
        return SecondFactorSecret(
            secret: text,
            url: "otpauth://totp/Coduel:\(caller.handle)?secret=\(text)&issuer=Coduel&digits=6&period=30")
    }

    /// Turns the second factor on by the first code of the app; the recovery codes are told once.
    public func confirmSecondFactor(
        code: String, for caller: Caller
    ) async throws(IdentityError) -> [String] {
        guard let secondFactors, var factor = try await factor(of: caller.userID), factor.confirmedAtMs == nil
        else { throw IdentityError(.notAllowed, "No second factor waits to be confirmed.") }
        let name = "id:\(caller.userID)"
        try refusePaused(name)
        let atMs = environment.now()
        guard let step = TimeCode.match(code, secret: try secret(of: factor), atMs: atMs, after: nil) else {
            throw failedLogIn(name)
        }
        let alphabet = Array("23456789abcdefghjkmnpqrstuvwxyz".utf8)
        let codes = (0..<Limits.recoveryCodes).map { _ in
            let bytes = environment.randomBytes(Limits.recoveryCodeLength)
            return String(decoding: bytes.map { alphabet[Int($0) % alphabet.count] }, as: UTF8.self)
        }
        factor.confirmedAtMs = atMs
        factor.lastStep = step
        factor.recoveryHashes = codes.map { Hashing.sha256(Array($0.utf8)) }
        let confirmed = factor
        try await stored { try await secondFactors.set(confirmed, of: caller.userID) }
        return codes
    }

    /// Turns the second factor off, for whoever has password and code.
    public func removeSecondFactor(
        password: String, code: String, for caller: Caller
    ) async throws(IdentityError) {
        guard let secondFactors else { throw IdentityError(.notFound, "There is no such account.") }
        let found = try await ownCredentials(of: caller)
        try await requirePassword(password, of: found)
        try await requireSecondFactor(code, of: caller.userID)
        try await stored { try await secondFactors.set(nil, of: caller.userID) }
    }

    /// Passes where the account has no second factor, or the code is one of the app's or a recovery code.
    ///
    /// - Throws: `secondFactorRequired` without a code; `badCredentials` for a wrong one, under the log-in's pause.
    func requireSecondFactor(_ code: String?, of userID: String) async throws(IdentityError) {
        guard let secondFactors, let factor = try await factor(of: userID), factor.confirmedAtMs != nil else {
            return
        }
        guard let code, !code.isEmpty else {
            throw IdentityError(
                .secondFactorRequired, "This account needs a code of its authenticator app, too.")
        }
        let name = "factor:\(userID)"
        try refusePaused(name)
        let typed = String(
            code.utf8.prefix(64).filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "-") }.map {
                Character(UnicodeScalar($0))
            })
        let atMs = environment.now()
        let step = TimeCode.match(typed, secret: try secret(of: factor), atMs: atMs, after: factor.lastStep)
        let isGood = try await stored {
            if let step { return try await secondFactors.useStep(step, of: userID) }
            return try await secondFactors.useRecovery(Hashing.sha256(Array(typed.utf8)), of: userID)
        }
        guard isGood else { throw failedLogIn(name) }
        state.withLock { $0.throttle.succeeded(name) }
    }

    private func factor(of userID: String) async throws(IdentityError) -> SecondFactor? {
        guard let secondFactors else { return nil }
        return try await stored { try await secondFactors.factor(of: userID) }
    }

    private func secret(of factor: SecondFactor) throws(IdentityError) -> [UInt8] {
        guard let box = secretBox,
            let bytes = Base64URL.decode(try box.open(factor.sealedSecret, for: Self.purpose(factor.userID)))
        else { throw IdentityError(.unavailable, "Second factors cannot be checked now.") }
        return bytes
    }

    private static func purpose(_ userID: String) -> String { "second factor of \(userID)" }
}
