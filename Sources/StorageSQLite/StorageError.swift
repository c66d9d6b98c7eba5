import GRDB

/// The one error of this module.
public struct StorageError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable {
        /// The folder or the file cannot be made or opened.
        case openFailed
        /// The file was written by a newer version of the server.
        case schemaTooNew
        /// `synchronous=FULL` or the write-ahead log could not be had: nothing would be durable.
        case notDurable
        case diskFull
        /// Reading, writing or syncing failed. What was being written is not there.
        case inputOutput
        /// Not a database, damaged, or a row that our own code cannot have written.
        case corrupt
        /// Another process held the file for longer than the busy timeout.
        case busy
        /// The value cannot be stored: it breaks a constraint, or is no JSON number.
        case invalidValue
        /// The caller's task was cancelled before the commit.
        case cancelled
        case failed
    }

    public var code: Code
    public var message: String

    public init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.rawValue): \(message)" }

    /// Any error of a database call, as one of ours.
    package init(_ error: any Error) {
        switch error {
        case let error as StorageError: self = error
        case let error as DatabaseError:
            self.init(code: Self.code(of: error), message: error.message ?? "\(error.resultCode)")
        case is CancellationError: self.init(code: .cancelled, message: "cancelled")
        default: self.init(code: .failed, message: "\(error)")
        }
    }

    private static func code(of error: DatabaseError) -> Code {
        switch error.resultCode {
        case .SQLITE_FULL: .diskFull
        case .SQLITE_IOERR, .SQLITE_READONLY: .inputOutput
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: .corrupt
        case .SQLITE_BUSY, .SQLITE_LOCKED: .busy
        case .SQLITE_CONSTRAINT, .SQLITE_MISMATCH, .SQLITE_TOOBIG: .invalidValue
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH: .openFailed
        case .SQLITE_INTERRUPT: .cancelled
        default: .failed
        }
    }
}
