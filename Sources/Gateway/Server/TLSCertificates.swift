import Foundation
import NIOSSL
import Synchronization

/// The certificate of the listener, read from PEM files, and read again when they change: a renewed certificate serves
/// the next connection without a restart.
package final class TLSCertificates: Sendable {
    private struct Stamp: Equatable {
        var modified: Date?
        var size: Int64?
        var node: UInt64?
    }

    private let chainPath: String
    private let keyPath: String
    private let state: Mutex<(context: NIOSSLContext, stamps: [Stamp])>

    /// - Throws: when a file cannot be read, or the key is not the certificate's.
    package init(chain: String, key: String) throws {
        chainPath = chain
        keyPath = key
        let stamps = [Self.stamp(chain), Self.stamp(key)]
        state = Mutex((try Self.load(chain, key), stamps))
    }

    /// For the next connection.
    package var context: NIOSSLContext { state.withLock { $0.context } }

    /// Takes up changed files; true when it did. Files that do not fit together (one of the two is still to be
    /// replaced) are an error, and the old certificate goes on serving.
    package func reloadIfChanged() throws -> Bool {
        let stamps = [Self.stamp(chainPath), Self.stamp(keyPath)]
        guard stamps != state.withLock({ $0.stamps }) else { return false }
        let context = try Self.load(chainPath, keyPath)
        state.withLock { $0 = (context, stamps) }
        return true
    }

    private static func load(_ chain: String, _ key: String) throws -> NIOSSLContext {
        let certificates = try NIOSSLCertificate.fromPEMFile(chain).map {
            NIOSSLCertificateSource.certificate($0)
        }
        let privateKey = try NIOSSLPrivateKey(file: key, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificates, privateKey: .privateKey(privateKey))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["h2", "http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }

    private static func stamp(_ path: String) -> Stamp {
        // A link is followed: renewers replace what it points to.
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let found = try? FileManager.default.attributesOfItem(atPath: target)
        return Stamp(
            modified: found?[.modificationDate] as? Date, size: (found?[.size] as? NSNumber)?.int64Value,
            node: (found?[.systemFileNumber] as? NSNumber)?.uint64Value)
    }
}
