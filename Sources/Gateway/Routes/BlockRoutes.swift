import Hummingbird
import Identity
import Rooms

/// Whom the caller does not want to hear: their mentions and invitations do not arrive, their chat lines are hidden by
/// the caller's client.
package enum BlockRoutes {
    package static func routes(
        identity: IdentityService, blocks: any BlockStore, events: UserEvents,
        now: @escaping @Sendable () -> Int64
    ) -> [Route] {
        [
            Route(.get, "/api/v1/me/blocks") { _, context in
                let caller = try context.requireCaller()
                let blocked = try await blocks.blocked(by: caller.userID)
                let accounts = try await identity.accounts(ids: blocked.map(\.userID))
                let items = blocked.map {
                    BlockReply(
                        id: $0.userID, handle: accounts[$0.userID]?.handle, since: timestamp($0.sinceMs))
                }
                return .json(PageReply(items: items, nextCursor: nil))
            },
            Route(.put, "/api/v1/me/blocks/{user}", limits: [.writes]) { _, context in
                let caller = try context.requireCaller()
                let userID = try context.parameter("user")
                guard userID != caller.userID, try await identity.account(userID) != nil else {
                    throw HTTPProblem.notFound("There is no such other account.")
                }
                let isTaken = try await blocks.block(
                    userID, by: caller.userID, limit: GatewayLimits.blocksPerUser, atMs: now())
                guard isTaken else {
                    throw HTTPProblem.conflict(
                        "too_many_blocks", "At most \(GatewayLimits.blocksPerUser) people are blocked.")
                }
                tell(caller, events)
                return Response(status: .noContent)
            },
            Route(.delete, "/api/v1/me/blocks/{user}", limits: [.writes]) { _, context in
                let caller = try context.requireCaller()
                try await blocks.unblock(try context.parameter("user"), by: caller.userID)
                tell(caller, events)
                return Response(status: .noContent)
            },
        ]
    }

    /// Other tabs of the caller read the list anew.
    private static func tell(_ caller: Caller, _ events: UserEvents) {
        events.publish(userID: caller.userID, type: "blocks.changed", json: "{}")
    }

    private struct BlockReply: Encodable {
        var id: String
        @Nullable var handle: String?
        var since: String
    }
}
