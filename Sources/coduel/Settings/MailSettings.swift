import MailDelivery

/// How mails leave the server.
struct MailSettings {
    /// Nil: into files.
    var server: SMTPServer?
    var sender = "coduel@localhost"
    var authorities: String?

    init() {}

    init(_ sources: SettingsSources) throws {
        if let sender = sources.text(.mailFrom) {
            guard sender.contains("@"), sender.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw SettingsError(
                    "mail-from is \"\(sender)\"; it takes an address such as coduel@code.example")
            }
            self.sender = sender
        }
        authorities = sources.text(.mailAuthorities)
        guard let url = sources.text(.smtp) else { return }
        // A password in a URL would stand in lists of processes.
        guard
            url.split(separator: "@").first?.drop(while: { $0 != "/" }).contains(":") != true
                || !url.contains("@")
        else { throw SettingsError("smtp holds a password; put it into CODUEL_SMTP_PASSWORD or …_FILE") }
        let password = try sources.secret(.smtpPassword)
        let isHere = ["localhost", "127.0.0.1"].contains {
            url.hasSuffix("/\($0)") || url.contains("/\($0):")
        }
        guard let server = SMTPServer(url: url, password: password, allowsPlain: isHere && password == nil)
        else {
            throw SettingsError("smtp is \"\(url)\"; it takes smtp://USER@HOST:587 or smtps://USER@HOST")
        }
        self.server = server
    }
}
