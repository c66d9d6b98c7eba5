/// A mail that the server sends: plain text to one address.
public struct OutgoingMail: Sendable, Equatable {
    public var recipient: String
    public var subject: String
    /// Lines end with a line feed.
    public var text: String

    public init(recipient: String, subject: String, text: String) {
        self.recipient = recipient
        self.subject = subject
        self.text = text
    }
}

/// Takes a mail for delivery. It must not block, and failures are its own to tell: nobody who asked for a mail learns
/// whether one was sent.
public typealias MailPort = @Sendable (OutgoingMail) -> Void

/// The mails that accounts are sent.
enum AccountMail {
    static func verification(to email: String, handle: String, url: String, code: String) -> OutgoingMail {
        OutgoingMail(
            recipient: email, subject: "Confirm your e-mail address",
            text: """
                Hello \(handle),

                somebody, hopefully you, gave this address for an account on \(url). Open this page to confirm it:

                \(url)/#/verify-email/\(code)

                The link is good for a day, and once. If it was not you, there is nothing to do.

                """)
    }

    static func reset(to email: String, handle: String, url: String, code: String) -> OutgoingMail {
        OutgoingMail(
            recipient: email, subject: "Choose a new password",
            text: """
                Hello \(handle),

                somebody, hopefully you, wants a new password for your account on \(url). Open this page to choose it:

                \(url)/#/reset-password/\(code)

                The link is good for 30 minutes, and once; all devices are logged out with it. If it was not you, there
                is nothing to do: your password stays.

                """)
    }

    static func passwordChanged(to email: String, handle: String, url: String) -> OutgoingMail {
        OutgoingMail(
            recipient: email, subject: "Your password was changed",
            text: """
                Hello \(handle),

                the password of your account on \(url) was changed. If it was not you, ask for a new one at once:

                \(url)/#/reset-password

                """)
    }
}

/// How many mails each account was sent in the present hour: an address must not be flooded by whoever knows it. In
/// memory, bounded.
struct MailQuota: Sendable {
    private var hour: Int64 = 0
    private var sent: [String: Int] = [:]

    /// Whether one more may go out; counts it.
    mutating func take(_ userID: String, atMs: Int64) -> Bool {
        let now = atMs / 3_600_000
        if now != hour { (hour, sent) = (now, [:]) }
        guard sent[userID] != nil || sent.count < Limits.mailedAccounts else { return false }
        guard sent[userID, default: 0] < Limits.mailsPerHour else { return false }
        sent[userID, default: 0] += 1
        return true
    }
}
