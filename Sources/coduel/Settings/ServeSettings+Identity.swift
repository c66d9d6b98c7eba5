import Identity

extension ServeSettings {
    /// What accounts and tokens go by.
    var identity: IdentitySettings {
        IdentitySettings(
            guestsAllowed: guestsAllowed, publicURL: publicURL ?? listenerURL(port: port),
            keyRotationMs: Int64(keyRotationDays) * 24 * 3600 * 1000)
    }

    /// Where the listener is reached by whoever reaches its address; `port` is the one it has, where the settings
    /// leave the choice to the system.
    func listenerURL(port: Int) -> String {
        let shown = host.contains(":") ? "[\(host)]" : host
        return "\(tls == nil ? "http" : "https")://\(shown):\(port)"
    }
}
