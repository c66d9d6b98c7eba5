/// The one error of this module. `message` is fit for the person who made the request and never names a secret.
public struct IdentityError: Error, Sendable, Equatable {
    public enum Code: String, Sendable, CaseIterable {
        /// The input breaks a rule; `fieldErrors` lists every fault, `code` is that of the first.
        case invalidHandle, invalidEmail, weakPassword, invalidRole, invalidFields
        /// Somebody has it already.
        case handleTaken, emailTaken
        /// Wrong log-in or password; the same answer for an account that does not exist.
        case badCredentials
        /// The password is right, and a code has to come with it.
        case secondFactorRequired
        /// Missing, malformed, forged, expired, or made for another purpose.
        case invalidToken
        /// The token was good, its session is over.
        case sessionEnded
        case guestsDisabled
        /// A provider's answer is not good, or does not belong to a log-in that was begun here.
        case loginRefused
        /// Somebody's account is linked to this identity already.
        case identityTaken
        /// Without it nobody could log in any more.
        case lastIdentity
        /// The account is banned; `retryAfterSeconds` is set where the ban expires.
        case banned
        /// The caller may not do that to this account.
        case notAllowed
        /// Too many failed log-ins; `retryAfterSeconds` is set.
        case tooManyAttempts
        case notFound
        /// The store or the hashing pool cannot answer now; a later attempt may succeed.
        case unavailable
    }

    /// One fault of one field of the request.
    public struct FieldError: Sendable, Equatable {
        /// The field's name in the request: `handle`, `email`, `password`, `role`.
        public var field: String
        public var message: String

        public init(field: String, message: String) {
            self.field = field
            self.message = message
        }
    }

    public var code: Code
    public var message: String
    public var fieldErrors: [FieldError]
    /// Set with `tooManyAttempts` and, where known, with `unavailable`; at least 1.
    public var retryAfterSeconds: Int?

    public init(
        _ code: Code, _ message: String, fieldErrors: [FieldError] = [], retryAfterSeconds: Int? = nil
    ) {
        self.code = code
        self.message = message
        self.fieldErrors = fieldErrors
        self.retryAfterSeconds = retryAfterSeconds
    }

    static let invalidToken = IdentityError(.invalidToken, "The token is not valid.")
    static let expiredToken = IdentityError(.invalidToken, "The token has expired.")
    static let sessionEnded = IdentityError(.sessionEnded, "The session has ended.")
    static let badCredentials = IdentityError(.badCredentials, "The log-in or the password is wrong.")
    static let busy = IdentityError(
        .unavailable, "Too many log-ins at once; try again.", retryAfterSeconds: 1)
    static let storeFailed = IdentityError(.unavailable, "Accounts are not available; try again.")
}
