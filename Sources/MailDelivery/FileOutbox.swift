import Foundation
import Glibc

/// Puts mails into files instead of sending them: what a server does that knows no mail server. Its operator reads
/// the links there. The files can be read by their owner alone.
public struct FileOutbox: Sendable {
    private let folder: String

    public init(folder: String) {
        self.folder = folder
    }

    /// Writes a mail, durable, and answers the path of its file. Of more than `MailLimits.outboxFiles` the oldest go.
    public func put(_ message: MailMessage, id: String) throws(MailError) -> String {
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw MailError("the folder \(folder) cannot be made: \(String(cString: strerror(errno)))")
        }
        let path = "\(folder)/\(id).eml"
        let descriptor = Glibc.open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw MailError("\(path) cannot be made: \(String(cString: strerror(errno)))")
        }
        defer { Glibc.close(descriptor) }
        var rest = Array(message.text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw MailError("\(path) cannot be written: \(String(cString: strerror(errno)))")
            }
            rest = rest.dropFirst(count)
        }
        // The file's name is on disk when its folder is.
        guard fsync(descriptor) == 0, Self.sync(folder: folder) else {
            throw MailError("\(path) cannot be made durable: \(String(cString: strerror(errno)))")
        }
        trim()
        return path
    }

    private static func sync(folder: String) -> Bool {
        let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { Glibc.close(descriptor) }
        return fsync(descriptor) == 0
    }

    /// Names begin with the time, so that the oldest are the first.
    private func trim() {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
            .filter { $0.hasSuffix(".eml") }.sorted()
        for name in names.dropLast(MailLimits.outboxFiles) { unlink("\(folder)/\(name)") }
    }
}

/// Why a mail was not delivered.
public struct MailError: Error, Sendable, CustomStringConvertible {
    public var description: String
    /// Trying again would not help: the server refused the mail for good.
    public var isFinal: Bool

    init(_ description: String, isFinal: Bool = false) {
        self.description = description
        self.isFinal = isFinal
    }
}
