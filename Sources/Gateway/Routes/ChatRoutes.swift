import Hummingbird
import Identity
import Rooms
import SyncServer

/// A room's chat beyond what its document holds: pages of old lines, and deleting one of them.
package struct ChatRoutes: Sendable {
    private let directory: RoomDirectory
    private let archive: any ChatArchive
    private let blocks: any BlockStore

    package init(directory: RoomDirectory, archive: any ChatArchive, blocks: any BlockStore) {
        self.directory = directory
        self.archive = archive
        self.blocks = blocks
    }

    package var routes: [Route] {
        [
            Route(.get, "/api/v1/rooms/{id}/chat") { request, context in try await page(request, context) },
            Route(.delete, "/api/v1/rooms/{id}/chat/{message}", limits: [.writes], audit: .ofStaff) {
                request, context in
                try await delete(request, context)
            },
        ]
    }

    /// Lines newest first: those of the document, then those of the archive. A cursor is the id of a line.
    private func page(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let caller = RoomCaller(try context.requireCaller())
        let id = try context.parameter("id")
        let page = try PageRequest(request)
        let (document, lines) = try await readable(request, id, caller)
        var newest = Array(lines.reversed())
        var before: String?
        if let cursor = page.cursor {
            if let index = newest.firstIndex(where: { $0.id == cursor }) {
                newest.removeFirst(index + 1)
            } else if try await archive.line(cursor, room: id, document: document) != nil {
                newest = []
                before = cursor
            } else {
                throw HTTPProblem.invalid("cursor", "is not a cursor of this list", code: "cursor")
            }
        }
        var items = Array(newest.prefix(page.fetched))
        if items.count <= page.limit {
            let known = Set(lines.map(\.id))
            // Lines that are archived and not gone from the document yet are in both.
            let older = try await archive.lines(
                room: id, document: document, before: before, limit: page.fetched)
            items += older.filter { !known.contains($0.id) }
        }
        let blocked = Set(try await blocks.blocked(by: caller.userID).map(\.userID))
        return .json(
            PageReply(items, of: page, cursor: \.id) {
                ChatLineReply($0, isBlocked: blocked.contains($0.author.id))
            })
    }

    private func delete(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let caller = RoomCaller(try context.requireCaller())
        let id = try context.parameter("id")
        let message = try context.parameter("message")
        let reason = QueryText(request)["reason"] ?? ""
        guard reason.utf16.count <= Rooms.Limits.chatReason else {
            throw HTTPProblem.invalid("reason", "is too long", code: "length")
        }
        let (document, _) = try await readable(request, id, caller)
        let outcome = try await directory.with(id) { room, _ in
            (room.deleteChatLine(message, in: document, by: caller, reason: reason), room.policy)
        }
        switch outcome.0 {
        case .taken: return Response(status: .accepted)
        case .notAllowed: throw HTTPProblem.forbidden("Only its author or a moderator deletes a line.")
        case .notHere: break
        }
        guard let line = try await archive.line(message, room: id, document: document) else {
            throw HTTPProblem.notFound("There is no such line.")
        }
        guard outcome.1.mayDelete(line, in: document, caller) else {
            throw HTTPProblem.forbidden("Only its author or a moderator deletes a line.")
        }
        let person = ChatPerson(id: caller.userID, handle: caller.handle)
        let deleted = line.deleted(by: person, reason: reason.isEmpty ? nil : reason)
        _ = try await archive.replace(deleted, room: id, document: document)
        return Response(status: .accepted)
    }

    /// The chat document that is asked for, with its lines: the named one, or the one the caller speaks in.
    private func readable(
        _ request: Request, _ id: String, _ caller: RoomCaller
    ) async throws -> (String, [ChatLine]) {
        let wanted = request.uri.queryParameters["document"].map(String.init)
        let found: (document: String, lines: [ChatLine]?)? = try await directory.with(id) { room, _ in
            guard room.policy.maySee(caller), let own = room.policy.chatDocument(for: caller) else {
                return nil
            }
            let document = wanted ?? own
            return (document, room.chatLines(in: document, for: caller))
        }
        guard let found else { throw HTTPProblem.notFound("There is no such room.") }
        guard let lines = found.lines else {
            throw HTTPProblem.forbidden("This chat is not yours to read.")
        }
        return (found.document, lines)
    }
}

/// A chat line as answers give it.
private struct ChatLineReply: Encodable {
    struct Person: Encodable {
        var id: String
        var handle: String

        init(_ person: ChatPerson) {
            id = person.id
            handle = person.handle
        }
    }

    var id: String
    var author: Person
    var text: String
    var at: String
    var mentions: [Person]
    var editedAt: String?
    var deleted: Bool
    var deletedBy: Person?
    var reason: String?
    /// Whether the caller blocks its author.
    var blocked: Bool

    init(_ line: ChatLine, isBlocked: Bool) {
        id = line.id
        author = Person(line.author)
        text = line.text
        at = line.at
        mentions = line.mentions.map(Person.init)
        editedAt = line.editedAt
        deleted = line.isDeleted
        deletedBy = line.deletedBy.map(Person.init)
        reason = line.deletionReason
        blocked = isBlocked
    }
}
