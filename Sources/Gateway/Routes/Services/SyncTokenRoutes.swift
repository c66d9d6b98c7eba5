import HTTPTypes
import Hummingbird
import Identity
import Rooms
import SyncServer

/// `POST /sync-tokens`: a service account lets a user of its own product into a document of its own.
package struct SyncTokenRoutes: Sendable {
    private let services: ServiceAccountService
    private let directory: RoomDirectory
    private let rooms: any HostedRoomStore

    package init(
        services: ServiceAccountService, directory: RoomDirectory, rooms: any HostedRoomStore
    ) {
        self.services = services
        self.directory = directory
        self.rooms = rooms
    }

    package var routes: [Route] {
        [
            Route(
                .post, "/api/v1/sync-tokens", body: .json(limit: GatewayLimits.jsonBody), limits: [.reads],
                scope: .syncTokens
            ) { _, context in try await mint(context) }
        ]
    }

    private struct Wish: Decodable {
        enum Access: String, Decodable { case read, write }

        struct User: Decodable {
            var id: String
            var name: String?
        }

        var document: String
        var access: Access
        var user: User
        var ttlS: Int?
    }

    private func mint(_ context: GatewayContext) async throws -> Response {
        let caller = try context.requireCaller()
        guard caller.scopes != nil else {
            throw HTTPProblem.forbidden("Only service accounts let others in.", code: "not_a_service_account")
        }
        let wish = try context.decode(Wish.self)
        try Self.check(wish)
        let account = try await services.account(caller.userID)
        let roomID = Self.roomID(of: wish.document, account.id)
        guard
            let room = try await directory.openHosted(
                wish.document, roomID: roomID, of: account.id, atMost: account.quotas.documents, in: rooms)
        else {
            throw HTTPProblem.conflict("too_many_documents", "The account has all the documents it can have.")
        }
        let minted = try await services.mintSyncToken(
            roomID: room.id, epoch: room.epoch, by: caller, mayWrite: wish.access == .write,
            userID: wish.user.id, userName: wish.user.name ?? wish.user.id,
            ttlSeconds: wish.ttlS ?? GatewayLimits.serviceTokenSeconds)
        return .json(
            Reply(
                roomId: room.id, document: DocumentName.main,
                syncPath: "/sync/\(room.id)/\(DocumentName.main)", syncToken: minted.token, epoch: room.epoch,
                expiresIn: minted.expiresInSeconds), status: .created)
    }

    private static func check(_ wish: Wish) throws(HTTPProblem) {
        func check(_ text: String, _ field: String, _ range: ClosedRange<Int>) throws(HTTPProblem) {
            guard range.contains(text.utf8.count), !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F })
            else {
                throw .invalid(
                    field, "has \(range.lowerBound) to \(range.upperBound) bytes, no control characters",
                    code: "length")
            }
        }
        try check(wish.document, "document", 1...GatewayLimits.hostedNameBytes)
        try check(wish.user.id, "user.id", 1...GatewayLimits.externalUserBytes)
        try check(wish.user.name ?? "", "user.name", 0...GatewayLimits.externalUserBytes)
        if let ttl = wish.ttlS, !(1...Identity.Limits.syncTokenSeconds).contains(ttl) {
            throw .invalid("ttl_s", "is from 1 to \(Identity.Limits.syncTokenSeconds)", code: "range")
        }
    }

    /// The same for the same account and name, and not to be guessed from one of them.
    package static func roomID(of document: String, _ accountID: String) -> String {
        "h-" + Hashing.sha256Hex(Array("\(accountID)/\(document)".utf8)).prefix(32)
    }

    private struct Reply: Encodable {
        var roomId: String
        var document: String
        var syncPath: String
        var syncToken: String
        var epoch: Int64
        /// Seconds.
        var expiresIn: Int
    }
}
