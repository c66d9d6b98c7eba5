import Gateway
import Identity
import Logging
import StorageSQLite

/// What the other parts of an installation are built on: settings, both data bases, the clock and the ids, and where
/// things are counted, told and limited.
struct SharedParts {
    let foundation: ServeFoundation
    let database: CoduelDatabase
    /// The second file of the data folder, `log.db`.
    let roomLog: RoomLogSQLite
    let telemetry: TelemetryParts
    let environment = IdentityEnvironment.system
    let metrics = Metrics()
    let events: UserEvents
    let gatewaySettings: GatewaySettings
    /// One for every way a call comes: a room counts submissions on the allowance of HTTP.
    let limiter: RateLimiter
    let logger: Logger

    var settings: ServeSettings { foundation.settings }
    var now: @Sendable () -> Int64 { environment.now }
    var newID: @Sendable () -> String { environment.newID }

    /// Opens the data bases; the folder is this process's own by now (`DataFolder`).
    init(_ foundation: ServeFoundation, _ telemetry: TelemetryParts, _ logger: Logger) throws {
        self.foundation = foundation
        self.telemetry = telemetry
        self.logger = logger
        database = try CoduelDatabase.open(folder: foundation.data.path)
        roomLog = try RoomLogSQLite(folder: foundation.data.path)
        if roomLog.damagedRows > 0 {
            logger.error(
                "commits of the room log could not be read", metadata: ["rows": "\(roomLog.damagedRows)"])
        }
        events = UserEvents(run: environment.newID().filter { $0 != "-" })
        gatewaySettings = GatewaySettings(foundation)
        limiter = RateLimiter(policies: gatewaySettings.effectiveRatePolicies)
    }
}

extension GatewaySettings {
    /// The HTTP side of what the server was started with.
    fileprivate init(_ foundation: ServeFoundation) {
        let settings = foundation.settings
        self.init(
            host: settings.host, port: settings.port, allowedHosts: settings.allowedHosts,
            allowedOrigins: settings.allowedOrigins, trustedProxies: settings.proxies,
            ratePolicies: settings.ratePolicies, pages: foundation.pages, openAPI: foundation.openAPI,
            logsAccess: settings.telemetry.logsAccess, certificates: foundation.certificates,
            version: coduelVersion)
    }
}
