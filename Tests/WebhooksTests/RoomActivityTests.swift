import TestSupport
import Testing
import Webhooks

/// Few events of much that happens.
@Suite struct RoomActivityTests {
    @Test func aRoomIsOpenedByItsFirstSocketAndClosedWhenNobodyCameBack() {
        var activity = RoomActivity()
        #expect(activity.occupied(true, room: "r", ownerID: nil, atMs: 0)?.type == .roomOpened)
        #expect(activity.occupied(false, room: "r", ownerID: nil, atMs: 1_000) == nil)
        #expect(activity.due(atMs: 1_000 + Limits.closeAfterMs - 1).isEmpty)
        #expect(activity.occupied(true, room: "r", ownerID: nil, atMs: 3_000) == nil, "it was never closed")
        #expect(activity.due(atMs: 60_000).isEmpty)
        _ = activity.occupied(false, room: "r", ownerID: nil, atMs: 60_000)
        #expect(activity.due(atMs: 60_000 + Limits.closeAfterMs).map(\.type) == [.roomClosed])
        #expect(activity.isEmpty)
    }

    @Test func manyChangesAreOneEvent() {
        var activity = RoomActivity()
        activity.changed("main", sequence: 4, room: "r", ownerID: "a", atMs: 0)
        activity.changed("main", sequence: 5, room: "r", ownerID: "a", atMs: 500)
        #expect(activity.due(atMs: Limits.changeQuietMs).isEmpty)
        let told = activity.due(atMs: 500 + Limits.changeQuietMs)
        #expect(told.map(\.documents) == [["main": 5]])
        #expect(told.first?.ownerID == "a")
        #expect(activity.isEmpty)
    }

    /// Whatever comes, every change is told, soon enough and before the end of its room.
    @Test(arguments: 0..<20) func nothingIsForgotten(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var activity = RoomActivity()
        var newest: [String: Int64] = [:]
        var untoldSince: [String: Int64] = [:]
        var told: [String: Int64] = [:]
        var open: Set<String> = []
        for step in Int64(1)...2_000 {
            let atMs = step * 137
            let room = "r\(random.next() % 5)"
            switch random.next() % 4 {
            case 0:
                if activity.occupied(true, room: room, ownerID: nil, atMs: atMs) != nil { open.insert(room) }
            case 1:
                if open.contains(room) { _ = activity.occupied(false, room: room, ownerID: nil, atMs: atMs) }
            default:
                activity.changed("d", sequence: step, room: room, ownerID: nil, atMs: atMs)
                newest[room] = step
                if untoldSince[room] == nil { untoldSince[room] = atMs }
            }
            for notice in activity.due(atMs: atMs) {
                if notice.type == .roomChanged {
                    told[notice.roomID] = notice.documents["d"]
                    untoldSince[notice.roomID] = nil
                } else {
                    #expect(
                        untoldSince[notice.roomID] == nil, "seed \(seed): closed before its changes were told"
                    )
                    #expect(open.remove(notice.roomID) != nil, "seed \(seed)")
                }
            }
            for (_, since) in untoldSince {
                #expect(atMs - since < Limits.changeLatestMs + 200, "seed \(seed): told too late")
            }
        }
        for notice in activity.due(atMs: .max / 2, all: true) where notice.type == .roomChanged {
            told[notice.roomID] = notice.documents["d"]
        }
        #expect(told == newest, "seed \(seed); swift test --filter nothingIsForgotten")
    }

    @Test func pausesDoubleWithJitterAndEnd() {
        var earlier: Int64 = 0
        for attempts in 1..<Limits.attempts {
            let shortest = RetrySchedule.pauseMs(afterAttempts: attempts, random: 0) ?? 0
            let longest = RetrySchedule.pauseMs(afterAttempts: attempts, random: .max) ?? 0
            #expect(shortest >= earlier && longest >= shortest && longest <= Limits.longestPauseMs)
            earlier = shortest
        }
        #expect(RetrySchedule.pauseMs(afterAttempts: 1, random: 0) == Limits.firstPauseMs / 2)
        #expect(RetrySchedule.pauseMs(afterAttempts: Limits.attempts, random: 0) == nil)
    }
}
