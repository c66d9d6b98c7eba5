import Identity
import Testing

@Suite struct LogInTests {
    @Test func answersTheSameForUnknownAndWrong() async throws {
        let harness = try await Harness()
        _ = try await harness.loggedIn()
        var errors: [IdentityError] = []
        for login in ["alice", "nobody", "nobody@example.org", "not a handle"] {
            do {
                _ = try await harness.service.logIn(login: login, password: "wrong password")
            } catch let error {
                errors.append(error)
            }
        }
        #expect(errors.count == 4)
        #expect(Set(errors.map(\.message)).count == 1)
        #expect(errors.allSatisfy { $0.code == .badCredentials })
    }

    /// Every path computes one hash; with real parameters the best times are alike.
    @Test func takesTheSameTimeForUnknownAndWrong() async throws {
        let harness = try await Harness(settings: IdentitySettings(passwordHash: .owasp))
        _ = try await harness.loggedIn()
        let guest = try await harness.service.logInAsGuest(handle: nil).handle
        let logins = ["alice", "nobody", "nobody@example.org", guest]
        var best = [Duration](repeating: .seconds(60), count: logins.count)
        for _ in 0..<8 {
            for (index, login) in logins.enumerated() {
                let time = await ContinuousClock().measure {
                    _ = try? await harness.service.logIn(login: login, password: "wrong password")
                }
                best[index] = min(best[index], time)
            }
            harness.clock.advance(seconds: 3600)
        }
        let shortest = try #require(best.min())
        let longest = try #require(best.max())
        #expect(longest < shortest * 4, "\(best)")
    }

    @Test func pausesGrowWithFailures() async throws {
        let harness = try await Harness()
        _ = try await harness.loggedIn()
        for login in ["nobody", "alice"] {
            var pauses: [Int] = []
            for _ in 0..<12 {
                do {
                    _ = try await harness.service.logIn(login: login, password: "wrong password")
                } catch let error where error.code == .tooManyAttempts {
                    let pause = try #require(error.retryAfterSeconds)
                    pauses.append(pause)
                    harness.clock.advance(seconds: Int64(pause))
                    _ = try? await harness.service.logIn(login: login, password: "wrong password")
                } catch {}
            }
            #expect(pauses == [1, 2, 4, 8, 16, 32, 60])
        }
        // Not even the right password is looked at in a pause; after it, it is, and forgives.
        #expect(
            await harness.code {
                try await harness.service.logIn(login: "ALICE", password: Harness.password)
            } == .tooManyAttempts)
        harness.clock.advance(seconds: 60)
        _ = try await harness.service.logIn(login: "ALICE", password: Harness.password)
        #expect(
            await harness.code {
                try await harness.service.logIn(login: "alice", password: "wrong password")
            } == .badCredentials)
        _ = try await harness.service.logIn(login: "alice", password: Harness.password)
    }

    @Test func theThrottleIsBounded() {
        var throttle = LogInThrottle()
        for index in 0..<30_000 { throttle.failed("name-\(index)", atMs: Int64(index)) }
        #expect(throttle.count <= Limits.throttledLogIns)
        for _ in 0..<10 { throttle.failed("name-29999", atMs: 30_000) }
        #expect(throttle.pause(of: "name-29999", atMs: 30_000) != nil)
        #expect(throttle.pause(of: "name-29999", atMs: .max) == nil)
        #expect(throttle.pause(of: "name-29999", atMs: .min) == Limits.logInPauseSeconds)
    }

    @Test func rehashesWhenParametersChange() async throws {
        let harness = try await Harness()
        let pair = try await harness.loggedIn()
        let old = try #require(try await harness.accounts.credentials(handle: "alice")?.passwordHash)
        #expect(old.hasPrefix("$argon2id$v=19$m=64,t=1,p=1$"))
        let stronger = try await harness.restarted(
            settings: IdentitySettings(passwordHash: PasswordHash(memoryKiB: 128, passes: 2, lanes: 1)))
        _ = try? await stronger.logIn(login: "alice", password: "wrong password")
        #expect(try await harness.accounts.credentials(handle: "alice")?.passwordHash == old)
        _ = try await stronger.logIn(login: "alice", password: Harness.password)
        let new = try #require(try await harness.accounts.credentials(handle: "alice")?.passwordHash)
        #expect(new.hasPrefix("$argon2id$v=19$m=128,t=2,p=1$"))
        #expect(try await stronger.logIn(login: "alice", password: Harness.password).userID == pair.userID)
        #expect(try await harness.accounts.credentials(handle: "alice")?.passwordHash == new)
    }
}

@Suite struct PasswordHashTests {
    /// Known answers of the reference implementation's own test program (argon2id, version 19).
    @Test(arguments: [
        (
            2, 1 << 16, 1, "password", "somesalt",
            "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"
        ),
        (
            2, 1 << 8, 1, "password", "somesalt",
            "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"
        ),
        (
            2, 1 << 8, 2, "password", "somesalt",
            "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037"
        ),
        (
            1, 1 << 16, 1, "password", "somesalt",
            "f6a5adc1ba723dddef9b5ac1d464e180fcd9dffc9d1cbf76cca2fed795d9ca98"
        ),
        (
            2, 1 << 16, 1, "differentpassword", "somesalt",
            "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde"
        ),
        (
            2, 1 << 16, 1, "password", "diffsalt",
            "bdf32b05ccc42eb15d58fd19b1f856b113da1e9a5874fdcc544308565aa8141c"
        ),
    ])
    func matchesKnownAnswers(
        passes: Int, memoryKiB: Int, lanes: Int, password: String, salt: String, expected: String
    ) {
        let hash = PasswordHash(memoryKiB: UInt32(memoryKiB), passes: UInt32(passes), lanes: UInt32(lanes))
        let tag = hash.tag(of: Array(password.utf8), salt: Array(salt.utf8))
        #expect(tag.map(hexadecimal) == expected)
    }

    @Test func encodesAndVerifiesPHCStrings() throws {
        let known = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
        let hash = PasswordHash(memoryKiB: 65536, passes: 2, lanes: 1)
        #expect(hash.encode(Array("password".utf8), salt: Array("somesalt".utf8)) == known)
        #expect(PasswordHash.verify(Array("password".utf8), against: known) == true)
        #expect(PasswordHash.verify(Array("passwore".utf8), against: known) == false)
        #expect(PasswordHash.verify([], against: known) == false)
        #expect(PasswordHash.verify([1], against: "nonsense") == nil)
        #expect(!hash.isOutdated(known))
        #expect(PasswordHash.owasp.isOutdated(known))
        #expect(PasswordHash.owasp.memoryKiB == 19456 && PasswordHash.owasp.passes == 2)
    }

    @Test func thePoolBoundsThreadsAndQueue() async throws {
        let pool = PasswordHashingPool(threads: 2, queueLimit: 3)
        let gauge = Gauge()
        let answers = await withTaskGroup(of: IdentityError.Code?.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    do throws(IdentityError) {
                        try await pool.run { gauge.work() }
                        return nil
                    } catch {
                        return error.code
                    }
                }
            }
            return await group.reduce(into: [IdentityError.Code?]()) { $0.append($1) }
        }
        #expect(gauge.peak <= 2)
        #expect(answers.count { $0 == nil } >= 5)
        #expect(answers.allSatisfy { $0 == nil || $0 == IdentityError.Code.unavailable })
        // Idle again: nothing was lost.
        for _ in 0..<10 { try await pool.run { gauge.work() } }
    }
}

func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
