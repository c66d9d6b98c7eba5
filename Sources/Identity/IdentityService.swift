import Synchronization

/// What an installation decides about accounts.
public struct IdentitySettings: Sendable {
    /// The `iss` of every token; compared byte for byte.
    public var issuer: String
    public var guestsAllowed: Bool
    public var passwordHash: PasswordHash
    /// Where people reach this server, without a slash at the end: the links in mails begin with it.
    public var publicURL: String
    /// The age at which a signing key is replaced; nil: only by command.
    public var keyRotationMs: Int64?

    public init(
        issuer: String = "coduel", guestsAllowed: Bool = true, passwordHash: PasswordHash = .owasp,
        publicURL: String = "http://127.0.0.1:8080", keyRotationMs: Int64? = nil
    ) {
        self.issuer = issuer
        self.guestsAllowed = guestsAllowed
        self.passwordHash = passwordHash
        self.publicURL = publicURL
        self.keyRotationMs = keyRotationMs
    }
}

/// Everything that is not decided by the arguments alone.
public struct IdentityEnvironment: Sendable {
    /// ms since 1970.
    public var now: @Sendable () -> Int64
    /// That many bytes from the system's secure generator.
    public var randomBytes: @Sendable (Int) -> [UInt8]
    /// A new UUIDv7.
    public var newID: @Sendable () -> String

    /// Without `newID`, ids are made of `now` and `randomBytes`.
    public init(
        now: @escaping @Sendable () -> Int64, randomBytes: @escaping @Sendable (Int) -> [UInt8],
        newID: (@Sendable () -> String)? = nil
    ) {
        self.now = now
        self.randomBytes = randomBytes
        self.newID = newID ?? { UUIDv7.make(atMs: now(), randomBytes: randomBytes(UUIDv7.randomByteCount)) }
    }
}

/// The stores of a service that serves people; the command line does without.
public struct PeopleStores: Sendable {
    public var codes: (any OneTimeCodeStore)?
    public var tokens: (any PersonalTokenStore)?
    public var data: (any PersonalDataStore)?
    public var door: (any DoorSettingsStore)?
    public var secondFactors: (any SecondFactorStore)?
    /// Seals what second factors keep; without it there are none.
    public var secretBox: SecretBox?

    public init(
        codes: (any OneTimeCodeStore)? = nil, tokens: (any PersonalTokenStore)? = nil,
        data: (any PersonalDataStore)? = nil, door: (any DoorSettingsStore)? = nil,
        secondFactors: (any SecondFactorStore)? = nil, secretBox: SecretBox? = nil
    ) {
        self.codes = codes
        self.tokens = tokens
        self.data = data
        self.door = door
        self.secondFactors = secondFactors
        self.secretBox = secretBox
    }
}

/// Accounts, passwords, sessions and tokens. Safe to call from anywhere; nothing blocks the caller's thread.
///
/// Sessions: a log-in begins one, and it is the family of the refresh tokens that follow. It ends by
/// `endSession`, by reuse of a rotated refresh token, by a role taken away, or at its absolute end; from that
/// moment its access and sync tokens are refused, whatever their own expiry says.
public final class IdentityService: Sendable {
    struct State: Sendable {
        var throttle = LogInThrottle()
        var cache = SessionCache()
        var onSessionEnded: (@Sendable (_ sessionID: String) -> Void)?
        var mail: MailPort?
        var mails = MailQuota()
        var door: DoorSettings
        var publicURL: String
        var codec: TokenCodec
        var keysReadAtMs: Int64
        /// The latest time seen, s since 1970: a clock that was set back must not make its own tokens be from the future.
        var latestSeconds: Int64 = 0
    }

    let accountStore: any AccountStore
    let sessionStore: any SessionStore
    /// Nil where nobody is ever banned: the command line's.
    let bans: (any BanStore)?
    /// Nil on the command line, as those below.
    let codes: (any OneTimeCodeStore)?
    let personalTokens: (any PersonalTokenStore)?
    let personalData: (any PersonalDataStore)?
    let doorStore: (any DoorSettingsStore)?
    let secondFactors: (any SecondFactorStore)?
    let secretBox: SecretBox?
    let keyStore: any SigningKeyStore
    let settings: IdentitySettings
    let environment: IdentityEnvironment
    let pool: PasswordHashingPool
    /// Verified against when there is no account or no password, so that both take the same time.
    let decoyHash: String
    let state: Mutex<State>

