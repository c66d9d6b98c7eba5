import Identity
import SyncProtocol
import Synchronization

/// Refusals at the door of the last minute. Stock providers read no close codes and reconnect at once: a repeat of
/// the same request is answered at the upgrade, by plain HTTP, without asking anyone again.
final class RefusalMemory: Sendable {
    static let keepMs: Int64 = 60_000
    /// Being too fast passes sooner.
    static let keepTooFastMs: Int64 = 10_000
    static let maximumEntries = 10_000

    private struct Refused {
        var code: CloseCode
        var roomID: String
        var untilMs: Int64
    }

    private let refused = Mutex<[String: Refused]>([:])
    private let now: @Sendable () -> Int64

    init(now: @escaping @Sendable () -> Int64) { self.now = now }

    /// The same for the same request, and short whatever the client sends.
    static func key(address: String, uri: String, authorization: String?) -> String {
        Hashing.sha256Hex(Array("\(address) \(uri) \(authorization ?? "")".utf8))
    }

    func remember(_ code: CloseCode, of request: String, in roomID: String) {
        // Passing conditions are no answer for a minute.
        guard let keepMs = Self.keepMs(code) else { return }
        let atMs = now()
        refused.withLock { refused in
            if refused.count >= Self.maximumEntries {
                refused = refused.filter { $0.value.untilMs > atMs }
                if refused.count >= Self.maximumEntries { refused.removeAll() }
            }
            refused[request] = Refused(code: code, roomID: roomID, untilMs: atMs + keepMs)
        }
    }

    /// How long a refusal is remembered; nil for passing conditions.
    private static func keepMs(_ code: CloseCode) -> Int64? {
        switch code {
        case .unauthenticated, .forbidden, .notFound, .reset: keepMs
        case .tooFast: keepTooFastMs
        case .goingAway, .tooBig, .restarting, .tryAgainLater, .idle: nil
        }
    }

    /// Somebody may see more than before: everyone is asked again.
    func forgetAll() { refused.withLock { $0.removeAll() } }

    /// Access to the room grew: whoever was refused there is asked again.
    func forget(roomID: String) {
        refused.withLock { refused in refused = refused.filter { $0.value.roomID != roomID } }
    }

    /// The refusal of the same request within the last minute.
    func refusal(of request: String) -> CloseCode? {
        let atMs = now()
        return refused.withLock { refused in
            guard let known = refused[request] else { return nil }
            guard known.untilMs > atMs else {
                refused[request] = nil
                return nil
            }
            return known.code
        }
    }
}
