import Dispatch
import Glibc
import NIOCore

/// Looks names up with the system's resolver, on threads of its own: it blocks.
struct NameResolver: Sendable {
    private let queue = DispatchQueue(label: "coduel.resolver", attributes: .concurrent)
    private let places = DispatchSemaphore(value: OutboundLimits.lookUps)

    /// All addresses of a host, in the system's order; none where it has none.
    func addresses(of host: String, port: Int) async -> [SocketAddress] {
        await withCheckedContinuation { continuation in
            queue.async {
                places.wait()
                defer { places.signal() }
                continuation.resume(returning: Self.lookUp(host, port))
            }
        }
    }

    private static func lookUp(_ host: String, _ port: Int) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_protocol = CInt(IPPROTO_TCP)
        hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = list
        while let entry = next?.pointee {
            next = entry.ai_next
            guard let address = entry.ai_addr else { continue }
            switch entry.ai_family {
            case AF_INET:
                found.append(
                    SocketAddress(
                        address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee }))
            case AF_INET6:
                found.append(
                    SocketAddress(
                        address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { $0.pointee }))
            default: break
            }
        }
        return found
    }
}
