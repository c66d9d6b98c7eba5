import HTTPTypes
import Hummingbird
import Identity
import Rooms
import SyncProtocol

extension SocketGate {
    /// The key under which the refusal of the same request was remembered.
    func key(_ request: Request, _ context: GatewayContext) -> String {
        RefusalMemory.key(
            address: context.address, uri: request.uri.string, authorization: request.headers[.authorization])
    }

    static func problem(of code: CloseCode) -> HTTPProblem {
        let detail = "This socket was refused a moment ago."
        return switch code.httpStatus {
        case 401: .unauthorized("The token is missing or not valid.", error: "invalid_token")
        case 403: .forbidden(detail)
        case 404: .notFound("There is no such room or document.")
        case 410: HTTPProblem(.gone, code: "reset", detail: "The room was reset: get a new sync token.")
        case 429: .tooManyRequests(detail, retryAfterSeconds: 10)
        default: .unavailable(detail)
        }
    }
}

extension RoomCaller {
    package init(_ caller: Caller) {
        self.init(
            userID: caller.userID, handle: caller.handle, sessionID: caller.sessionID,
            isModerator: !caller.roles.isDisjoint(with: [.moderator, .admin]))
    }
}
