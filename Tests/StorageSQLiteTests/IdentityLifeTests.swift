import Identity
import StorageSQLite
import Synchronization
import Testing

/// The identity service over real files: what a process knows after another one, or a restart.
@Suite struct IdentityLifeTests {
    private final class Clock: Sendable {
        private let ms = Mutex<Int64>(1_800_000_000_000)
        var nowMs: Int64 { ms.withLock { $0 } }
        func advance(ms step: Int64) { ms.withLock { $0 += step } }
    }

    private let scratch = Scratch()
    private let clock = Clock()

    private func service(_ database: CoduelDatabase) async throws -> IdentityService {
        let clock = clock
        return try await IdentityService.start(
            accounts: AccountStoreSQLite(database), sessions: SessionStoreSQLite(database),
            keys: SigningKeyStoreSQLite(database),
            settings: IdentitySettings(passwordHash: PasswordHash(memoryKiB: 64, passes: 1, lanes: 1)),
            environment: IdentityEnvironment(
                now: { clock.nowMs },
                randomBytes: { count in (0..<count).map { _ in UInt8.random(in: .min ... .max) } }))
    }

    @Test func everythingOutlivesARestart() async throws {
        let before = try scratch.open()
        let first = try await service(before)
        let account = try await first.register(
            handle: "alice", email: "alice@example.org", password: "a decent pass phrase")
        let pair = try await first.logIn(login: "alice", password: "a decent pass phrase")
        let over = try await first.logIn(login: "alice", password: "a decent pass phrase")
        let overID = try await first.authenticate(accessToken: over.accessToken).sessionID
        try await first.endSession(overID)
        let jwks = first.jwks()
        try before.close()

        let after = try scratch.open()
        let second = try await service(after)
        #expect(second.jwks() == jwks)
        let caller = try await second.authenticate(accessToken: pair.accessToken)
        #expect(caller.userID == account.id && caller.handle == "alice")
        await #expect(throws: IdentityError.self) {
            try await second.authenticate(accessToken: over.accessToken)
        }
        let next = try await second.refresh(pair.refreshToken)
        clock.advance(ms: Limits.refreshGraceMs)
        await #expect(throws: IdentityError.self) { try await second.refresh(pair.refreshToken) }
        await #expect(throws: IdentityError.self) {
            try await second.authenticate(accessToken: next.accessToken)
        }
        #expect(try await second.logIn(login: "ALICE", password: "a decent pass phrase").userID == account.id)
        try after.close()
    }

    @Test func refreshingAtOnceKeepsTheSession() async throws {
        let database = try scratch.open()
        let service = try await service(database)
        let pair = try await service.logInAsGuest(handle: "gus")
        let answered = try await successes(of: 10) { _ in
            let next = try await service.refresh(pair.refreshToken)
            _ = try await service.authenticate(accessToken: next.accessToken)
            return true
        }
        #expect(answered == 10)
        try database.close()
    }

    @Test func oneHandleGoesToOneOfManyRegistrations() async throws {
        let database = try scratch.open()
        let service = try await service(database)
        let won = try await successes(of: 20) { index in
            do {
                _ = try await service.register(
                    handle: "racer", email: "r\(index)@example.org", password: "a decent pass phrase")
                return true
            } catch let error as IdentityError where error.code == .handleTaken {
                return false
            }
        }
        #expect(won == 1)
        try database.close()
    }
}
