import Rooms
import Testing

@Suite struct ChatPolicyTests {
    /// More authors than the first sweep leaves alone, the last of them moderators, whom slow mode does not bind.
    @Test func slowModeRemembersEveryoneOfManyAuthors() {
        var policy = ChatPolicy()
        func say(_ author: Int, slowModeMs: Int64, atMs: Int64) -> ChatPolicy.Refusal? {
            policy.admit(
                "hello", author: "u\(author)", slowModeMs: slowModeMs, isWatcher: false, atMs: atMs)
        }
        let pauseMs: Int64 = 600_000
        for author in 0..<5_000 { #expect(say(author, slowModeMs: pauseMs, atMs: 0) == nil) }
        for author in 5_000..<10_000 { #expect(say(author, slowModeMs: 0, atMs: 60_000) == nil) }
        #expect(say(0, slowModeMs: pauseMs, atMs: 61_000) == .slowMode(retryAfterMs: 539_000))
        #expect(say(4_999, slowModeMs: pauseMs, atMs: 599_999) == .slowMode(retryAfterMs: 1))
        #expect(say(0, slowModeMs: pauseMs, atMs: 600_000) == nil)
    }

    /// The oldest are forgotten in the end, so that a room's memory is bounded.
    @Test func theNumberOfAuthorsIsBounded() {
        var policy = ChatPolicy()
        let pauseMs: Int64 = 3_600_000
        for author in 0..<70_000 {
            _ = policy.admit(
                "hello", author: "u\(author)", slowModeMs: pauseMs, isWatcher: false, atMs: Int64(author))
        }
        func mayGoOn(_ author: Int) -> Bool {
            policy.admit(
                "again", author: "u\(author)", slowModeMs: pauseMs, isWatcher: false, atMs: 70_000) == nil
        }
        #expect(mayGoOn(0))
        #expect(!mayGoOn(69_999))
    }
}
