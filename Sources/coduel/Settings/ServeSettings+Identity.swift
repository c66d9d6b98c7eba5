import Identity

extension ServeSettings {
    /// What accounts and tokens go by.
    var identity: IdentitySettings {
        let shown = host.contains(":") ? "[\(host)]" : host
        return IdentitySettings(
            guestsAllowed: guestsAllowed,
            publicURL: publicURL ?? "\(tls == nil ? "http" : "https")://\(shown):\(port)",
            keyRotationMs: Int64(keyRotationDays) * 24 * 3600 * 1000)
    }
}
