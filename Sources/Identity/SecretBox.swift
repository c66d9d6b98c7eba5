import Crypto

/// Encrypts what is secret and has to be read again: by an envelope. Each secret has a key of its own (AES-256-GCM),
/// and that key is encrypted by the installation's. A new key of the installation encrypts what is new; `rewrap` brings
/// the old over without touching the secrets themselves. What a text was sealed for is part of it: moved to another
/// row, it does not open.
public struct SecretBox: Sendable {
    private let keys: [(id: [UInt8], key: SymmetricKey)]
    private let randomBytes: @Sendable (Int) -> [UInt8]

    /// Begins every sealed text, with the version of the format.
    public static let prefix = "enc1:"
    /// Bytes of a key.
    public static let keyBytes = 32
    private static let idBytes = 8
    private static let wrappedBytes = 12 + keyBytes + 16

    /// - Parameter keys: 32 bytes each; the first encrypts, all decrypt. Nil where there is none, or one has another
    ///   length.
    public init?(keys: [[UInt8]], randomBytes: @escaping @Sendable (Int) -> [UInt8]) {
        guard !keys.isEmpty, keys.allSatisfy({ $0.count == Self.keyBytes }) else { return nil }
        self.keys = keys.map { (Self.id(of: $0), SymmetricKey(data: $0)) }
        self.randomBytes = randomBytes
    }

    private static func id(of key: [UInt8]) -> [UInt8] {
        Array(Hashing.sha256(Array("coduel key id:".utf8) + key).prefix(idBytes))
    }

    /// - Parameter purpose: what the text is for, such as the table and the row.
    /// - Throws: `unavailable` when the cipher fails.
    public func seal(_ text: String, for purpose: String) throws(IdentityError) -> String {
        guard let first = keys.first else { throw Self.failed }
        let dataKey = randomBytes(Self.keyBytes)
        let wrapped = try Self.encrypt(dataKey, first.key, first.id)
        let sealed = try Self.encrypt(Array(text.utf8), SymmetricKey(data: dataKey), Array(purpose.utf8))
        return Self.prefix + Base64URL.encode(first.id + wrapped + sealed)
    }

    /// - Throws: `unavailable` for a text that was changed, sealed for something else, or under a key that is not here.
    public func open(_ sealed: String, for purpose: String) throws(IdentityError) -> String {
        let (_, dataKey, body) = try take(apart: sealed)
        let bytes = try Self.decrypt(body, SymmetricKey(data: dataKey), Array(purpose.utf8))
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Self.failed }
        return text
    }

    /// The same secret under the first key; nil where it is already.
    public func rewrap(_ sealed: String) throws(IdentityError) -> String? {
        let (id, dataKey, body) = try take(apart: sealed)
        guard let first = keys.first else { throw Self.failed }
        guard id != first.id else { return nil }
        return Self.prefix
            + Base64URL.encode(first.id + (try Self.encrypt(dataKey, first.key, first.id)) + body)
    }

    private func take(
        apart sealed: String
    ) throws(IdentityError) -> (id: [UInt8], dataKey: [UInt8], body: [UInt8]) {
        guard sealed.hasPrefix(Self.prefix),
            let bytes = Base64URL.decode(String(sealed.dropFirst(Self.prefix.count))),
            bytes.count > Self.idBytes + Self.wrappedBytes
        else { throw Self.failed }
        let id = Array(bytes.prefix(Self.idBytes))
        let rest = bytes.dropFirst(Self.idBytes)
        guard let key = keys.first(where: { $0.id == id })?.key else {
            throw IdentityError(.unavailable, "A secret is sealed under a key that is not here.")
        }
        let dataKey = try Self.decrypt(Array(rest.prefix(Self.wrappedBytes)), key, id)
        return (id, dataKey, Array(rest.dropFirst(Self.wrappedBytes)))
    }

    /// Nonce, ciphertext and tag.
    private static func encrypt(
        _ bytes: [UInt8], _ key: SymmetricKey, _ context: [UInt8]
    ) throws(IdentityError) -> [UInt8] {
        do {
            let box = try AES.GCM.seal(bytes, using: key, authenticating: context)
            guard let combined = box.combined else { throw failed }
            return Array(combined)
        } catch {
            throw failed
        }
    }

    private static func decrypt(
        _ bytes: [UInt8], _ key: SymmetricKey, _ context: [UInt8]
    ) throws(IdentityError) -> [UInt8] {
        do {
            return Array(
                try AES.GCM.open(try AES.GCM.SealedBox(combined: bytes), using: key, authenticating: context))
        } catch {
            throw failed
        }
    }

    private static let failed = IdentityError(.unavailable, "A secret cannot be sealed or opened.")
}
