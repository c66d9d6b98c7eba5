/// Why bytes from outside were refused. The document they were meant for is unchanged.
public struct UpdateError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable {
        /// The bytes are not what the format allows.
        case malformed
        /// A cap was reached: bytes, structs, clients, clocks, nesting, roots.
        case tooLarge
        /// A feature of the format that this engine does not read.
        case unsupported
    }

    public var code: Code
    /// Byte offset at which the fault was seen.
    public var offset: Int
    public var message: String

    public init(code: Code, offset: Int, message: String) {
        self.code = code
        self.offset = offset
        self.message = message
    }

    public var description: String { "\(code.rawValue) at byte \(offset): \(message)" }
}