    var codec: TokenCodec { state.withLock { $0.codec } }

    /// Makes the signing key when the store has none. Throws `.unavailable` when the store or Argon2 fails.
    public static func start(
        accounts: any AccountStore, sessions: any SessionStore, keys: any SigningKeyStore,
        bans: (any BanStore)? = nil, people: PeopleStores = .init(), settings: IdentitySettings = .init(),
        environment: IdentityEnvironment, pool: PasswordHashingPool = PasswordHashingPool()
    ) async throws(IdentityError) -> IdentityService {
        let codec: TokenCodec
        do {
            var signingKeys = try await keys.signingKeys()
            if signingKeys.isEmpty {
                let key = try TokenCodec.key(
                    seed: environment.randomBytes(32), createdAtMs: environment.now())
                signingKeys = try await keys.addFirst(key)
            }
            codec = try await TokenCodec(signingKeys: signingKeys)
        } catch {
            throw IdentityError(.unavailable, "The signing key cannot be read or made: \(error)")
        }
        let decoy = environment.randomBytes(32)
        let salt = environment.randomBytes(PasswordHash.saltBytes)
        let decoyHash = try await pool.run { settings.passwordHash.encode(decoy, salt: salt) }
        guard let decoyHash else { throw IdentityError(.unavailable, "Passwords cannot be hashed here.") }
        let service = IdentityService(
            accounts: accounts, sessions: sessions, keys: keys, bans: bans, people: people,
            settings: settings, environment: environment, pool: pool, codec: codec, decoyHash: decoyHash)
        try await service.reloadDoor()
        return service
    }

    private init(
        accounts: any AccountStore, sessions: any SessionStore, keys: any SigningKeyStore,
        bans: (any BanStore)?, people: PeopleStores, settings: IdentitySettings,
        environment: IdentityEnvironment, pool: PasswordHashingPool, codec: TokenCodec, decoyHash: String
    ) {
        self.accountStore = accounts
        self.sessionStore = sessions
        self.keyStore = keys
        self.bans = bans
        self.codes = people.codes
        self.personalTokens = people.tokens
        self.personalData = people.data
        self.doorStore = people.door
        self.secondFactors = people.secondFactors
        self.secretBox = people.secretBox
        self.settings = settings
        self.environment = environment
        self.pool = pool
        self.decoyHash = decoyHash
        self.state = Mutex(
            State(
                door: DoorSettings(guests: settings.guestsAllowed), publicURL: settings.publicURL,
                codec: codec,
                keysReadAtMs: environment.now()))
    }

    /// Told once for every session that ends before its time, after the end is on disk: open sockets are closed
    /// there. Set at wiring; must not block.
    public var onSessionEnded: (@Sendable (_ sessionID: String) -> Void)? {
        get { state.withLock { $0.onSessionEnded } }
        set { state.withLock { $0.onSessionEnded = newValue } }
    }

    /// Where people reach this server; see `IdentitySettings.publicURL`. Set again once a listener has its port.
    public var publicURL: String {
        get { state.withLock { $0.publicURL } }
        set { state.withLock { $0.publicURL = newValue } }
    }

    /// The public keys as a JWK set (RFC 7517), JSON text.
    public func jwks() -> String { codec.jwks }

    /// Runs a store's call; whatever it throws becomes `.unavailable`.
    func stored<Value>(
        _ call: () async throws -> Value
    ) async throws(IdentityError) -> Value {
        do {
            return try await call()
        } catch {
            throw .storeFailed
        }
    }

    /// Forgets ended sessions and tells the listener.
    func announceEnd(of sessionIDs: [String]) {
        guard !sessionIDs.isEmpty else { return }
        let listener = state.withLock { state in
            state.cache.invalidate(sessions: sessionIDs)
            return state.onSessionEnded
        }
        guard let listener else { return }
        for id in sessionIDs { listener(id) }
    }
}
