import Hummingbird
import Identity
import Rooms
import SyncServer

/// What owners change about their rooms. Open sockets are told, moved or closed.
package struct RoomChangeRoutes: Sendable {
    private let directory: RoomDirectory

    package init(directory: RoomDirectory) {
        self.directory = directory
    }

    package var routes: [Route] {
        let json = Route.Body.json(limit: GatewayLimits.jsonBody)
        return [
            Route(.patch, "/api/v1/rooms/{id}", body: json, limits: [.writes], audit: .ofStaff) {
                _, context in
                try await change(context)
            },
            Route(.delete, "/api/v1/rooms/{id}/participants/{user}", limits: [.writes], audit: .ofStaff) {
                _, context in
                try await remove(context)
            },
        ]
    }

    private struct Wish: Decodable {
        var visibility: RoomVisibility?
        var archived: Bool?
    }

    private func change(_ context: GatewayContext) async throws -> Response {
        let caller = RoomCaller(try context.requireCaller())
        let id = try context.parameter("id")
        let wish = try context.decode(Wish.self)
        let policy = try await directory.visiblePolicy(of: id, for: caller)
        guard policy.mayModerate(caller), policy.specification.kind == .pair else {
            throw HTTPProblem.forbidden("Only the owner of a pair room or a moderator changes it.")
        }
        if let visibility = wish.visibility { try await directory.change(id, .visibility(visibility)) }
        if let archived = wish.archived {
            try await directory.change(id, .archived(atMs: archived ? directory.now() : nil))
        }
        let view = try await directory.with(id) { room, _ in RoomView(room, caller) }
        guard let view else { throw HTTPProblem.notFound("There is no such room.") }
        return .json(view)
    }

    private func remove(_ context: GatewayContext) async throws -> Response {
        let caller = RoomCaller(try context.requireCaller())
        let id = try context.parameter("id")
        let userID = try context.parameter("user")
        let policy = try await directory.visiblePolicy(of: id, for: caller)
        guard policy.specification.kind == .pair, userID == caller.userID || policy.mayModerate(caller) else {
            throw HTTPProblem.forbidden("Only the owner of a pair room or a moderator removes others.")
        }
        guard userID != policy.specification.ownerID else {
            throw HTTPProblem.conflict("owner", "The owner stays; a room can be archived.")
        }
        guard policy.specification.participant(userID) != nil else {
            throw HTTPProblem.notFound("There is no such participant.")
        }
        try await directory.change(id, .participantRemoved(userID: userID))
        return Response(status: .noContent)
    }
}
