import NIOCore

/// A block of addresses, as `--behind-proxy` takes it: `10.0.0.0/8`, `::1/128`, or one address.
package struct AddressBlock: Sendable, Equatable {
    private let bytes: [UInt8]
    private let prefix: Int

    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let bytes = ClientAddress.bytes(of: String(parts[0])) else {
            return nil
        }
        var prefix = bytes.count * 8
        if parts.count == 2 {
            guard let given = Int(parts[1]), (0...prefix).contains(given) else { return nil }
            prefix = given
        }
        self.bytes = bytes
        self.prefix = prefix
    }

    package func contains(_ address: String) -> Bool {
        guard let other = ClientAddress.bytes(of: address), other.count == bytes.count else { return false }
        for index in 0..<bytes.count {
            let bits = min(8, max(0, prefix - index * 8))
            if bits == 0 { return true }
            let mask = UInt8(truncatingIfNeeded: 0xFF00 >> bits)
            if bytes[index] & mask != other[index] & mask { return false }
        }
        return true
    }
}

/// Who is at the other end, for rate limits.
package enum ClientAddress {
    /// The peer, unless it is a trusted proxy: then the last hop of `X-Forwarded-For`, read from the right, that is
    /// not a trusted proxy itself. What a client writes in front of that is never believed.
    package static func resolve(peer: String, forwardedFor: String?, proxies: [AddressBlock]) -> String {
        guard !proxies.isEmpty, proxies.contains(where: { $0.contains(peer) }), let forwardedFor else {
            return peer
        }
        var address = peer
        for hop in forwardedFor.split(separator: ",").suffix(16).reversed() {
            let text = String(hop.drop { $0 == " " }.prefix { $0 != " " })
            guard bytes(of: text) != nil else { return address }
            address = text
            if !proxies.contains(where: { $0.contains(text) }) { break }
        }
        return address
    }

    /// What a limit counts by: an IPv4 address, or the /64 an IPv6 customer gets whole.
    package static func subject(of address: String) -> String {
        guard let bytes = bytes(of: address), bytes.count == 16 else { return "ip:\(address)" }
        return "ip6:" + bytes.prefix(8).map { String($0, radix: 16) }.joined(separator: ".")
    }

    /// 4 or 16 bytes; an IPv4 address inside IPv6 (`::ffff:a.b.c.d`) gives 4.
    static func bytes(of address: String) -> [UInt8]? {
        guard address.utf8.count <= 64, let parsed = try? SocketAddress(ipAddress: address, port: 0) else {
            return nil
        }
        switch parsed {
        case .v4(let v4):
            return withUnsafeBytes(of: v4.address.sin_addr) { Array($0) }
        case .v6(let v6):
            let bytes = withUnsafeBytes(of: v6.address.sin6_addr) { Array($0) }
            let mapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            return mapped ? Array(bytes.suffix(4)) : bytes
        case .unixDomainSocket:
            return nil
        }
    }
}
