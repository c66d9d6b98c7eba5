/// The error of everything that takes work to the judge.
public struct JudgingError: Error, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable {
        /// The queue, or the user's share of it, is full; try again later.
        case queueFull
        case unknownLanguage
        /// The language is known, but its tools are not installed here.
        case languageUnavailable
        /// The problem does not allow the language.
        case languageNotAllowed
        case sourceTooLarge
        case inputTooLarge
        case problemNotFound
        /// The judge is shutting down.
        case stopping
        /// A store failed; nothing was taken.
        case unavailable
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
