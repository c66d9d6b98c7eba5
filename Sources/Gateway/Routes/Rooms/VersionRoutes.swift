import HTTPTypes
import Hummingbird
import Rooms
import SyncServer

/// Named versions: places in the history of a document that somebody gave a name.
package struct VersionRoutes: Sendable {
    private let directory: RoomDirectory
    private let versions: any VersionStore

    package init(directory: RoomDirectory, versions: any VersionStore) {
        self.directory = directory
        self.versions = versions
    }

    package var routes: [Route] {
        let json = Route.Body.json(limit: GatewayLimits.jsonBody)
        return [
            Route(
                .post, "/api/v1/rooms/{id}/documents/{name}/versions", body: json, limits: [.writes],
                idempotent: true, scope: .documentsWrite
            ) { _, context in try await create(context) },
            Route(
                .get, "/api/v1/rooms/{id}/documents/{name}/versions", scope: .documentsRead
            ) { request, context in try await list(request, context) },
            Route(
                .get, "/api/v1/rooms/{id}/documents/{name}/versions/{version}", scope: .documentsRead
            ) { _, context in .json(try await VersionReply(version(context))) },
            Route(
                .delete, "/api/v1/rooms/{id}/documents/{name}/versions/{version}", limits: [.writes],
                scope: .documentsWrite
            ) { _, context in try await delete(context) },
        ]
    }

    private struct Wish: Decodable {
        var name: String
        var sequence: Int64?
    }

    private func create(_ context: GatewayContext) async throws -> Response {
        let wish = try context.decode(Wish.self)
        guard (1...Rooms.Limits.versionNameLength).contains(wish.name.utf16.count) else {
            throw HTTPProblem.invalid(
                "name", "has 1 to \(Rooms.Limits.versionNameLength) characters", code: "length")
        }
        let place = try await place(context, toWrite: true)
        if let sequence = wish.sequence, !(0...place.through).contains(sequence) {
            throw HTTPProblem.invalid("sequence", "is from 0 to \(place.through)", code: "range")
        }
        let version = RoomVersion(
            id: directory.newID(), roomID: place.roomID, document: place.document, name: wish.name,
            sequence: wish.sequence ?? place.through, createdBy: place.caller.userID,
            createdAtMs: directory.now())
        guard try await versions.create(version, atMost: Rooms.Limits.versions) else {
            throw HTTPProblem.conflict("too_many_versions", "The document has all the versions it can have.")
        }
        return .json(
            VersionReply(version), status: .created,
            headers: [
                .location: "/api/v1/rooms/\(place.roomID)/documents/\(place.document)/versions/\(version.id)"
            ])
    }

    private func list(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let page = try PageRequest(request)
        let place = try await place(context, toWrite: false)
        let found = try await versions.versions(
            of: place.roomID, document: place.document, before: page.cursor, limit: page.fetched)
        return .json(
            PageReply(found, of: page, cursor: \.id) {
                $0.sequence <= place.through ? VersionReply($0) : nil
            })
    }

    private func version(_ context: GatewayContext) async throws -> RoomVersion {
        let place = try await place(context, toWrite: false)
        let id = try context.parameter("version")
        guard let found = try await versions.version(id, of: place.roomID, document: place.document),
            found.sequence <= place.through
        else { throw HTTPProblem.notFound("There is no such version.") }
        return found
    }

    private func delete(_ context: GatewayContext) async throws -> Response {
        let place = try await place(context, toWrite: true)
        let id = try context.parameter("version")
        guard try await versions.deleteVersion(id, of: place.roomID, document: place.document) else {
            throw HTTPProblem.notFound("There is no such version.")
        }
        return Response(status: .noContent)
    }

    private struct Place {
        var roomID: String
        var document: String
        var caller: RoomCaller
        /// The last record that the caller may count with.
        var through: Int64
    }

    private func place(_ context: GatewayContext, toWrite: Bool) async throws -> Place {
        let target = try DocumentTarget(context)
        let replay = try await directory.visibleReplay(of: target.roomID, for: target.caller)
        return try Self.place(target, in: replay, toWrite: toWrite)
    }

    /// The document of a call. Names of versions say what is in them, so that who reads with a delay sees none.
    private static func place(
        _ target: DocumentTarget, in replay: RoomReplay, toWrite: Bool
    ) throws -> Place {
        guard let access = replay.policy.access(to: target.document, for: target.caller) else {
            throw HTTPProblem.notFound("There is no such document.")
        }
        guard access == .write || (access == .read && !toWrite) else {
            throw HTTPProblem.forbidden("This document is not yours to \(toWrite ? "write" : "read") now.")
        }
        return Place(
            roomID: target.roomID, document: target.document, caller: target.caller, through: replay.through)
    }
}

private struct VersionReply: Encodable {
    var id: String
    var document: String
    var name: String
    var sequence: Int64
    var createdBy: String
    var createdAt: String

    init(_ version: RoomVersion) {
        id = version.id
        document = version.document
        name = version.name
        sequence = version.sequence
        createdBy = RoomCaller.publicID(version.createdBy)
        createdAt = timestamp(version.createdAtMs)
    }
}

extension RoomDirectory {
    /// The rule of a room that has accounts, for whoever may know of it.
    func visiblePolicy(of roomID: String, for caller: RoomCaller) async throws -> AccessPolicy {
        let policy = try await with(roomID) { room, _ in room.policy }
        guard policy.specification.kind != .open, policy.maySee(caller) else {
            throw HTTPProblem.notFound("There is no such room.")
        }
        return policy
    }

    /// The log of such a room.
    func visibleReplay(of roomID: String, for caller: RoomCaller) async throws -> RoomReplay {
        let replay = try await replay(of: roomID, for: caller)
        guard replay.policy.specification.kind != .open else {
            throw HTTPProblem.notFound("There is no such room.")
        }
        return replay
    }
}
