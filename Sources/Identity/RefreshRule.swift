/// What happens to a refresh token that is presented. A pure function, so that every store decides alike, inside
/// its own transaction.
///
/// RFC 9700, section 4.14.2: refresh tokens are rotated, and the family is revoked when one comes back that was
/// exchanged before. The grace covers honest repeats of the same client: two tabs that refresh at once, or an answer
/// that was lost.
public enum RefreshRule {
    public enum Decision: Sendable, Equatable {
        /// Mark as rotated now and issue a new one that expires at `newExpiryMs`.
        case rotate(newExpiryMs: Int64)
        /// It was rotated a moment ago: issue one more, count it.
        case reissue(newExpiryMs: Int64)
        case refuseExpired
        case refuseEnded
        /// End the session.
        case revokeFamily
    }

    public static func decide(
        token: RefreshToken, session: Session, client: SessionClient, atMs: Int64
    ) -> Decision {
        guard session.endedAtMs == nil else { return .refuseEnded }
        guard session.isLive(atMs: atMs) else { return .refuseExpired }
        let newExpiryMs = expiry(of: session, atMs: atMs)
        if let rotatedAtMs = token.rotatedAtMs {
            // Reuse is judged before expiry: a stolen token is a theft however old it is.
            let inGrace = atMs < rotatedAtMs.saturatingAdding(Limits.refreshGraceMs)
            let isSameClient = token.rotatedBy.map { $0 == client.fingerprint } ?? true
            return inGrace && isSameClient && token.reissues < Limits.refreshGraceReissues
                ? .reissue(newExpiryMs: newExpiryMs) : .revokeFamily
        }
        guard atMs < token.expiresAtMs else { return .refuseExpired }
        return .rotate(newExpiryMs: newExpiryMs)
    }

    /// When a token issued at `atMs` expires: the idle time, cut at the session's absolute end.
    public static func expiry(of session: Session, atMs: Int64) -> Int64 {
        min(atMs.saturatingAdding(Limits.refreshIdleMs), session.expiresAtMs)
    }
}

extension Int64 {
    /// Sum that stays at the type's bounds instead of trapping.
    func saturatingAdding(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}
