import Foundation
import Identity

/// A mail as it travels (RFC 5322, RFC 2045): one text part, base64, so that any text is plain ASCII and no line can
/// end the message or add a field.
public struct MailMessage: Sendable, Equatable {
    public var sender: String
    public var recipient: String
    /// With line ends of carriage return and line feed.
    public var text: String

    /// Nil when sender or recipient cannot stand in an envelope.
    ///
    /// - Parameters:
    ///   - date: as RFC 5322 writes it.
    ///   - id: unique, of letters, digits and dashes.
    public init?(_ mail: OutgoingMail, from sender: String, date: String, id: String) {
        guard Self.isAddress(sender), Self.isAddress(mail.recipient),
            mail.subject.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }), let at = sender.lastIndex(of: "@")
        else { return nil }
        self.sender = sender
        recipient = mail.recipient
        let fields = [
            "From: Coduel <\(sender)>", "To: <\(mail.recipient)>", "Subject: \(mail.subject)",
            "Date: \(date)",
            "Message-ID: <\(id)@\(sender[sender.index(after: at)...])>", "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64",
            "Auto-Submitted: auto-generated",
        ]
        text = (fields + [""] + Self.base64Lines(Array(mail.text.utf8))).joined(separator: "\r\n") + "\r\n"
    }

    /// Printable ASCII without what an envelope gives a meaning to.
    static func isAddress(_ text: String) -> Bool {
        text.utf8.count <= 254 && text.utf8.contains(UInt8(ascii: "@"))
            && text.utf8.allSatisfy {
                $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">")
            }
    }

    private static func base64Lines(_ bytes: [UInt8]) -> [String] {
        stride(from: 0, to: bytes.count, by: 57).map {
            Data(bytes[$0..<min($0 + 57, bytes.count)]).base64EncodedString()
        }
    }
}
