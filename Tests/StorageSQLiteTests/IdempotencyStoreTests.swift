import Identity
import StorageSQLite
import Testing

@Suite struct IdempotencyStoreTests {
    private let scratch = Scratch()
    private let store: IdempotencyStoreSQLite
    private let key = IdempotencyKey(key: "k", userID: "u", route: "POST /rooms")

    init() throws {
        store = IdempotencyStoreSQLite(try scratch.open())
    }

    @Test func answersAgain() async throws {
        #expect(try await store.claim(key, bodyHash: [1], atMs: 0) == .claimed)
        #expect(try await store.claim(key, bodyHash: [1], atMs: 1) == .inProgress)
        #expect(try await store.claim(key, bodyHash: [2], atMs: 1) == .mismatch)
        try await store.complete(key, status: 201, body: [7, 0, 8], atMs: 2)
        let again = try await store.claim(key, bodyHash: [1], atMs: 3)
        #expect(again == .completed(status: 201, body: [7, 0, 8]))
        #expect(try await store.claim(key, bodyHash: [2], atMs: 3) == .mismatch)
        for other in [
            IdempotencyKey(key: "k2", userID: "u", route: "POST /rooms"),
            IdempotencyKey(key: "k", userID: "v", route: "POST /rooms"),
            IdempotencyKey(key: "k", userID: "u", route: "POST /runs"),
        ] {
            #expect(try await store.claim(other, bodyHash: [9], atMs: 3) == .claimed)
        }
        #expect(try await store.claim(key, bodyHash: [2], atMs: 2 + IdempotencyLimits.keptMs) == .claimed)
    }

    @Test func isClaimedOnce() async throws {
        let store = store
        let key = key
        let won = try await successes(of: 30) { _ in
            try await store.claim(key, bodyHash: [1], atMs: 5) == .claimed
        }
        #expect(won == 1)
    }

    @Test func claimsAreGivenBack() async throws {
        #expect(try await store.claim(key, bodyHash: [1], atMs: 0) == .claimed)
        try await store.release(key)
        #expect(try await store.claim(key, bodyHash: [2], atMs: 1) == .claimed)
        // Abandoned: its server is gone.
        #expect(try await store.claim(key, bodyHash: [2], atMs: IdempotencyLimits.abandonedMs) == .inProgress)
        #expect(
            try await store.claim(key, bodyHash: [2], atMs: 1 + IdempotencyLimits.abandonedMs) == .claimed)
        // Too large to keep.
        let large = [UInt8](repeating: 0, count: IdempotencyLimits.bodyBytes + 1)
        try await store.complete(key, status: 201, body: large, atMs: 2)
        #expect(try await store.claim(key, bodyHash: [2], atMs: 3) == .claimed)
        try await store.complete(key, status: 204, body: [], atMs: 4)
        #expect(try await store.claim(key, bodyHash: [2], atMs: 5) == .completed(status: 204, body: []))
        // A completed one is not released.
        try await store.release(key)
        #expect(try await store.claim(key, bodyHash: [2], atMs: 6) == .completed(status: 204, body: []))
    }

    @Test func aUserHasABoundedNumber() async throws {
        for index in 0..<(IdempotencyLimits.keysPerUser + 20) {
            let key = IdempotencyKey(key: "\(index)", userID: "u", route: "r")
            #expect(try await store.claim(key, bodyHash: [1], atMs: Int64(index)) == .claimed)
        }
        let oldest = IdempotencyKey(key: "0", userID: "u", route: "r")
        #expect(try await store.claim(oldest, bodyHash: [1], atMs: 2000) == .claimed)
        let recent = IdempotencyKey(key: "1000", userID: "u", route: "r")
        #expect(try await store.claim(recent, bodyHash: [1], atMs: 2000) == .inProgress)
    }
}
