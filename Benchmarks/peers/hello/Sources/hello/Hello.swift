import Glibc
import Hummingbird
import Logging

/// Answers `GET /` with a few bytes, on a free port that it prints.
@main
struct Hello {
    static func main() async throws {
        var logger = Logger(label: "hello")
        logger.logLevel = .warning
        let router = Router()
        router.get("/") { _, _ in "hello" }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                print("hello listening on http://127.0.0.1:\(channel.localAddress?.port ?? 0)")
                // Whoever started it waits for this line.
                fflush(nil)
            }, logger: logger)
        try await application.runService()
    }
}
