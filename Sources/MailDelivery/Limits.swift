import NIOCore

/// Every bound of this module.
public enum MailLimits {
    /// Mails that wait to be sent; further ones are dropped and told.
    static let queue = 200
    /// Attempts of one mail, and the pauses between them, seconds.
    static let pauses: [Int64] = [5, 60, 300]
    /// From one command to its answer.
    static let step = TimeAmount.seconds(15)
    /// A line of a mail server's answer (RFC 5321 §4.5.3.1.5 asks for 512), and lines of one answer.
    static let replyLine = 2_048
    static let replyLines = 64
    /// Mails kept in an outbox; the oldest goes.
    static let outboxFiles = 1_000
}
