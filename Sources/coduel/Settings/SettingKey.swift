/// Every setting of `serve`, by its name: `--NAME` as a flag, `CODUEL_NAME` in the environment, `NAME` in the
/// configuration file (with `_` or `-`).
enum SettingKey: String, CaseIterable {
    case listen, data, user, roles, problems, web
    case sandboxHelper = "sandbox-helper"
    /// Folders of language files beside those that come with the server; later ones replace earlier ones.
    case languages
    case allowWeakIsolation = "allow-weak-isolation"
    case judgeWorkers = "judge-workers"
    case casualSpectatorDelay = "casual-spectator-delay-s"
    case battleDuration = "battle-duration-s"
    case guests
    case openRooms = "open-rooms"
    case conformanceEcho = "conformance-echo"
    case behindProxy = "behind-proxy"
    /// PEM files of the listener's certificate chain and key.
    case tlsCertificate = "tls-certificate"
    case tlsKey = "tls-key"
    case insecure
    case iKnow = "i-know"
    case allowedHosts = "allowed-hosts"
    case allowedOrigins = "allowed-origins"
    case webhooksAllowPrivate = "webhooks-allow-private"
    /// Certificate authorities that webhooks trust besides the system's.
    case webhooksAuthorities = "webhooks-ca"
    /// `corp=https://id.corp.example CLIENT-ID,…`: providers of OpenID Connect, by name.
    case openID = "oidc"
    case openIDAllowPrivate = "oidc-allow-private"
    case openIDAuthorities = "oidc-ca"
    /// Where people reach this server: the links in mails begin with it.
    case publicURL = "public-url"
    /// `smtp://user@host:587` or `smtps://host`; without it mails go into files.
    case smtp
    case mailFrom = "mail-from"
    case mailAuthorities = "mail-ca"
    case keyRotation = "key-rotation-days"
    case logLevel = "log-level"
    case logFormat = "log-format"
    case accessLog = "access-log"
    /// The base URL of an OTLP/HTTP collector: `http://127.0.0.1:4318`.
    case traceCollector = "trace-collector"
    /// Share of the traces begun here that are recorded, percent.
    case tracePercent = "trace-percent"
    /// `registrations=60/600,logins=30/60`: calls per seconds.
    case rateLimits = "rate-limits"
    /// `document_bytes=16777216,sockets_per_user=64`: see `SyncLimitSettings`.
    case syncLimits = "sync-limits"

    var environmentName: String {
        "CODUEL_" + rawValue.uppercased().replacing("-", with: "_")
    }

    init?(fileKey: String) {
        self.init(rawValue: fileKey.replacing("_", with: "-"))
    }
}
