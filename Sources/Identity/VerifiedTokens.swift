import JWTKit
import Synchronization

/// Claims of tokens whose signature was found good: a client sends the same token with every call, and a signature costs
/// more than most calls do. Only what is true of the bytes for ever is kept; times, audience, issuer and the session
/// are judged each time. O(length of the token) a call.
final class VerifiedTokens: Sendable {
    private let claims = Mutex<[String: any JWTPayload]>([:])

    /// Nil for a token that was not kept, or whose claims are of another kind.
    subscript<Claims: JWTPayload>(token: String) -> Claims? {
        get { claims.withLock { $0[token] } as? Claims }
        set {
            claims.withLock { claims in
                // Most of a full table are tokens that were replaced by younger ones since.
                if claims.count >= Limits.verifiedTokens { claims.removeAll(keepingCapacity: true) }
                claims[token] = newValue
            }
        }
    }
}
