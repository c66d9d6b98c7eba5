import Dispatch
import Glibc
import Synchronization

/// Writes lines to a file descriptor from a thread of its own, so that a terminal or a pipe that nobody reads holds no
/// request up. Bounded: what does not fit is dropped and counted.
public final class LogWriter: Sendable {
    private struct State {
        var waiting: [UInt8] = []
        /// Bytes that the thread has in hand.
        var writing = 0
        var dropped: UInt64 = 0
        var isWriting = false
    }

    private let descriptor: CInt
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "coduel.log")

    public init(descriptor: CInt) { self.descriptor = descriptor }

    /// Lines that were not written since the start.
    public var dropped: UInt64 { state.withLock { $0.dropped } }

    /// Takes a line with its end. Does not block.
    public func write(_ line: [UInt8]) {
        let begins = state.withLock { state in
            guard state.writing + state.waiting.count + line.count <= Limits.waitingLogBytes else {
                state.dropped &+= 1
                return false
            }
            state.waiting.append(contentsOf: line)
            guard !state.isWriting else { return false }
            state.isWriting = true
            return true
        }
        if begins { queue.async { self.drain() } }
    }

    /// Waits until what was taken is written, a while at most.
    public func flush() {
        let done = DispatchSemaphore(value: 0)
        queue.async { done.signal() }
        _ = done.wait(timeout: .now() + .seconds(Limits.logFlushSeconds))
    }

    private func drain() {
        while true {
            let bytes = state.withLock { state in
                let bytes = state.waiting
                state.waiting.removeAll(keepingCapacity: bytes.count < Limits.logValueBytes)
                state.writing = bytes.count
                state.isWriting = !bytes.isEmpty
                return bytes
            }
            guard !bytes.isEmpty else { return }
            writeAll(bytes)
        }
    }

    private func writeAll(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, 1_000)
            } else if errno != EINTR {
                // Nobody is there to be told.
                return
            }
        }
    }
}
