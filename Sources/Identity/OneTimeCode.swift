/// What a one-time code is good for.
public enum CodePurpose: String, Sendable, CaseIterable {
    /// Proves that mail is received; the subject is the address.
    case verifyEmail = "verify-email"
    case resetPassword = "reset-password"
    /// Opens one socket; the subject is the session.
    case socket
    /// A log-in at a provider that is under way; the subject is its name and what it is for.
    case openID = "openid"
}

/// A secret that is good for one thing once. Only the SHA-256 of its text is kept.
public struct OneTimeCode: Sendable, Equatable {
    public var hash: [UInt8]
    public var userID: String
    public var purpose: CodePurpose
    /// What exactly it is good for; see `CodePurpose`.
    public var subject: String
    /// ms since 1970.
    public var expiresAtMs: Int64

    public init(hash: [UInt8], userID: String, purpose: CodePurpose, subject: String, expiresAtMs: Int64) {
        self.hash = hash
        self.userID = userID
        self.purpose = purpose
        self.subject = subject
        self.expiresAtMs = expiresAtMs
    }
}

/// Keeps one-time codes. Every answer means "on disk".
public protocol OneTimeCodeStore: Sendable {
    /// Stores a code; of more than `limit` of the user and purpose the oldest go, and expired ones with them.
    func insert(_ code: OneTimeCode, limit: Int, atMs: Int64) async throws
    /// Takes a code out: of two who present it one gets it. Nil when there is none, or it has expired.
    func take(hash: [UInt8], purpose: CodePurpose, atMs: Int64) async throws -> OneTimeCode?
    /// Forgets all codes of a user; with a purpose those of it alone.
    func removeAll(of userID: String, purpose: CodePurpose?) async throws
}

extension IdentityService {
    /// A new code; its text is told once.
    func makeCode(
        _ purpose: CodePurpose, of userID: String, subject: String, lifeMs: Int64, limit: Int
    ) async throws(IdentityError) -> String {
        guard let codes else { throw .storeFailed }
        let text = Base64URL.encode(environment.randomBytes(Limits.codeBytes))
        let atMs = environment.now()
        let code = OneTimeCode(
            hash: Hashing.sha256(Array(text.utf8)), userID: userID, purpose: purpose, subject: subject,
            expiresAtMs: atMs.saturatingAdding(lifeMs))
        try await stored { try await codes.insert(code, limit: limit, atMs: atMs) }
        return text
    }

    /// - Throws: `invalidToken` for a code that does not exist, was used, is for something else, or has expired.
    func takeCode(_ text: String, _ purpose: CodePurpose) async throws(IdentityError) -> OneTimeCode {
        guard let codes else { throw .storeFailed }
        guard text.utf8.prefix(Limits.tokenBytes + 1).count <= Limits.tokenBytes, Base64URL.isWellFormed(text)
        else { throw .invalidToken }
        let hash = Hashing.sha256(Array(text.utf8))
        let code = try await stored {
            try await codes.take(hash: hash, purpose: purpose, atMs: environment.now())
        }
        guard let code else { throw .invalidToken }
        return code
    }

    /// A ticket that opens one socket for the caller, once, within `Limits.ticketMs`: what a browser puts into the
    /// address of a socket, where it would leave a token in logs.
    public func mintSocketTicket(
        for caller: Caller
    ) async throws(IdentityError) -> (ticket: String, expiresInSeconds: Int) {
        let text = try await makeCode(
            .socket, of: caller.userID, subject: caller.sessionID, lifeMs: Limits.ticketMs,
            limit: Limits.ticketsPerAccount)
        return (text, Int(Limits.ticketMs / 1000))
    }

    /// Who holds the ticket; it is used up by this.
    public func redeemSocketTicket(_ ticket: String) async throws(IdentityError) -> Caller {
        let code = try await takeCode(ticket, .socket)
        return try await caller(sessionID: code.subject, userID: code.userID)
    }
}
