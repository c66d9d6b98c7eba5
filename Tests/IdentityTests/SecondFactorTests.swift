import Identity
import Testing

/// Time codes, recovery codes, and the envelope that keeps their secrets.
@Suite struct SecondFactorTests {
    private let key: [UInt8] = Array(repeating: 7, count: 32)

    private func box(_ keys: [[UInt8]], seed: UInt64 = 3) throws -> SecretBox {
        let random = SeededBytes(seed: seed)
        let made = SecretBox(keys: keys, randomBytes: { random.next($0) })
        return try #require(made)
    }

    /// RFC 6238, appendix B, cut to six digits.
    @Test(
        arguments: [
            (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"),
            (2_000_000_000, "279037"), (20_000_000_000, "353130"),
        ] as [(Int64, String)])
    func codesOfTheStandard(seconds: Int64, code: String) {
        #expect(TimeCode.code(secret: Array("12345678901234567890".utf8), step: seconds / 30) == code)
    }

    @Test(arguments: [
        ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"),
        ("foobar", "MZXW6YTBOI"),
    ])
    func base32OfTheStandard(text: String, encoded: String) {
        #expect(TimeCode.base32(Array(text.utf8)) == encoded)
    }

    @Test func sealsAndOpens() throws {
        let box = try box([key])
        let sealed = try box.seal("seed", for: "row 1")
        #expect(sealed.hasPrefix(SecretBox.prefix) && !sealed.contains("seed"))
        #expect(try box.open(sealed, for: "row 1") == "seed")
        #expect(try box.seal("seed", for: "row 1") != sealed)
    }

    @Test func refusesWhatWasMovedChangedOrSealedElsewhere() throws {
        let box = try box([key])
        let sealed = try box.seal("seed", for: "row 1")
        #expect(throws: IdentityError.self) { try box.open(sealed, for: "row 2") }
        let other = try self.box([Array(repeating: 8, count: 32)])
        #expect(throws: IdentityError.self) { try other.open(sealed, for: "row 1") }
        for index in sealed.indices.dropFirst(SecretBox.prefix.count) {
            var changed = sealed
            changed.replaceSubrange(index...index, with: sealed[index] == "A" ? "B" : "A")
            #expect(throws: IdentityError.self) { try box.open(changed, for: "row 1") }
        }
        for bad in ["", "enc1:", "enc1:AAAA", "plain", String(sealed.dropLast())] {
            #expect(throws: IdentityError.self) { try box.open(bad, for: "row 1") }
        }
    }

    @Test func rotatesWithoutTouchingTheSecret() throws {
        let new: [UInt8] = Array(repeating: 9, count: 32)
        let sealed = try box([key]).seal("seed", for: "row 1")
        let both = try box([new, key])
        let moved = try #require(try both.rewrap(sealed))
        #expect(try both.rewrap(moved) == nil)
        #expect(try box([new]).open(moved, for: "row 1") == "seed")
        #expect(throws: IdentityError.self) { try self.box([self.key]).open(moved, for: "row 1") }
        // What is sealed stays byte for byte; only its key is wrapped anew.
        #expect(moved.suffix(20) == sealed.suffix(20))
    }

    @Test func keysHave32Bytes() {
        for keys in [[], [[1, 2, 3]], [key, []]] as [[[UInt8]]] {
            let box = SecretBox(keys: keys, randomBytes: { Array(repeating: 0, count: $0) })
            #expect(box == nil)
        }
    }

    private func withFactor() async throws -> (Harness, [UInt8], [String]) {
        let harness = try await Harness(secretBox: try box([key]))
        let pair = try await harness.loggedIn()
        let caller = try await harness.service.authenticate(accessToken: pair.accessToken)
        let made = try await harness.service.beginSecondFactor(password: Harness.password, for: caller)
        let secret = try unBase32(made.secret)
        #expect(made.url.contains("secret=\(made.secret)"))
        // Not confirmed, it does not count.
        _ = try await harness.service.logIn(login: "alice", password: Harness.password)
        let wrong = await harness.code {
            try await harness.service.confirmSecondFactor(code: "000000", for: caller)
        }
        #expect(wrong == .badCredentials)
        let codes = try await harness.service.confirmSecondFactor(
            code: TimeCode.code(secret: secret, step: harness.clock.nowMs / 30_000), for: caller)
        return (harness, secret, codes)
    }

    private func logIn(_ harness: Harness, _ code: String?) async -> IdentityError.Code? {
        await harness.code {
            try await harness.service.logIn(login: "alice", password: Harness.password, code: code)
        }
    }

    @Test func logInsNeedACodeThatIsGoodOnce() async throws {
        let (harness, secret, _) = try await withFactor()
        #expect(await logIn(harness, nil) == .secondFactorRequired)
        // The code that confirmed it is used up.
        let step = harness.clock.nowMs / 30_000
        #expect(await logIn(harness, TimeCode.code(secret: secret, step: step)) == .badCredentials)
        harness.clock.advance(seconds: 60)
        let next = TimeCode.code(secret: secret, step: step + 2)
        #expect(await logIn(harness, next) == nil)
        #expect(await logIn(harness, next) == .badCredentials)
        // A clock that is half a minute behind.
        harness.clock.advance(seconds: 60)
        #expect(await logIn(harness, TimeCode.code(secret: secret, step: step + 3)) == nil)
        #expect(await logIn(harness, TimeCode.code(secret: secret, step: step + 99)) == .badCredentials)
        // A wrong password is told before anything about codes.
        let wrong = await harness.code {
            try await harness.service.logIn(login: "alice", password: "not this one", code: nil)
        }
        #expect(wrong == .badCredentials)
    }

    @Test func recoveryCodesStandInOnce() async throws {
        let (harness, _, codes) = try await withFactor()
        #expect(codes.count == Limits.recoveryCodes && Set(codes).count == codes.count)
        let dashed = String(codes[0].prefix(8)) + "-" + String(codes[0].dropFirst(8))
        #expect(await logIn(harness, dashed) == nil)
        #expect(await logIn(harness, codes[0]) == .badCredentials)
        let pair = try await harness.service.logIn(
            login: "alice", password: Harness.password, code: codes[1])
        #expect(try await harness.service.secondFactor(of: pair.userID).recoveryCodes == codes.count - 2)
        let caller = try await harness.service.authenticate(accessToken: pair.accessToken)
        try await harness.service.removeSecondFactor(
            password: Harness.password, code: codes[2], for: caller)
        #expect(await logIn(harness, nil) == nil)
    }

    @Test func codesAreNotGuessed() async throws {
        let (harness, _, _) = try await withFactor()
        var answers: Set<IdentityError.Code?> = []
        for number in 0..<20 { answers.insert(await logIn(harness, "00000\(number % 10)")) }
        #expect(answers == [.badCredentials, .tooManyAttempts])
    }

    private func unBase32(_ text: String) throws -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        var (buffer, bits, bytes) = (0, 0, [UInt8]())
        for character in text {
            let value = try #require(alphabet.firstIndex(of: character))
            buffer = (buffer << 5 | value) & 0xFFFF
            bits += 5
            guard bits >= 8 else { continue }
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: buffer >> bits))
        }
        return bytes
    }
}
