/// Which names this server answers to, and which pages may call it. Against DNS rebinding: a page of another site
/// that makes its own name point here still sends that name as `Host`.
package struct OriginPolicy: Sendable {
    /// Host names (without port) that are accepted; nil accepts any, for a listener beyond loopback without a list.
    private let hosts: Set<String>?
    /// Origins besides the server's own, lower case: `https://editor.example`.
    private let origins: Set<String>

    /// - Parameters:
    ///   - isLoopback: the listener is bound to a loopback address: only loopback names are accepted.
    ///   - hosts: further names this server is reached by. Beyond loopback an empty list accepts every name.
    ///   - origins: pages of other origins that may call the API and open sockets.
    package init(isLoopback: Bool, hosts: [String] = [], origins: [String] = []) {
        let named = Set(hosts.map { $0.lowercased() })
        if isLoopback {
            self.hosts = named.union(["localhost", "127.0.0.1", "::1"])
        } else {
            self.hosts = named.isEmpty ? nil : named
        }
        self.origins = Set(origins.map { $0.lowercased() })
    }

    /// Whether a request with that `Host` (or `:authority`) is meant for this server.
    package func acceptsHost(_ authority: String?) -> Bool {
        guard let authority, let host = Self.split(authority) else { return false }
        guard let hosts else { return true }
        return hosts.contains(host.name)
    }

    /// Whether a request from a page of `origin` is accepted: none sent, the server's own, or a listed one.
    package func acceptsOrigin(_ origin: String?, host authority: String?) -> Bool {
        guard let origin else { return true }
        if isListed(origin) { return true }
        let lower = origin.lowercased()
        let scheme: String
        if lower.hasPrefix("http://") {
            scheme = "http://"
        } else if lower.hasPrefix("https://") {
            scheme = "https://"
        } else {
            return false
        }
        guard let authority, let own = Self.split(authority),
            let page = Self.split(String(lower.dropFirst(scheme.count)))
        else { return false }
        let usual = scheme == "http://" ? "80" : "443"
        return page.name == own.name && (page.port ?? usual) == (own.port ?? usual)
    }

    /// Whether `origin` is one of the listed other origins, which also get CORS answers.
    package func isListed(_ origin: String) -> Bool { origins.contains(origin.lowercased()) }

    /// Name and port of an authority; nil for anything that is not one. Only letters, digits, `.-_:` and the
    /// brackets of an IPv6 address can be in it, so it may be quoted in a header.
    static func split(_ authority: String) -> (name: String, port: String?)? {
        guard !authority.isEmpty, authority.utf8.count <= 255 else { return nil }
        let lower = authority.lowercased()
        if lower.hasPrefix("[") {
            guard let end = lower.firstIndex(of: "]") else { return nil }
            let name = lower[lower.index(after: lower.startIndex)..<end]
            guard !name.isEmpty, name.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else {
                return nil
            }
            let rest = lower[lower.index(after: end)...]
            if rest.isEmpty { return (String(name), nil) }
            guard rest.hasPrefix(":"), let port = portText(rest.dropFirst()) else { return nil }
            return (String(name), port)
        }
        let parts = lower.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let name = parts.first, !name.isEmpty,
            name.allSatisfy({
                $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-" || $0 == "_")
            })
        else { return nil }
        if parts.count == 1 { return (String(name), nil) }
        guard let port = portText(parts[1]) else { return nil }
        return (String(name), port)
    }

    private static func portText(_ text: Substring) -> String? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return String(text)
    }
}
