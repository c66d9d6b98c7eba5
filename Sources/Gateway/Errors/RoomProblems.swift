import HTTPTypes
import Rooms
import SyncProtocol

extension HTTPProblem {
    static func describing(_ refusal: DoorRefusal) -> HTTPProblem {
        switch refusal.code {
        case .unauthenticated: .unauthorized(refusal.reason, error: "invalid_token")
        case .forbidden: .forbidden(refusal.reason)
        case .notFound: .notFound(refusal.reason)
        case .reset: HTTPProblem(.gone, code: "reset", detail: refusal.reason)
        case .tooBig: HTTPProblem(.contentTooLarge, code: "too_large", detail: refusal.reason)
        case .tooFast: .tooManyRequests(refusal.reason, retryAfterSeconds: 1)
        case .goingAway, .restarting, .tryAgainLater, .idle: .unavailable(refusal.reason)
        }
    }

    static func describing(_ refusal: SubmissionRefusal) -> HTTPProblem {
        switch refusal {
        case .documentBehind:
            .conflict(refusal.code, "The document does not cover the state vector; send the edits first.")
        case .noSuchDocument: .notFound("There is no such document.")
        case .notAllowed: .forbidden("Only whoever writes in the document submits it.")
        case .invalidFile(let reason): .invalid("file", reason, code: refusal.code)
        case .noProblem: .conflict(refusal.code, "The room has no problem to submit to.")
        case .diskFull:
            HTTPProblem(
                HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage"), code: refusal.code,
                detail: "The server's disk is full; the room is read-only until there is space.",
                headers: [.retryAfter: "5"])
        case .unavailable: .unavailable("The submission could not be stored; try again.")
        case .battle(.tooSoon(let retryAfterMs)):
            HTTPProblem(
                .tooManyRequests, code: refusal.code, detail: "Wait before the next submission.",
                headers: [.retryAfter: String((retryAfterMs + 999) / 1_000)])
        case .battle(.notAPlayer): .forbidden("Only players submit.")
        case .battle: .conflict(refusal.code, "The battle takes no submission of yours now: \(refusal.code).")
        }
    }
}
