import NIOCore
import OutboundHTTP
import Testing

/// Whom a server may be made to call.
@Suite struct OutboundTests {
    @Test(arguments: [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.1", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.168.1.1", "192.0.0.8", "198.18.0.1", "198.19.255.1", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "::ffff:8.8.8.8",
        "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2001:db8::1", "2001::1", "2002:7f00:1::1", "3fff::1",
    ]) func privateAddressesAreRefused(address: String) throws {
        #expect(!AddressRule.isPublic(try SocketAddress(ipAddress: address, port: 443)))
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "100.63.0.1", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1",
        "198.17.0.1",
        "198.20.0.1", "223.255.255.1", "2606:4700::1111", "2a00:1450::1", "2001:4860:4860::8888",
    ]) func publicAddressesAreNot(address: String) throws {
        #expect(AddressRule.isPublic(try SocketAddress(ipAddress: address, port: 443)))
    }

    @Test func plainURLsAreTaken() throws {
        let target = try #require(OutboundTarget(url: "https://Hooks.example.org:8443/a/b?c=d%20e"))
        #expect(target.isSecure && target.host == "hooks.example.org" && target.port == 8443)
        #expect(target.path == "/a/b?c=d%20e")
        #expect(OutboundTarget(url: "https://example.org?x=1")?.path == "/?x=1")
        let literal = try #require(OutboundTarget(url: "http://[2606:4700::1111]/"))
        #expect(literal.host == "2606:4700::1111" && literal.port == 80 && !literal.isSecure)
    }

    @Test(arguments: [
        "", "example.org", "ftp://example.org/", "https://", "https:///x", "https://user@example.org/",
        "https://user:pw@example.org/", "https://example.org/#x", "https://example.org:0/",
        "https://example.org:99999/", "https://example.org:/", "https://exa mple.org/",
        "https://example.org/\r\nX: y",
        "https://[::1/", "https://[]/", "https://example.org\\@evil/", "https://[::1]evil/",
        "https://ex%61mple.org/",
    ]) func oddURLsAreNot(url: String) {
        #expect(OutboundTarget(url: url) == nil)
    }
}
