/// Where an outbound call goes, taken from a URL without any of its odder parts.
public struct OutboundTarget: Sendable, Equatable {
    public var isSecure: Bool
    /// Without the brackets of an IPv6 address.
    public var host: String
    public var port: Int
    /// Path and query.
    public var path: String

    /// The `Host` field.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// Nil for what is no plain http or https URL: user names, fragments, control characters, spaces, other schemes.
    public init?(url: String) {
        guard url.utf8.count <= OutboundLimits.urlBytes, url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            !url.contains("#"), !url.contains("\\"), let scheme = url.firstRange(of: "://")
        else { return nil }
        switch url[..<scheme.lowerBound].lowercased() {
        case "https": isSecure = true
        case "http": isSecure = false
        default: return nil
        }
        let rest = url[scheme.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let authority = rest[..<end]
        guard !authority.contains("@") else { return nil }
        let tail = rest[end...]
        path = tail.first == "/" ? String(tail) : "/" + tail
        var name = authority
        var portText: Substring = ""
        if authority.first == "[" {
            guard let close = authority.firstIndex(of: "]") else { return nil }
            name = authority[authority.index(after: authority.startIndex)..<close]
            let after = authority[authority.index(after: close)...]
            guard after.isEmpty || after.first == ":" else { return nil }
            portText = after.dropFirst()
            guard !name.isEmpty, name.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else {
                return nil
            }
        } else if let colon = authority.firstIndex(of: ":") {
            name = authority[..<colon]
            portText = authority[authority.index(after: colon)...]
            guard !portText.isEmpty else { return nil }
        }
        guard !name.isEmpty, name.utf8.count <= OutboundLimits.hostBytes else { return nil }
        if authority.first != "[" {
            guard name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "." || $0 == "-" || $0 == "_" })
            else {
                return nil
            }
        }
        guard portText.isEmpty || UInt16(portText).map({ $0 > 0 }) == true else { return nil }
        host = String(name).lowercased()
        port = Int(portText) ?? (isSecure ? 443 : 80)
    }
}

/// Every bound of this module.
public enum OutboundLimits {
    static let urlBytes = 2_048
    static let hostBytes = 253
    /// From the first packet to the whole head of the answer, seconds.
    static let seconds: Int64 = 5
    /// Addresses of a host that are tried.
    static let addresses = 4
    /// Names being looked up at once; each takes a thread.
    static let lookUps = 4
    /// Of the body of an answer that is read.
    static let answerBytes = 64 << 10
    /// Failures in a row after which a service is left alone, and for how long, ms.
    public static let failuresToOpen = 5
    public static let openMs: Int64 = 30_000
}
