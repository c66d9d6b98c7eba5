import Identity
import Testing

@Suite struct UUIDv7Tests {
    /// The example of RFC 9562, appendix A.6.
    @Test func matchesTheExample() {
        let bytes: [UInt8] = [0x0C, 0xC3, 0x18, 0xC4, 0xDC, 0x0C, 0x0C, 0x07, 0x39, 0x8F]
        #expect(
            UUIDv7.make(atMs: 0x017F_22E2_79B0, randomBytes: bytes) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
    }

    @Test func sortsByTime() {
        let random = SeededBytes(seed: 3)
        var last = ""
        for ms in stride(from: Int64(0), to: 1 << 47, by: 1 << 40) {
            let id = UUIDv7.make(atMs: ms, randomBytes: random.next(10))
            #expect(id > last)
            #expect(id.utf8.count == 36)
            last = id
        }
    }

    @Test func takesAnyInput() {
        #expect(UUIDv7.make(atMs: .max, randomBytes: []) == "ffffffff-ffff-7000-8000-000000000000")
        #expect(
            UUIDv7.make(atMs: -1, randomBytes: Array(repeating: 255, count: 99)).hasPrefix(
                "ffffffff-ffff-7fff"))
    }

    /// RFC 4648, section 10, without padding.
    @Test(arguments: [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"),
    ])
    func encodesBase64URL(text: String, expected: String) {
        #expect(Base64URL.encode(Array(text.utf8)) == expected)
    }

    @Test func hashes() {
        #expect(
            Hashing.sha256Hex(Array("abc".utf8))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
}
