import Glibc

/// Packets with descriptors over a SOCK_SEQPACKET socket (unix(7), SCM_RIGHTS).
enum PacketSocket {
    private static let mostDescriptors = 4
    /// A header (length, level, type) and its descriptors, padded to eight bytes.
    private static let headerBytes = 16
    private static let controlBytes = headerBytes + 16
    private static let rights: Int32 = 1
    private static let dontWait: Int32 = 0x40
    private static let noSignal: Int32 = 0x4000
    private static let closeOnExec: Int32 = 0x4000_0000
    private static let truncated: Int32 = 0x20 | 0x08

    enum Received {
        case packet([UInt8], [Descriptor])
        case nothing
        case closed
    }

    /// A connected pair; close-on-exec.
    static func pair() -> (ours: Descriptor, theirs: Descriptor)? {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { return nil }
        return (Descriptor(ends[0]), Descriptor(ends[1]))
    }

    /// Sends one packet without waiting; false when it could not be sent whole.
    static func send(_ bytes: [UInt8], _ descriptors: [Descriptor], to socket: Int32) -> Bool {
        guard descriptors.count <= mostDescriptors else { return false }
        return withUnsafeTemporaryAllocation(byteCount: controlBytes, alignment: 8) { control in
            control.initializeMemory(as: UInt8.self, repeating: 0)
            let used = headerBytes + (descriptors.count * 4 + 7) / 8 * 8
            control.storeBytes(
                of: UInt64(headerBytes + descriptors.count * 4), toByteOffset: 0, as: UInt64.self)
            control.storeBytes(of: SOL_SOCKET, toByteOffset: 8, as: Int32.self)
            control.storeBytes(of: rights, toByteOffset: 12, as: Int32.self)
            for (index, descriptor) in descriptors.enumerated() {
                control.storeBytes(
                    of: descriptor.number, toByteOffset: headerBytes + index * 4, as: Int32.self)
            }
            var copy = bytes
            let sent = copy.withUnsafeMutableBytes { content in
                var part = iovec(iov_base: content.baseAddress, iov_len: content.count)
                return withUnsafeMutablePointer(to: &part) { part in
                    var message = msghdr()
                    message.msg_iov = part
                    message.msg_iovlen = 1
                    if !descriptors.isEmpty {
                        message.msg_control = control.baseAddress
                        message.msg_controllen = used
                    }
                    var result = sendmsg(socket, &message, dontWait | noSignal)
                    while result < 0 && errno == EINTR {
                        result = sendmsg(socket, &message, dontWait | noSignal)
                    }
                    return result
                }
            }
            return sent == bytes.count
        }
    }

    /// Takes one packet without waiting.
    static func receive(from socket: Int32, largest: Int) -> Received {
        withUnsafeTemporaryAllocation(byteCount: controlBytes, alignment: 8) { control in
            control.initializeMemory(as: UInt8.self, repeating: 0)
            var content = [UInt8](repeating: 0, count: largest)
            var flags: Int32 = 0
            var controlLength = 0
            let count = content.withUnsafeMutableBytes { bytes in
                var part = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                return withUnsafeMutablePointer(to: &part) { part in
                    var message = msghdr()
                    message.msg_iov = part
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = controlBytes
                    let result = recvmsg(socket, &message, dontWait | closeOnExec)
                    flags = message.msg_flags
                    controlLength = message.msg_controllen
                    return result
                }
            }
            if count < 0 { return errno == EAGAIN || errno == EINTR ? .nothing : .closed }
            let passed = descriptors(in: UnsafeRawBufferPointer(control), length: controlLength)
            guard count > 0, flags & truncated == 0 else { return .closed }
            return .packet(Array(content.prefix(count)), passed)
        }
    }

    private static func descriptors(in control: UnsafeRawBufferPointer, length: Int) -> [Descriptor] {
        guard length >= headerBytes,
            control.load(fromByteOffset: 8, as: Int32.self) == SOL_SOCKET,
            control.load(fromByteOffset: 12, as: Int32.self) == rights
        else { return [] }
        let size = control.load(fromByteOffset: 0, as: UInt64.self)
        let bytes = min(Int(clamping: size), length, controlBytes) - headerBytes
        guard bytes >= 4 else { return [] }
        return (0..<bytes / 4).map {
            Descriptor(control.load(fromByteOffset: headerBytes + $0 * 4, as: Int32.self))
        }
    }

    /// Waits until the socket has something to read, or the time is over.
    static func waitReadable(_ socket: Int32, timeoutMs: Int32) -> Bool {
        var watched = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return poll(&watched, 1, timeoutMs) > 0
    }
}
