/// A key that signs tokens.
public struct SigningKey: Sendable, Equatable {
    /// RFC 7638 thumbprint of the public key.
    public var id: String
    /// The 32-byte Ed25519 seed.
    public var seed: [UInt8]
    public var createdAtMs: Int64
    /// From then on it signs, until a younger one does; it verifies before, so that whoever keeps a copy of the key
    /// set has it in time.
    public var activeFromMs: Int64

    public init(id: String, seed: [UInt8], createdAtMs: Int64, activeFromMs: Int64? = nil) {
        self.id = id
        self.seed = seed
        self.createdAtMs = createdAtMs
        self.activeFromMs = activeFromMs ?? createdAtMs
    }
}

/// Keeps the signing keys.
public protocol SigningKeyStore: Sendable {
    /// All keys, oldest first. All verify; `SigningKeyRule` says which one signs.
    func signingKeys() async throws -> [SigningKey]
    /// Stores `key` when there is none yet, and answers all keys: of two processes that start at once both
    /// end up with the same one.
    func addFirst(_ key: SigningKey) async throws -> [SigningKey]
    /// Stores `key` when the newest is still `newest`, and answers all keys: of two processes that rotate at once
    /// one does.
    func add(_ key: SigningKey, after newest: String) async throws -> [SigningKey]
    func remove(_ ids: [String]) async throws
}

/// Which key signs, and which is not needed any more. Pure functions of the keys and the time.
public enum SigningKeyRule {
    /// The youngest key whose time has come; the oldest where none's has. Nil without keys.
    public static func signing(_ keys: [SigningKey], atMs: Int64) -> SigningKey? {
        keys.filter { $0.activeFromMs <= atMs }.max { ($0.activeFromMs, $0.id) < ($1.activeFromMs, $1.id) }
            ?? keys.min { ($0.activeFromMs, $0.id) < ($1.activeFromMs, $1.id) }
    }

    /// Keys whose successor has signed for so long that every token of theirs has expired.
    public static func outlived(_ keys: [SigningKey], atMs: Int64) -> [SigningKey] {
        let ordered = keys.sorted { ($0.activeFromMs, $0.id) < ($1.activeFromMs, $1.id) }
        return zip(ordered, ordered.dropFirst()).filter { _, next in
            next.activeFromMs.saturatingAdding(Limits.keyOverlapMs) <= atMs
        }.map(\.0)
    }

    /// Whether the newest key is as old as a key may get.
    public static func isDue(_ keys: [SigningKey], every intervalMs: Int64, atMs: Int64) -> Bool {
        guard let newest = keys.map(\.createdAtMs).max() else { return true }
        return newest.saturatingAdding(intervalMs) <= atMs
    }
}
