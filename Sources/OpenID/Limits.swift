/// Every bound of this module. Times in ms.
enum Limits {
    /// How long a discovery document and a key set are used without asking again.
    static let documentMs: Int64 = 60 * 60 * 1000
    /// The key set is read again for an unknown key at most so often.
    static let keyReloadMs: Int64 = 10_000
    static let keys = 64
    /// How far clocks may differ, seconds.
    static let leewaySeconds: Int64 = 60
    static let idTokenBytes = 16 << 10
}
