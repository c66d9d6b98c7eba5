import Foundation
import Glibc
import Identity

/// The keys that seal what is secret in the data base: from `CODUEL_ENCRYPTION_KEY` (or the file that
/// `CODUEL_ENCRYPTION_KEY_FILE` names), else from a file in the data folder that is made when it is missing. Base 64
/// of 32 bytes each, separated by commas or lines; the first encrypts.
struct EncryptionKeys {
    let keys: [[UInt8]]
    /// Where they are kept; nil: not by this program.
    let path: String?

    private static let variable = "CODUEL_ENCRYPTION_KEY"
    private static let name = "encryption.key"

    /// - Throws: `SettingsError` for keys that cannot be read.
    init(dataFolder: String, environment: [String: String]) throws {
        let own = dataFolder + "/" + Self.name
        if let text = environment[Self.variable], !text.isEmpty {
            (keys, path) = (try Self.parse(text, Self.variable), nil)
        } else if let named = environment[Self.variable + "_FILE"], !named.isEmpty {
            (keys, path) = (try Self.parse(try Self.read(named), named), nil)
        } else if FileManager.default.fileExists(atPath: own) {
            (keys, path) = (try Self.parse(try Self.read(own), own), own)
        } else {
            let made = [IdentityEnvironment.system.randomBytes(SecretBox.keyBytes)]
            try Self.write(made, to: own)
            (keys, path) = (made, own)
        }
    }

    func box() throws -> SecretBox {
        guard let box = SecretBox(keys: keys, randomBytes: IdentityEnvironment.system.randomBytes) else {
            throw SettingsError("\(Self.variable) holds no key")
        }
        return box
    }

    /// Puts the keys into the file, in one step.
    static func write(_ keys: [[UInt8]], to path: String) throws {
        let text = keys.map { Data($0).base64EncodedString() }.joined(separator: "\n") + "\n"
        let part = path + ".new"
        unlink(part)
        let descriptor = open(part, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw SettingsError("\(part) cannot be made") }
        defer { close(descriptor) }
        // Whoever has the folder has the file: a command may run as root beside a server that does not.
        var folder = stat()
        if geteuid() == 0, stat((path as NSString).deletingLastPathComponent, &folder) == 0 {
            _ = fchown(descriptor, folder.st_uid, folder.st_gid)
        }
        let count = text.utf8.withContiguousStorageIfAvailable {
            Glibc.write(descriptor, $0.baseAddress, $0.count)
        }
        guard count == text.utf8.count, fsync(descriptor) == 0, rename(part, path) == 0 else {
            throw SettingsError("\(path) cannot be written")
        }
    }

    private static func read(_ path: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw SettingsError("the encryption key \(path) cannot be read")
        }
        return String(decoding: data, as: UTF8.self)
    }

    private static func parse(_ text: String, _ source: String) throws -> [[UInt8]] {
        let keys = try text.split(whereSeparator: { $0 == "," || $0.isWhitespace }).map { word in
            guard let data = Data(base64Encoded: String(word)), data.count == SecretBox.keyBytes else {
                throw SettingsError(
                    "\(source) is not base 64 of 32 bytes, such as `openssl rand -base64 32` prints")
            }
            return Array(data)
        }
        guard !keys.isEmpty else { throw SettingsError("\(source) holds no key") }
        return keys
    }
}
