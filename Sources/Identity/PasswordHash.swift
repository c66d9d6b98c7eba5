import CArgon2

/// Argon2id (RFC 9106) as PHC strings, by libargon2. Blocking: runs on `PasswordHashingPool`.
public struct PasswordHash: Sendable {
    /// One of the equivalent settings of the OWASP password storage cheat sheet: 19 MiB, two passes, one lane.
    public static let owasp = PasswordHash(memoryKiB: 19 * 1024, passes: 2, lanes: 1)
    package static let saltBytes = 16
    package static let tagBytes = 32

    public var memoryKiB: UInt32
    public var passes: UInt32
    public var lanes: UInt32

    public init(memoryKiB: UInt32, passes: UInt32, lanes: UInt32) {
        self.memoryKiB = memoryKiB
        self.passes = passes
        self.lanes = lanes
    }

    /// The tag alone; nil when libargon2 refuses (memory, or parameters out of its range).
    package func tag(of password: [UInt8], salt: [UInt8], tagBytes: Int = Self.tagBytes) -> [UInt8]? {
        var tag = [UInt8](repeating: 0, count: tagBytes)
        let status = argon2id_hash_raw(
            passes, memoryKiB, lanes, password, password.count, salt, salt.count, &tag, tag.count)
        return status == ARGON2_OK.rawValue ? tag : nil
    }

    /// The PHC string of a new hash; nil when libargon2 refuses.
    package func encode(_ password: [UInt8], salt: [UInt8]) -> String? {
        let length = argon2_encodedlen(
            passes, memoryKiB, lanes, UInt32(truncatingIfNeeded: salt.count), UInt32(Self.tagBytes), Argon2_id
        )
        var text = [CChar](repeating: 0, count: length)
        let status = argon2id_hash_encoded(
            passes, memoryKiB, lanes, password, password.count, salt, salt.count, Self.tagBytes, &text,
            text.count)
        guard status == ARGON2_OK.rawValue else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether the password belongs to the PHC string; nil when it could not be computed. Compares in constant
    /// time.
    package static func verify(_ password: [UInt8], against encoded: String) -> Bool? {
        switch argon2id_verify(encoded, password, password.count) {
        case ARGON2_OK.rawValue: true
        case ARGON2_VERIFY_MISMATCH.rawValue: false
        default: nil
        }
    }

    /// True when the PHC string was made with other parameters than these.
    package func isOutdated(_ encoded: String) -> Bool {
        !encoded.hasPrefix("$argon2id$v=19$m=\(memoryKiB),t=\(passes),p=\(lanes)$")
    }
}
