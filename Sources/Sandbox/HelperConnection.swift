import Foundation
import Glibc
import Judging
import Synchronization

/// The server's end of the socket to the helper: many requests at once, answers by request id.
///
/// One thread of its own waits for answers; it is started with the first request, so that nothing but a
/// socket and a child process exists before. No caller's thread ever waits.
final class HelperConnection: Sendable {
    struct Answer: Sendable {
        var reply: Wire.Reply
        var files: [Descriptor]
    }

    private struct Pending {
        var continuation: CheckedContinuation<Answer?, Never>
        var dueMs: Int64
    }

    private struct State {
        var pending: [UInt64: Pending] = [:]
        var nextID: UInt64 = 1
        var isAlive = true
        var hasReader = false
    }

    private let socket: Descriptor
    private let process: HelperProcess
    private let state = Mutex(State())

    init(socket: Descriptor, process: HelperProcess) {
        self.socket = socket
        self.process = process
    }

    var isAlive: Bool {
        state.withLock { $0.isAlive } && !process.reapIfEnded()
    }

    var processID: Int32 { process.pid }

    /// Waits for the helper's first message.
    func hello() -> Wire.Hello? {
        guard PacketSocket.waitReadable(socket.number, timeoutMs: Limits.helloTimeoutMs),
            case .packet(let bytes, _) = PacketSocket.receive(
                from: socket.number, largest: Wire.largestMessage)
        else { return nil }
        return Wire.Hello(bytes)
    }

    /// Sends one request and waits for its answer; nil when the helper is gone or does not answer in time.
    ///
    /// - Parameter released: those of the files that are closed here as soon as the helper has its own.
    func request(
        _ operation: Wire.Operation, language: String, limits: ExecutionLimits, files: [Descriptor],
        released: [Descriptor] = [], wallMs: Int64
    ) async -> Answer? {
        await withCheckedContinuation { continuation in
            let due = Self.monotonicMs() + min(max(wallMs, 0), Limits.longestWallMs) + Limits.answerGraceMs
            let id: UInt64? = state.withLock { state in
                guard state.isAlive else { return nil }
                if !state.hasReader {
                    state.hasReader = true
                    startReader()
                }
                let id = state.nextID
                state.nextID += 1
                state.pending[id] = Pending(continuation: continuation, dueMs: due)
                return id
            }
            guard let id else {
                continuation.resume(returning: nil)
                return
            }
            let request = Wire.Request(operation: operation, id: id, language: language, limits: limits)
            let isSent = PacketSocket.send(request.bytes, files, to: socket.number)
            for file in released { file.release() }
            if !isSent { resume(id, with: nil) }
        }
    }

    /// Ends the helper: it sees its socket closed, ends all runs, clears away and exits.
    func close() {
        shutdown(socket.number, Int32(SHUT_RDWR))
        markDead()
    }

    /// Ends a helper that is not what it should be.
    func abandon() {
        process.kill()
        close()
        waitForEnd()
    }

    func waitForEnd() { _ = process.waitForEnd(atMostMs: Limits.stopMs) }

    private func startReader() {
        Thread.detachNewThread { [self] in
            while state.withLock({ $0.isAlive }) { readOnce() }
            // The helper may be about to exit: leave no zombie behind.
            _ = process.waitForEnd(atMostMs: Limits.stopMs)
        }
    }

    private func readOnce() {
        if PacketSocket.waitReadable(socket.number, timeoutMs: Limits.overdueCheckMs) {
            switch PacketSocket.receive(from: socket.number, largest: Wire.largestMessage) {
            case .packet(let bytes, let files):
                if let reply = Wire.Reply(bytes) {
                    resume(reply.id, with: Answer(reply: reply, files: files))
                }
            case .nothing: break
            case .closed: markDead()
            }
        }
        let now = Self.monotonicMs()
        let isStuck = state.withLock { state in state.pending.values.contains { $0.dueMs < now } }
        if isStuck {
            process.kill()
            close()
        }
    }

    private func resume(_ id: UInt64, with answer: Answer?) {
        let pending = state.withLock { $0.pending.removeValue(forKey: id) }
        pending?.continuation.resume(returning: answer)
    }

    private func markDead() {
        let orphans = state.withLock { state in
            state.isAlive = false
            defer { state.pending.removeAll() }
            return Array(state.pending.values)
        }
        for orphan in orphans { orphan.continuation.resume(returning: nil) }
    }

    private static func monotonicMs() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
