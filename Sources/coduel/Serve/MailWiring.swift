import Foundation
import Identity
import Logging
import MailDelivery
import NIOPosix

extension MailDispatcher {
    /// The dispatcher of an installation.
    convenience init(
        _ settings: ServeSettings, dataFolder: String, _ environment: IdentityEnvironment, _ logger: Logger
    ) throws {
        let way: Way
        if let server = settings.mail.server {
            do throws(MailError) {
                way = .server(
                    try SMTPClient(
                        server, authorities: settings.mail.authorities,
                        group: MultiThreadedEventLoopGroup.singleton))
            } catch {
                throw SettingsError("mail-ca: \(error)")
            }
        } else {
            way = .outbox(FileOutbox(folder: dataFolder + "/outbox"))
        }
        self.init(
            way, sender: settings.mail.sender,
            ports: Ports(
                now: environment.now, newID: environment.newID, date: Self.date,
                pause: { try await Task.sleep(for: .seconds($0)) }, note: { logger.notice("\($0)") }))
    }

    private static let date: @Sendable (Int64) -> String = { ms in
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss '+0000'"
        return formatter.string(from: Date(timeIntervalSince1970: Double(ms) / 1_000))
    }
}
