import HTTPTypes
import Identity
import Judging
import Matchmaking
import Problems
import SyncProtocol

extension HTTPProblem {
    /// The one mapping from any module's error to what the caller is told. An error that is not known here is our
    /// own fault: 500, and nothing of it is told.
    package static func describing(_ error: any Error) -> HTTPProblem {
        switch error {
        case let problem as HTTPProblem: problem
        case let error as IdentityError: describing(error)
        case let error as ProblemsError: describing(error)
        case let error as JudgingError: describing(error)
        case let error as MatchmakingError: describing(error)
        case let refusal as DoorRefusal: describing(refusal)
        case is CancellationError: .unavailable("The request was given up.")
        default: .internalError
        }
    }

    private static func describing(_ error: IdentityError) -> HTTPProblem {
        let name = snakeCase(error.code.rawValue)
        switch error.code {
        case .invalidHandle, .invalidEmail, .weakPassword, .invalidRole, .invalidFields:
            let faults = error.fieldErrors.map {
                FieldFault(field: $0.field, message: $0.message, code: "invalid")
            }
            return HTTPProblem(.unprocessableContent, code: name, detail: error.message, errors: faults)
        case .handleTaken, .emailTaken:
            let faults = error.fieldErrors.map {
                FieldFault(field: $0.field, message: $0.message, code: "taken")
            }
            return HTTPProblem(.conflict, code: name, detail: error.message, errors: faults)
        case .secondFactorRequired:
            return .unauthorized(error.message, error: name)
        case .badCredentials:
            return .unauthorized(error.message, error: "bad_credentials")
        case .invalidToken:
            return .unauthorized(error.message, error: "invalid_token")
        case .sessionEnded:
            var problem = HTTPProblem.unauthorized(error.message, error: "invalid_token")
            problem.code = name
            return problem
        case .loginRefused:
            return HTTPProblem(.unprocessableContent, code: name, detail: error.message)
        case .identityTaken, .lastIdentity:
            return .conflict(name, error.message)
        case .guestsDisabled, .banned, .notAllowed:
            return .forbidden(error.message, code: name)
        case .tooManyAttempts:
            return .tooManyRequests(error.message, retryAfterSeconds: error.retryAfterSeconds ?? 1)
        case .notFound:
            return .notFound(error.message)
        case .unavailable:
            return .unavailable(error.message, retryAfterSeconds: error.retryAfterSeconds ?? 1)
        }
    }

    private static func describing(_ error: ProblemsError) -> HTTPProblem {
        switch error.code {
        case .invalidPackage, .unreadablePackage:
            let faults = error.faults.map { FieldFault(field: $0.path, message: $0.message, code: "package") }
            return HTTPProblem(
                .unprocessableContent, code: snakeCase(error.code.rawValue),
                detail: "The problem package has faults; nothing of it was stored.", errors: faults)
        case .notFound:
            return .notFound("There is no such problem.")
        case .unavailable:
            return .unavailable("The problem catalogue is not available; try again.")
        }
    }

    private static func describing(_ error: JudgingError) -> HTTPProblem {
        let name = snakeCase(error.code.rawValue)
        switch error.code {
        case .unknownLanguage, .languageUnavailable, .languageNotAllowed:
            return .invalid("language", error.message, code: name)
        case .sourceTooLarge: return .invalid("source", error.message, code: name)
        case .inputTooLarge: return .invalid("stdin", error.message, code: name)
        case .problemNotFound: return .notFound("There is no such problem.")
        case .queueFull: return .unavailable(error.message, retryAfterSeconds: 5)
        case .stopping: return .unavailable(error.message, retryAfterSeconds: 5)
        case .unavailable: return .unavailable("The judge is not available; try again.")
        }
    }

    private static func describing(_ error: MatchmakingError) -> HTTPProblem {
        switch error.code {
        case .invalidLanguages: .invalid("languages", error.message, code: error.code.rawValue)
        case .invalidTopics: .invalid("topics", error.message, code: error.code.rawValue)
        case .ratedNeedsAccount: .forbidden(error.message, code: error.code.rawValue)
        case .alreadyWaiting, .alreadyMatched: .conflict(error.code.rawValue, error.message)
        case .ticketNotFound: .notFound(error.message)
        case .invalidOutcome: .internalError
        case .poolFull: .unavailable(error.message, retryAfterSeconds: 5)
        case .unavailable: .unavailable(error.message)
        }
    }

    static func snakeCase(_ name: String) -> String {
        var result = ""
        for character in name {
            if character.isASCII, character.isUppercase {
                result += "_" + character.lowercased()
            } else {
                result.append(character)
            }
        }
        return result
    }
}
