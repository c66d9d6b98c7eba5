/// Rate and repetition rules of a room's chat, and the nonces that make a repeated message harmless.
struct ChatPolicy {
    /// Why a line is not taken now.
    enum Refusal: Equatable {
        case tooFast
        case repeated
        /// The room is in slow mode: the author may speak again in so many ms.
        case slowMode(retryAfterMs: Int64)

        var reason: String {
            switch self {
            case .tooFast: "too_fast"
            case .repeated: "repeated"
            case .slowMode: "slow_mode"
            }
        }
    }

    private struct Post {
        var atMs: Int64
        var text: String
    }

    /// Lines of the last while, by author.
    private var posts: [String: [Post]] = [:]
    /// When the lines of a room's watchers came, of the last while.
    private var watchersPosts = DelayQueue<Void>()
    private var nonces: [String: (result: String, atMs: Int64)] = [:]

    /// The result of the message with that nonce, where the author sent it within the last ten minutes.
    func result(author: String, nonce: String, atMs: Int64) -> String? {
        guard let known = nonces[key(author, nonce)], known.atMs + Limits.nonceMs > atMs else { return nil }
        return known.result
    }

    mutating func remember(author: String, nonce: String, result: String, atMs: Int64) {
        if nonces.count >= Limits.nonces {
            nonces = nonces.filter { $0.value.atMs + Limits.nonceMs > atMs }
        }
        if nonces.count >= Limits.nonces, let oldest = nonces.min(by: { $0.value.atMs < $1.value.atMs }) {
            nonces[oldest.key] = nil
        }
        nonces[key(author, nonce)] = (result, atMs)
    }

    /// Takes one line of the author's allowance, or says why there is none.
    ///
    /// - Parameters:
    ///   - slowModeMs: pause that each author has to keep; 0 where there is none.
    ///   - isWatcher: whether the author is one of those who share an allowance, because there may be thousands.
    mutating func admit(
        _ text: String, author: String, slowModeMs: Int64, isWatcher: Bool, atMs: Int64
    ) -> Refusal? {
        if posts.count > Limits.nonces {
            posts = posts.filter { ($0.value.last?.atMs ?? 0) + Limits.chatMemoryMs > atMs }
        }
        let line = Self.folded(text)
        var recent = posts[author, default: []]
        if let last = recent.last, slowModeMs > 0, last.atMs + slowModeMs > atMs {
            return .slowMode(retryAfterMs: last.atMs + slowModeMs - atMs)
        }
        // In slow mode the last line is what counts, however old.
        recent.removeAll { $0.atMs + max(Limits.chatMemoryMs, slowModeMs) <= atMs }
        guard recent.count(where: { $0.atMs + Limits.chatWindowMs > atMs }) < Limits.chatBurst else {
            return .tooFast
        }
        let same = recent.count { $0.atMs + Limits.chatRepeatMs > atMs && $0.text == line }
        guard same < Limits.chatRepeats else { return .repeated }
        if isWatcher {
            while let first = watchersPosts.firstMs, first + Limits.chatWindowMs <= atMs {
                _ = watchersPosts.removeFirst()
            }
            guard watchersPosts.count < Limits.chatWatchersBurst else { return .tooFast }
            watchersPosts.add((), atMs: atMs)
        }
        posts[author] = recent + [Post(atMs: atMs, text: line)]
        return nil
    }

    /// What makes two lines the same: the letters and digits, in lower case; of a line without any, all of it.
    private static func folded(_ text: String) -> String {
        let letters = text.lowercased().unicodeScalars.filter {
            $0.properties.isAlphabetic || $0.properties.numericType != nil
        }
        return letters.isEmpty ? text : String(String.UnicodeScalarView(letters))
    }

    private func key(_ author: String, _ nonce: String) -> String { "\(author)\u{0}\(nonce)" }
}
