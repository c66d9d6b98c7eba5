import Crypto

/// One-time passwords by time (RFC 6238): HMAC-SHA-1 over steps of 30 s, six digits, as authenticator apps make them.
public enum TimeCode {
    public static let secretBytes = 20
    static let stepMs: Int64 = 30_000
    static let digits = 6
    /// Steps before and after the present one that are taken, for clocks that differ.
    static let drift: Int64 = 1

    static func step(atMs: Int64) -> Int64 { atMs / stepMs }

    /// The code of a step (RFC 4226 §5.3).
    package static func code(secret: [UInt8], step: Int64) -> String {
        let counter = (0..<8).map { UInt8(truncatingIfNeeded: step >> (56 - Int64($0) * 8)) }
        let mac = Array(
            HMAC<Insecure.SHA1>.authenticationCode(for: counter, using: SymmetricKey(data: secret)))
        let offset = Int(mac.last ?? 0) & 15
        let number = mac[offset..<(offset + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let text = String(number % 1_000_000)
        return String(repeating: "0", count: digits - text.utf8.count) + text
    }

    /// The step whose code this is, at a time; nil where it is none, or not younger than `last`: a code is good once.
    static func match(_ code: String, secret: [UInt8], atMs: Int64, after last: Int64?) -> Int64? {
        let present = step(atMs: atMs)
        var found: Int64?
        for step in (present - drift)...(present + drift) where step > last ?? .min {
            if Hashing.areEqual(Array(code.utf8), Array(self.code(secret: secret, step: step).utf8)) {
                found = step
            }
        }
        return found
    }

    /// Base 32 without padding (RFC 4648 §6), as apps take secrets.
    package static func base32(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
        var text: [UInt8] = []
        var buffer: UInt32 = 0
        var bits: UInt32 = 0
        for byte in bytes {
            buffer = (buffer << 8 | UInt32(byte)) & 0xFFFF
            bits += 8
            while bits >= 5 {
                bits -= 5
                text.append(alphabet[Int((buffer >> bits) & 31)])
            }
        }
        if bits > 0 { text.append(alphabet[Int((buffer << (5 - bits)) & 31)]) }
        return String(decoding: text, as: UTF8.self)
    }
}
