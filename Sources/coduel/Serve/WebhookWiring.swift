import Identity
import Judging
import Logging
import NIOPosix
import OutboundHTTP
import Rooms
import StorageSQLite
import SyncServer
import Webhooks

/// Webhooks of an installation: what takes events, what delivers them, and what they go out by.
struct WebhookParts {
    let inbox: WebhookInbox
    let dispatcher: WebhookDispatcher
    let store: WebhookStoreSQLite
    let client: OutboundClient

    init(
        _ settings: ServeSettings, _ database: CoduelDatabase, _ secrets: SecretBox,
        _ environment: IdentityEnvironment, _ logger: Logger
    ) throws {
        let client: OutboundClient
        do throws(OutboundError) {
            client = try OutboundClient(
                allowsPrivate: settings.webhooksAllowPrivate, authorities: settings.webhookAuthorities,
                group: MultiThreadedEventLoopGroup.singleton)
        } catch {
            throw SettingsError("webhooks-ca: \(error)")
        }
        self.client = client
        inbox = WebhookInbox(now: environment.now, newID: environment.newID)
        store = WebhookStoreSQLite(database, box: secrets)
        dispatcher = WebhookDispatcher(
            store: store, inbox: inbox,
            ports: WebhookPorts(
                send: { request in
                    do throws(OutboundError) {
                        return .status(
                            try await client.post(request.url, headers: request.headers, body: request.body))
                    } catch {
                        return .failed(error.description)
                    }
                },
                sign: { secret, message in
                    Hashing.hmacSHA256Hex(key: Array(secret.utf8), message)
                },
                now: environment.now, newID: environment.newID,
                random: { UInt64.random(in: .min ... .max) },
                pause: { try await Task.sleep(for: .milliseconds($0)) }, timestamp: timestamp,
                alarm: { text in logger.error("\(text)") }))
    }

    /// What rooms tell.
    var roomActivity: @Sendable (RoomSpecification, RoomHooks.Activity) -> Void {
        { [inbox] room, activity in
            // Anyone may make an open room: nobody is told of them.
            guard room.kind != .open else { return }
            let owner = room.kind == .hosted ? room.ownerID : nil
            switch activity {
            case .occupied(let isOccupied): inbox.occupied(isOccupied, room: room.id, ownerID: owner)
            case .changed(let documents): inbox.changed(documents, room: room.id, ownerID: owner)
            }
        }
    }

    /// A submission has its verdict. Whose it is and how it ended is shown in the room at once, its text is not told.
    func finished(_ submission: Submission) {
        guard let judgement = submission.judgement else { return }
        func quoted(_ text: String?) -> String { text.map { "\"\($0)\"" } ?? "null" }
        // Ids and names of verdicts and languages need no escapes.
        inbox.happened(
            .submissionFinished, ownerID: nil,
            data: "{\"id\":\(quoted(submission.id)),\"user_id\":\(quoted(submission.userID)),"
                + "\"room_id\":\(quoted(submission.origin?.roomID)),"
                + "\"problem_id\":\(quoted(submission.problemID)),"
                + "\"language\":\(quoted(submission.language)),"
                + "\"verdict\":\(quoted(judgement.verdict.rawValue))}")
    }

}
