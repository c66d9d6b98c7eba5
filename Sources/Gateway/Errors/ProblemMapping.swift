import HTTPTypes
import Identity

extension HTTPProblem {
    /// The one mapping from any module's error to what the caller is told. An error that is not known here is our
    /// own fault: 500, and nothing of it is told.
    package static func describing(_ error: any Error) -> HTTPProblem {
        switch error {
        case let problem as HTTPProblem: problem
        case let error as IdentityError: describing(error)
        case is CancellationError: .unavailable("The request was given up.")
        default: .internalError
        }
    }

    private static func describing(_ error: IdentityError) -> HTTPProblem {
        let name = snakeCase(error.code.rawValue)
        switch error.code {
        case .invalidHandle, .invalidEmail, .weakPassword, .invalidRole:
            let faults = error.fieldErrors.map {
                FieldFault(field: $0.field, message: $0.message, code: "invalid")
            }
            return HTTPProblem(.unprocessableContent, code: name, detail: error.message, errors: faults)
        case .handleTaken, .emailTaken:
            let faults = error.fieldErrors.map {
                FieldFault(field: $0.field, message: $0.message, code: "taken")
            }
            return HTTPProblem(.conflict, code: name, detail: error.message, errors: faults)
        case .badCredentials:
            return .unauthorized(error.message, error: "bad_credentials")
        case .invalidToken:
            return .unauthorized(error.message, error: "invalid_token")
        case .sessionEnded:
            var problem = HTTPProblem.unauthorized(error.message, error: "invalid_token")
            problem.code = name
            return problem
        case .guestsDisabled:
            return .forbidden(error.message, code: name)
        case .tooManyAttempts:
            return .tooManyRequests(error.message, retryAfterSeconds: error.retryAfterSeconds ?? 1)
        case .notFound:
            return .notFound(error.message)
        case .unavailable:
            return .unavailable(error.message, retryAfterSeconds: error.retryAfterSeconds ?? 1)
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
