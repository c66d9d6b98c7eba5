/// Rate and repetition rules of a room's chat, and the nonces that make a repeated message harmless.
struct ChatPolicy {
    private var posts: [String: [Int64]] = [:]
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

    /// Takes one line of the author's allowance; false when it is used up.
    mutating func admit(author: String, atMs: Int64) -> Bool {
        if posts.count > Limits.nonces {
            posts = posts.filter { ($0.value.last ?? 0) + Limits.chatWindowMs > atMs }
        }
        let recent = posts[author, default: []].filter { $0 + Limits.chatWindowMs > atMs }
        guard recent.count < Limits.chatBurst else { return false }
        posts[author] = recent + [atMs]
        return true
    }

    private func key(_ author: String, _ nonce: String) -> String { "\(author)\u{0}\(nonce)" }
}
