import OpenID

/// Providers of OpenID Connect, as the configuration names them.
struct OpenIDSources {
    var providers: [OpenIDSettings] = []
    var allowsPrivate = false
    var authorities: String?

    init() {}

    init(_ sources: SettingsSources) throws {
        allowsPrivate = try sources.flag(.openIDAllowPrivate) ?? false
        authorities = sources.text(.openIDAuthorities)
        for entry in sources.list(.openID) {
            let parts = entry.split(separator: "=", maxSplits: 1)
            let words = parts.last?.split(separator: " ") ?? []
            guard parts.count == 2, words.count == 2, Self.isName(parts[0]),
                words[0].hasPrefix("https://") || (allowsPrivate && words[0].hasPrefix("http://"))
            else {
                throw SettingsError(
                    "oidc: \"\(entry)\" is not NAME=ISSUER CLIENT-ID with an https issuer, such as "
                        + "corp=https://id.corp.example coduel")
            }
            let name = String(parts[0])
            guard !providers.contains(where: { $0.name == name }) else {
                throw SettingsError("oidc: \(name) is named twice")
            }
            providers.append(
                OpenIDSettings(
                    name: name, issuer: String(words[0]), clientID: String(words[1]),
                    clientSecret: try sources.secret(.openIDClient(provider: name))))
        }
    }

    private static func isName(_ text: Substring) -> Bool {
        (1...32).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-")
            }
    }
}
