import CRDT
import Foundation
import HTTPTypes
import Hummingbird
import Identity
import NIOCore
import Rooms
import SyncProtocol
import SyncServer

/// Documents by HTTP: read now or as they were, edited, restored, asked who wrote what. Writes go the way of a
/// socket's and are answered when they are on disk.
package struct DocumentRoutes: Sendable {
    private let directory: RoomDirectory
    private let versions: any VersionStore
    private let identity: IdentityService

    package init(directory: RoomDirectory, versions: any VersionStore, identity: IdentityService) {
        self.directory = directory
        self.versions = versions
        self.identity = identity
    }

    package var routes: [Route] {
        let json = Route.Body.json(limit: GatewayLimits.editBody)
        let updates = Route.Body.bytes(
            limit: GatewayLimits.updateBody, types: UpdateFormat.allCases.map(\.rawValue))
        return [
            Route(
                .get, "/api/v1/rooms/{id}/documents/{name}", limits: [.reads, .history], scope: .documentsRead
            ) { request, context in try await read(request, context) },
            Route(
                .get, "/api/v1/rooms/{id}/documents/{name}/authors", limits: [.reads, .history],
                scope: .documentsRead
            ) { request, context in try await authors(request, context) },
            Route(
                .post, "/api/v1/rooms/{id}/documents/{name}/updates", body: updates, limits: [.writes],
                scope: .documentsWrite
            ) { request, context in try await apply(request, context) },
            Route(
                .post, "/api/v1/rooms/{id}/documents/{name}/edits", body: json, limits: [.writes],
                idempotent: true, scope: .documentsWrite
            ) { _, context in try await edit(context) },
            Route(
                .post, "/api/v1/rooms/{id}/documents/{name}/restorations", body: json,
                limits: [.writes, .history], idempotent: true, scope: .documentsWrite
            ) { _, context in try await restore(context) },
        ]
    }

    // MARK: Reading

    private func read(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let format = try DocumentFormat.choose(for: request) ?? .json
        let path = try DocumentQuery.path(request)
        let copy = try await copy(at: DocumentQuery.point(request), context)
        return try DocumentAnswer.response(copy, at: path, as: format)
    }

    private func copy(at place: DocumentQuery.Place, _ context: GatewayContext) async throws -> DocumentCopy {
        let target = try DocumentTarget(context)
        _ = try await directory.visiblePolicy(of: target.roomID, for: target.caller)
        let point: HistoryPoint
        switch place {
        case .point(let known): point = known
        case .version(let id):
            guard let version = try await versions.version(id, of: target.roomID, document: target.document)
            else {
                throw HTTPProblem.notFound("There is no such version.")
            }
            point = .sequence(version.sequence)
        }
        return try await directory.document(
            target.document, of: target.roomID, for: target.caller, at: point)
    }

    private func authors(_ request: Request, _ context: GatewayContext) async throws -> Response {
        guard let path = try DocumentQuery.path(request) else {
            throw HTTPProblem.invalid("path", "is missing", code: "missing")
        }
        let copy = try await copy(at: DocumentQuery.point(request), context)
        guard let ranges = try copy.authors(at: path) else {
            throw HTTPProblem.notFound("There is no text or list at that path.")
        }
        let owners = Set(ranges.compactMap { copy.owners[$0.client] })
        let accounts = try await identity.accounts(ids: owners.sorted())
        return .json(
            AuthorsReply(
                document: copy.document, sequence: copy.sequence,
                ranges: ranges.map { range in
                    let owner = copy.owners[range.client]
                    return AuthorsReply.Range(
                        offset: range.offset, length: range.length, client: range.client,
                        author: owner.map(RoomCaller.publicID), handle: owner.flatMap { accounts[$0]?.handle }
                    )
                }))
    }

    // MARK: Writing

    private func apply(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let target = try DocumentTarget(context)
        _ = try await directory.visiblePolicy(of: target.roomID, for: target.caller)
        let update = try UpdateFormat.decode(Array(buffer: context.body), request.headers[.contentType])
        let outcome = try await directory.write(
            update, to: target.document, of: target.roomID, by: target.caller)
        switch outcome {
        case .saved(let sequence): return .json(WriteReply(sequence: sequence, changed: true))
        case .refused(let refusal): throw HTTPProblem.describing(refusal)
        case .noSuchDocument: throw HTTPProblem.notFound("There is no such document.")
        case .stale, .unavailable: throw HTTPProblem.unavailable("The room could not be written; try again.")
        }
    }

    private func edit(_ context: GatewayContext) async throws -> Response {
        let edits = try EditRequest.edits(in: context.body)
        return try await perform(.edits(edits), context)
    }

    private struct RestorationWish: Decodable {
        var sequence: Int64?
        var at: String?
        var version: String?
    }

    private func restore(_ context: GatewayContext) async throws -> Response {
        let wish = try context.decode(RestorationWish.self)
        let place = try DocumentQuery.place(sequence: wish.sequence, at: wish.at, version: wish.version)
        guard place != .point(.now) else {
            throw HTTPProblem.invalid("sequence", "is missing; or name at, or version", code: "missing")
        }
        return try await perform(.restore(try await copy(at: place, context)), context)
    }

    private func perform(_ change: DocumentChange, _ context: GatewayContext) async throws -> Response {
        let target = try DocumentTarget(context)
        _ = try await directory.visiblePolicy(of: target.roomID, for: target.caller)
        switch try await directory.edit(
            target.document, of: target.roomID, by: target.caller, change)
        {
        case .saved(let sequence, let changed):
            return .json(WriteReply(sequence: sequence, changed: changed))
        case .refused(let refusal): throw HTTPProblem.describing(refusal)
        case .impossible(let error): throw HTTPProblem.describing(error)
        case .noSuchDocument: throw HTTPProblem.notFound("There is no such document.")
        case .unavailable: throw HTTPProblem.unavailable("The room could not be written; try again.")
        }
    }
}

private struct WriteReply: Encodable {
    /// The place in the log up to which the write is on disk.
    var sequence: Int64
    /// False where there was nothing to change.
    var changed: Bool
}

private struct AuthorsReply: Encodable {
    struct Range: Encodable {
        /// UTF-16 units in a text, elements in a list.
        var offset: Int
        var length: Int
        var client: UInt64
        @Nullable var author: String?
        @Nullable var handle: String?
    }

    var document: String
    var sequence: Int64
    var ranges: [Range]
}
