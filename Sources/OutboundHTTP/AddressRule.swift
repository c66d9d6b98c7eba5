import NIOCore

/// Which addresses a server may be made to call by somebody who names a URL (RFC 6890 and the IANA registries of
/// special-purpose addresses): only those of the public Internet.
public enum AddressRule {
    public static func isPublic(_ address: SocketAddress) -> Bool {
        switch address {
        case .v4(let v4): return isPublicV4(withUnsafeBytes(of: v4.address.sin_addr) { Array($0) })
        case .v6(let v6): return isPublicV6(withUnsafeBytes(of: v6.address.sin6_addr) { Array($0) })
        case .unixDomainSocket: return false
        }
    }

    /// First bytes and number of bits of what is not public.
    private static let privateV4: [(bytes: [UInt8], bits: Int)] = [
        ([0], 8), ([10], 8), ([100, 64], 10), ([127], 8), ([169, 254], 16), ([172, 16], 12),
        ([192, 0, 0], 24), ([192, 0, 2], 24), ([192, 88, 99], 24), ([192, 168], 16), ([198, 18], 15),
        ([198, 51, 100], 24), ([203, 0, 113], 24), ([224], 4), ([240], 4),
    ]

    static func isPublicV4(_ address: [UInt8]) -> Bool {
        address.count == 4 && !privateV4.contains { matches(address, $0.bytes, bits: $0.bits) }
    }

    /// Global unicast without documentation, Teredo, 6to4 and other addresses that stand for IPv4 ones.
    static func isPublicV6(_ address: [UInt8]) -> Bool {
        guard address.count == 16, matches(address, [0x20], bits: 3) else { return false }
        let special: [(bytes: [UInt8], bits: Int)] = [
            ([0x20, 0x01, 0x00], 23), ([0x20, 0x01, 0x0D, 0xB8], 32), ([0x20, 0x02], 16),
            ([0x3F, 0xFF], 20),
        ]
        return !special.contains { matches(address, $0.bytes, bits: $0.bits) }
    }

    private static func matches(_ address: [UInt8], _ prefix: [UInt8], bits: Int) -> Bool {
        for index in 0..<((bits + 7) / 8) {
            let mask = UInt8(truncatingIfNeeded: 0xFF00 >> min(8, bits - index * 8))
            let wanted = index < prefix.count ? prefix[index] : 0
            guard index < address.count, address[index] & mask == wanted & mask else { return false }
        }
        return true
    }
}
