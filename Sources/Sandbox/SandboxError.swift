/// Why the sandbox could not be started.
public struct SandboxError: Error, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable {
        case helperNotFound = "helper_not_found"
        case helperFailed = "helper_failed"
        case invalidLanguage = "invalid_language"
        case invalidSlots = "invalid_slots"
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
