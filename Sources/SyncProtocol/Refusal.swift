/// Why a write was refused; the socket is in quarantine from then on. Said as `reset:CODE`.
public enum WriteRefusal: String, Sendable, CaseIterable {
    case malformed
    case tooLarge = "too_large"
    case foreignClient = "foreign_client"
    case documentFull = "document_full"
    case gap
    case readOnly = "read_only"
    case epoch
    /// The log takes no more for now. No quarantine: when it does again, the server asks for what was refused.
    case diskFull = "disk_full"

    public var reason: String { "reset:\(rawValue)" }
}

/// WebSocket close codes of the contract.
public enum CloseCode: UInt16, Sendable {
    case goingAway = 1001
    case tooBig = 1009
    case restarting = 1012
    case tryAgainLater = 1013
    case reset = 4205
    case unauthenticated = 4401
    case forbidden = 4403
    case notFound = 4404
    case idle = 4408
    case tooFast = 4429

    /// The HTTP status by which a repeated refusal is answered at the upgrade.
    public var httpStatus: Int {
        switch self {
        case .unauthenticated: 401
        case .forbidden: 403
        case .notFound: 404
        case .reset: 410
        case .tooFast: 429
        case .goingAway, .tooBig, .restarting, .tryAgainLater, .idle: 503
        }
    }
}

/// A refusal at the door: said in band, then the socket is closed with the code.
public struct DoorRefusal: Error, Equatable, Sendable {
    public var code: CloseCode
    public var reason: String

    public init(_ code: CloseCode, _ reason: String) {
        self.code = code
        self.reason = reason
    }
}
