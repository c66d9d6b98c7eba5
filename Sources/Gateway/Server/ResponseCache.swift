import HTTPTypes
import Hummingbird
import Identity
import Synchronization

/// What a cached call answers from, and for whom the answer is the same.
package struct CacheRule: Sendable {
    /// Names what the answer is made of; one change of it makes every answer of the tag stale.
    package var tag: String
    /// Callers of the same audience get the same answer.
    package var audience: @Sendable (Caller?) -> String

    package init(tag: String, audience: @escaping @Sendable (Caller?) -> String = { _ in "" }) {
        self.tag = tag
        self.audience = audience
    }
}

/// Answers of public reads, kept until what they were made of changes: each carries the version of its source that was
/// read before it was made, and is given only while that is the source's version. In memory, bounded, thread-safe.
package final class ResponseCache: Sendable {
    /// The present version of a source; nil when it cannot be told, and then nothing is answered from memory.
    package typealias Version = @Sendable () async -> String?

    private struct Key: Hashable {
        var target: String
        var audience: String
    }

    private struct Entry {
        var representation: Representation
        var version: String
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var bytes = 0
        /// Versions read a moment ago, by tag.
        var versions: [String: (version: String, readAtMs: Int64)] = [:]
        var hits = 0
        var misses = 0
    }

    private let sources: [String: Version]
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())

    /// - Parameters:
    ///   - sources: how to ask for the version of each tag's source, so that changes by other processes are seen.
    ///   - now: ms since 1970.
    package init(sources: [String: Version], now: @escaping @Sendable () -> Int64) {
        self.sources = sources
        self.now = now
    }

    /// Answers from memory and made anew, since the start.
    package var counts: (hits: Int, misses: Int) { state.withLock { ($0.hits, $0.misses) } }

    /// Something of the tag may have changed here: its version is asked for again before the next answer.
    package func invalidate(_ tag: String) {
        _ = state.withLock { $0.versions.removeValue(forKey: tag) }
    }

    func answer(
        _ request: Request, _ context: GatewayContext, _ rule: CacheRule,
        make: () async throws -> Response
    ) async throws -> Response {
        let version = await version(of: rule.tag)
        let key = Key(target: request.uri.string, audience: rule.audience(context.caller))
        let known = state.withLock { state -> Representation? in
            guard let entry = state.entries[key], entry.version == version else {
                state.misses += 1
                return nil
            }
            state.hits += 1
            return entry.representation
        }
        if let known { return Self.stamped(known.response(to: request), context) }
        let response = try await make()
        guard response.status == .ok,
            let bytes = try await response.shortBody(limit: GatewayLimits.cachedAnswer)
        else { return response }
        let representation = Representation(bytes, fields: response.headers)
        if let version { keep(representation, version, for: key) }
        return Self.stamped(representation.response(to: request), context)
    }

    private func version(of tag: String) async -> String? {
        let atMs = now()
        let recent = state.withLock { $0.versions[tag] }
        if let recent, (0..<GatewayLimits.versionMs).contains(atMs - recent.readAtMs) {
            return recent.version
        }
        guard let version = await sources[tag]?() else { return nil }
        state.withLock { $0.versions[tag] = (version, atMs) }
        return version
    }

    private func keep(_ representation: Representation, _ version: String, for key: Key) {
        state.withLock { state in
            if let old = state.entries[key] { state.bytes -= old.representation.size }
            state.entries[key] = Entry(representation: representation, version: version)
            state.bytes += representation.size
            guard
                state.bytes > GatewayLimits.cacheBytes || state.entries.count > GatewayLimits.cachedAnswers
            else { return }
            // First what is stale; then everything: it comes back at the price of one answer each.
            state.entries = state.entries.filter { $0.value.version == version }
            if state.entries.count > GatewayLimits.cachedAnswers / 2 { state.entries = [:] }
            state.bytes = state.entries.values.reduce(0) { $0 + $1.representation.size }
            if state.bytes > GatewayLimits.cacheBytes / 2 { (state.entries, state.bytes) = ([:], 0) }
        }
    }

    /// Others may keep it, and ask each time whether it is still so.
    private static func stamped(_ response: Response, _ context: GatewayContext) -> Response {
        var response = response
        let scope = context.caller == nil ? "public" : "private"
        response.headers[.cacheControl] = "\(scope), max-age=0, must-revalidate"
        response.headers.addVary("Authorization")
        return response
    }
}
