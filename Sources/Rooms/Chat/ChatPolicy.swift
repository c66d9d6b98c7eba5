/// Rate and repetition rules of a room's chat, and the nonces that make a repeated message harmless.
package struct ChatPolicy {
    /// Why a line is not taken now.
    package enum Refusal: Equatable {
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
    /// The longest pause of slow mode so far, ms.
    private var longestPauseMs: Int64 = 0
    /// How many authors there may be before those are looked for who can be forgotten; O(1) a line on average.
    private var sweepAt = Limits.nonces
    /// When the lines of a room's watchers came, of the last while.
    private var watchersPosts = DelayQueue<Void>()
    private var nonces: [String: (result: String, atMs: Int64)] = [:]

    package init() {}

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
    package mutating func admit(
        _ text: String, author: String, slowModeMs: Int64, isWatcher: Bool, atMs: Int64
    ) -> Refusal? {
        // A moderator's own line has no pause, and others' are still to be held.
        longestPauseMs = max(longestPauseMs, slowModeMs)
        if posts.count >= sweepAt { sweep(atMs: atMs) }
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

    /// Forgets authors whose lines hold nothing back any more, and past `Limits.chatAuthors` those who were silent longest.
    private mutating func sweep(atMs: Int64) {
        let memoryMs = max(Limits.chatMemoryMs, longestPauseMs)
        posts = posts.filter { ($0.value.last?.atMs ?? 0) + memoryMs > atMs }
        let most = Limits.chatAuthors / 4 * 3
        if posts.count > most {
            let bySilence = posts.sorted { ($0.value.last?.atMs ?? 0) < ($1.value.last?.atMs ?? 0) }
            for (author, _) in bySilence.prefix(posts.count - most) { posts[author] = nil }
        }
        sweepAt = min(max(Limits.nonces, posts.count * 2), Limits.chatAuthors)
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
