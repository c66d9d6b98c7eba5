import Identity
import Synchronization

/// A clock that stands still until it is moved.
final class FakeClock: Sendable {
    private let ms = Mutex<Int64>(1_800_000_000_000)

    var nowMs: Int64 { ms.withLock { $0 } }

    func advance(ms step: Int64) { ms.withLock { $0 += step } }
    func advance(seconds: Int64) { advance(ms: seconds * 1000) }
}

/// Deterministic bytes (SplitMix64).
final class SeededBytes: Sendable {
    private let state: Mutex<UInt64>

    init(seed: UInt64) {
        state = Mutex(seed)
    }

    func next(_ count: Int) -> [UInt8] {
        state.withLock { state in
            (0..<count).map { _ in
                state &+= 0x9E37_79B9_7F4A_7C15
                var z = state
                z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
                z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
                return UInt8(truncatingIfNeeded: z ^ (z >> 31))
            }
        }
    }
}

/// The service over stores in memory, a fake clock, and cheap hashes.
struct Harness: Sendable {
    static let cheapHash = PasswordHash(memoryKiB: 64, passes: 1, lanes: 1)
    static let password = "a decent pass phrase"

    let clock = FakeClock()
    let random: SeededBytes
    let accounts = MemoryAccountStore()
    let sessions: MemorySessionStore
    let keys = MemorySigningKeyStore()
    let codes = MemoryCodeStore()
    let tokens = MemoryTokenStore()
    let factors = MemoryFactorStore()
    let mails = Mails()
    let environment: IdentityEnvironment
    let service: IdentityService
    let ended = Endings()

    /// Ids of the sessions whose end was announced.
    final class Endings: Sendable {
        private let ids = Mutex<[String]>([])
        var all: [String] { ids.withLock { $0 } }
        func add(_ id: String) { ids.withLock { $0.append(id) } }
    }

    /// Mails that were handed over.
    final class Mails: Sendable {
        private let mails = Mutex<[OutgoingMail]>([])
        var all: [OutgoingMail] { mails.withLock { $0 } }
        func add(_ mail: OutgoingMail) { mails.withLock { $0.append(mail) } }

        /// The code in the newest mail's link.
        var code: String? {
            let line = all.last?.text.split(separator: "\n").first { $0.contains("/#/") }
            return line?.split(separator: "/").last.map(String.init)
        }
    }

    init(
        settings: IdentitySettings? = nil, pool: PasswordHashingPool = .init(), seed: UInt64 = 1,
        secretBox: SecretBox? = nil
    ) async throws {
        let clock = clock
        let random = SeededBytes(seed: seed)
        self.random = random
        sessions = MemorySessionStore(accounts: accounts)
        environment = IdentityEnvironment(now: { clock.nowMs }, randomBytes: { random.next($0) })
        service = try await IdentityService.start(
            accounts: accounts, sessions: sessions, keys: keys,
            people: PeopleStores(
                codes: codes, tokens: tokens, secondFactors: factors, secretBox: secretBox),
            settings: settings ?? IdentitySettings(passwordHash: Self.cheapHash), environment: environment,
            pool: pool)
        let (ended, mails) = (ended, mails)
        service.onSessionEnded = { ended.add($0) }
        service.mail = { mails.add($0) }
    }

    /// A second process over the same stores.
    func restarted(settings: IdentitySettings? = nil) async throws -> IdentityService {
        try await IdentityService.start(
            accounts: accounts, sessions: sessions, keys: keys,
            settings: settings ?? IdentitySettings(passwordHash: Self.cheapHash), environment: environment)
    }

    func loggedIn(_ handle: String = "alice") async throws -> TokenPair {
        _ = try await service.register(
            handle: handle, email: "\(handle)@example.org", password: Self.password)
        return try await service.logIn(login: handle, password: Self.password)
    }

    func code(_ body: () async throws -> some Any) async -> IdentityError.Code? {
        do {
            _ = try await body()
            return nil
        } catch {
            return (error as? IdentityError)?.code
        }
    }
}
