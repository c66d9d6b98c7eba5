import CRDT
import Foundation
import HTTPTypes
import Hummingbird
import Identity
import Judging
import Problems
import Rooms
import SyncProtocol
import SyncServer

/// Rooms: made, looked at, joined, submitted from, played back.
package struct RoomRoutes: Sendable {
    private let identity: IdentityService
    private let directory: RoomDirectory
    private let rooms: any RoomStore
    private let catalogue: ProblemCatalogue
    private let blocks: any BlockStore
    private let events: UserEvents
    private let languages: LanguageTable
    private let roomsPerUser: Int
    private let randomBytes: @Sendable (Int) -> [UInt8]

    /// How long a sync token lives, seconds: twelve hours, the most the contract allows.
    static let syncTokenSeconds = 12 * 3_600
    static let inviteLifetimeMs: Int64 = 7 * 86_400_000
    /// Members of one pair room.
    static let maximumMembers = 16

    package init(
        identity: IdentityService, directory: RoomDirectory, rooms: any RoomStore,
        catalogue: ProblemCatalogue, blocks: any BlockStore, events: UserEvents, languages: LanguageTable,
        roomsPerUser: Int = GatewayLimits.roomsPerUser,
        randomBytes: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.identity = identity
        self.directory = directory
        self.rooms = rooms
        self.catalogue = catalogue
        self.blocks = blocks
        self.events = events
        self.languages = languages
        self.roomsPerUser = roomsPerUser
        self.randomBytes = randomBytes
    }

    package var routes: [Route] {
        let json = Route.Body.json(limit: GatewayLimits.jsonBody)
        return [
            Route(.post, "/api/v1/rooms", body: json, limits: [.writes], idempotent: true) { _, context in
                try await create(context)
            },
            Route(.get, "/api/v1/rooms/{id}", scope: .documentsRead) { _, context in try await show(context)
            },
            Route(
                .post, "/api/v1/rooms/{id}/sync-tokens", body: json, limits: [.writes], tokens: .scope(.sync)
            ) { _, context in
                try await mintToken(context)
            },
            Route(.post, "/api/v1/rooms/{id}/invites", body: json, limits: [.writes]) { _, context in
                try await invite(context)
            },
            Route(
                .post, "/api/v1/invites/{code}/accept", body: json, limits: [.writes],
                scope: .documentsWrite
            ) { _, context in
                try await accept(context)
            },
            Route(
                .post, "/api/v1/rooms/{id}/submissions", body: json, limits: [.submissions], idempotent: true
            ) { _, context in try await submit(context) },
            Route(.post, "/api/v1/rooms/{id}/forfeit", body: json, limits: [.writes]) { _, context in
                try await forfeit(context)
            },
        ]
    }

    // MARK: Making and showing

    private struct Creation: Decodable {
        var kind: String
        var problemId: String?
        var visibility: RoomVisibility?
        var language: String?
    }

    private func create(_ context: GatewayContext) async throws -> Response {
        let caller = try context.requireCaller()
        let wish = try context.decode(Creation.self)
        guard wish.kind == RoomKind.pair.rawValue else {
            throw HTTPProblem.invalid("kind", "is \"pair\"; battles are made by matchmaking", code: "value")
        }
        let language = wish.language ?? "python"
        guard languages.named(language)?.id == language else {
            throw HTTPProblem.invalid("language", "is not a known language", code: "value")
        }
        if let problemID = wish.problemId, try await catalogue.summary(problemID)?.published != true {
            throw HTTPProblem.invalid("problem_id", "there is no such problem", code: "unknown")
        }
        guard try await rooms.pairRooms(ownedBy: caller.userID) < roomsPerUser else {
            throw HTTPProblem.conflict("too_many_rooms", "One account makes at most \(roomsPerUser) rooms.")
        }
        let specification = RoomSpecification(
            id: directory.newID(), kind: .pair, visibility: wish.visibility ?? .private,
            ownerID: caller.userID,
            problemID: wish.problemId, language: language,
            participants: [Participant(userID: caller.userID, handle: caller.handle, language: language)],
            createdAtMs: directory.now())
        try await directory.create(specification)
        let policy = AccessPolicy(specification: specification, battleIsOver: false)
        let token = try await identity.mintSyncToken(
            roomID: specification.id, epoch: specification.epoch, for: caller,
            ttlSeconds: Self.syncTokenSeconds)
        return .json(
            Created(
                id: specification.id, kind: specification.kind.rawValue,
                documents: Self.documents(policy, RoomCaller(caller)), syncPath: "/sync/\(specification.id)",
                syncToken: token.token, epoch: specification.epoch),
            status: .created, headers: [.location: "/api/v1/rooms/\(specification.id)"])
    }

    private func show(_ context: GatewayContext) async throws -> Response {
        let caller = RoomCaller(try context.requireCaller())
        let id = try context.parameter("id")
        let view = try await directory.with(id) { room, _ in RoomView(room, caller) }
        guard let view else { throw HTTPProblem.notFound("There is no such room.") }
        return .json(view)
    }

    static func documents(_ policy: AccessPolicy, _ caller: RoomCaller) -> [DocumentReply] {
        policy.specification.documentNames.compactMap { name in
            guard let access = policy.access(to: name, for: caller), access != .none else { return nil }
            return DocumentReply(
                name: name, access: access == .delayedRead ? "delayed_read" : access.rawValue)
        }
    }

    // MARK: Joining

    private func mintToken(_ context: GatewayContext) async throws -> Response {
        let caller = try context.requireCaller()
        let id = try context.parameter("id")
        let policy = try await directory.visiblePolicy(of: id, for: RoomCaller(caller))
        let epoch = policy.specification.epoch
        let token = try await identity.mintSyncToken(
            roomID: id, epoch: epoch, for: caller, ttlSeconds: Self.syncTokenSeconds)
        return .json(
            TokenReply(syncToken: token.token, epoch: epoch, expiresIn: Self.syncTokenSeconds),
            status: .created)
    }

    private struct Invitation: Decodable {
        /// Who is told of it.
        var user: String?
    }

    private func invite(_ context: GatewayContext) async throws -> Response {
        let caller = try context.requireCaller()
        let id = try context.parameter("id")
        let policy = try await directory.visiblePolicy(of: id, for: RoomCaller(caller))
        let wish = try context.decode(Invitation.self)
        guard policy.specification.kind == .pair, policy.isParticipant(RoomCaller(caller)) else {
            throw HTTPProblem.forbidden("Only members of a pair room invite.")
        }
        if let userID = wish.user, try await identity.account(userID) == nil {
            throw HTTPProblem.invalid("user", "there is no such account", code: "unknown")
        }
        let code = Self.code(randomBytes(12))
        let expiresAtMs = directory.now() + Self.inviteLifetimeMs
        try await rooms.createInvite(
            code: code, roomID: id, createdBy: caller.userID, expiresAtMs: expiresAtMs)
        if let userID = wish.user { try await tell(userID, of: code, to: id, from: caller) }
        return .json(InviteReply(code: code, expiresAt: timestamp(expiresAtMs)), status: .created)
    }

    /// Tells somebody of an invitation, unless they block who makes it: that stays theirs to know.
    private func tell(_ userID: String, of code: String, to roomID: String, from caller: Caller) async throws
    {
        guard try await !blocks.isBlocked(caller.userID, by: userID) else { return }
        let from = #"{"id":"\#(caller.userID)","handle":"\#(caller.handle)"}"#
        events.publish(
            userID: userID, type: "room.invited",
            json: #"{"room_id":"\#(roomID)","code":"\#(code)","from":\#(from)}"#)
    }

    private func accept(_ context: GatewayContext) async throws -> Response {
        let caller = try context.requireCaller()
        let code = try context.parameter("code")
        let gone = HTTPProblem(
            .gone, code: "invite_gone", detail: "This invitation is not known, was used, or has expired.")
        let invitation = try await rooms.invite(code: code, userID: caller.userID, atMs: directory.now())
        guard let invitation, try await !blocks.isBlocked(invitation.createdBy, by: caller.userID),
            let roomID = try await rooms.acceptInvite(
                code: code, userID: caller.userID, atMs: directory.now())
        else { throw gone }
        let policy = try await directory.with(roomID) { room, _ in room.policy }
        if !policy.isParticipant(RoomCaller(caller)) {
            guard policy.specification.participants.count < Self.maximumMembers else {
                throw HTTPProblem.conflict("room_full", "The room has all the members it can have.")
            }
            try await directory.admit(
                Participant(
                    userID: caller.userID, handle: caller.handle, language: policy.specification.language),
                to: roomID)
        }
        let view = try await directory.with(roomID) { room, _ in RoomView(room, RoomCaller(caller)) }
        guard let view else { throw HTTPProblem.notFound("There is no such room.") }
        return .json(view)
    }

    /// 26 letters and digits that are not mistaken for each other, five bits a byte.
    private static func code(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHJKLMNPQRSTUVWXYZ23456789")
        return String(bytes.map { alphabet[Int($0) % alphabet.count] })
    }

    // MARK: Writing

    private struct SubmissionWish: Decodable {
        var language: String
        var document: String?
        var file: String?
        var stateVector: String?
    }

    private func submit(_ context: GatewayContext) async throws -> Response {
        let caller = RoomCaller(try context.requireCaller())
        let id = try context.parameter("id")
        let wish = try context.decode(SubmissionWish.self)
        _ = try await directory.visiblePolicy(of: id, for: caller)
        guard languages.named(wish.language)?.id == wish.language else {
            throw HTTPProblem.invalid("language", "is not a known language", code: "value")
        }
        var stateVector: StateVector?
        if let text = wish.stateVector {
            guard let bytes = Data(base64Encoded: text),
                let decoded = try? StateVector(decoding: [UInt8](bytes))
            else {
                throw HTTPProblem.invalid("state_vector", "is no base64 of a state vector", code: "value")
            }
            stateVector = decoded
        }
        switch try await directory.submit(
            to: id, by: caller, language: wish.language, document: wish.document, file: wish.file,
            stateVector: stateVector)
        {
        case .success(let stored):
            return .json(
                SubmissionReply(
                    id: stored.taken.id, status: "queued",
                    snapshot: .init(
                        document: stored.taken.document, sequence: stored.taken.sequence,
                        sha256: stored.sha256)),
                status: .accepted, headers: [.location: "/api/v1/submissions/\(stored.taken.id)"])
        case .failure(let error): throw HTTPProblem.describing(error.refusal)
        }
    }

    private func forfeit(_ context: GatewayContext) async throws -> Response {
        let caller = RoomCaller(try context.requireCaller())
        let id = try context.parameter("id")
        let policy = try await directory.visiblePolicy(of: id, for: caller)
        guard policy.specification.kind == .battle, policy.isParticipant(caller) else {
            throw HTTPProblem.forbidden("Only a player of the battle can give up.")
        }
        try await directory.with(id) { room, atMs in room.forfeit(caller.userID, atMs: atMs) }
        return Response(status: .accepted)
    }
}

/// Members of a room's documents, as answers name them.
struct DocumentReply: Encodable {
    var name: String
    var access: String
}

private struct Created: Encodable {
    var id: String
    var kind: String
    var documents: [DocumentReply]
    var syncPath: String
    var syncToken: String
    var epoch: Int64
}

private struct TokenReply: Encodable {
    var syncToken: String
    var epoch: Int64
    /// Seconds.
    var expiresIn: Int
}

private struct InviteReply: Encodable {
    var code: String
    var expiresAt: String
}

private struct SubmissionReply: Encodable {
    struct Snapshot: Encodable {
        var document: String
        var sequence: Int64
        var sha256: String
    }

    var id: String
    var status: String
    var snapshot: Snapshot
}
