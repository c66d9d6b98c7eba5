import ArgumentParser
import Foundation
import Logging

/// `coduel serve`: the server.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the server: every role on the embedded default.",
        discussion: """
            Everything is kept in one folder; nothing else is needed.

              coduel serve                                  on http://127.0.0.1:8080, data in ./data
              coduel serve --listen 127.0.0.1:0             on a free port, printed when ready
              coduel serve --open-rooms                     stands in for y-websocket-server: ws://HOST/sync/open
              coduel serve --config coduel.yaml             settings from a file

            Every setting is a flag (--judge-workers 4), a variable (CODUEL_JUDGE_WORKERS=4) and a key of the
            configuration file (judge_workers: 4), in that order of precedence.
            Started as root, the server gives root up before it listens; only the sandbox helper keeps it.
            """)

    @Option(help: "HOST:PORT to listen on; port 0 takes a free one. Default 127.0.0.1:8080.")
    var listen: String?
    @Option(help: "The data folder. Default ./data.")
    var data: String?
    @Option(help: "A YAML file of settings.")
    var config: String?
    @Option(help: "The user to run as when started as root. Default: the data folder's owner, else nobody.")
    var user: String?
    @Option(help: "The parts to run: gateway,rooms,judge. Default all.")
    var roles: String?
    @Option(help: "Folder of the problems that fill an empty catalogue.")
    var problems: String?
    @Option(help: "Folder of the built page.")
    var web: String?
    @Option(help: "The sandbox helper. Default: beside this executable.")
    var sandboxHelper: String?
    @Option(help: "Folders of further language files, comma separated; those in DATA/languages are read too.")
    var languages: String?
    @Flag(help: "Judge although protections of the sandbox are missing here (see coduel doctor).")
    var allowWeakIsolation = false
    @Option(help: "Submissions judged at the same time. Default 2.")
    var judgeWorkers: String?
    @Option(
        name: .customLong("casual-spectator-delay-s"),
        help: "Delay of watchers of casual battles. Default 15.")
    var casualSpectatorDelay: String?
    @Option(name: .customLong("battle-duration-s"), help: "Length of a battle. Default 1800.")
    var battleDuration: String?
    @Option(help: "Whether guests may play: true or false. Default true.")
    var guests: String?
    @Flag(help: "Serve /sync/open/NAME to anyone, without accounts.")
    var openRooms = false
    @Flag(help: "Serve /conformance/echo, for the Autobahn suite.")
    var conformanceEcho = false
    @Option(help: "Address blocks of TLS proxies in front: 10.0.0.0/8,… Their X-Forwarded-For is believed.")
    var behindProxy: String?
    @Option(name: .customLong("tls-certificate"), help: "The certificate chain of the listener, PEM.")
    var tlsCertificate: String?
    @Option(name: .customLong("tls-key"), help: "Its private key, PEM. Both are read again when they change.")
    var tlsKey: String?
    @Flag(help: "Listen beyond loopback without TLS.")
    var insecure = false
    @Flag(help: "Yes, --open-rooms or --conformance-echo beyond loopback.")
    var iKnow = false
    @Option(help: "Further host names this server is reached by, comma separated.")
    var allowedHosts: String?
    @Option(help: "Pages of other origins that may call it, comma separated.")
    var allowedOrigins: String?
    @Flag(help: "Let webhooks call private addresses, and plain http.")
    var webhooksAllowPrivate = false
    @Option(name: .customLong("webhooks-ca"), help: "A PEM file of authorities that webhooks trust too.")
    var webhooksAuthorities: String?
    @Option(
        name: .customLong("oidc"),
        help: "Providers of OpenID Connect: NAME=ISSUER CLIENT-ID, comma separated.")
    var openID: String?
    @Flag(
        name: .customLong("oidc-allow-private"), help: "Let providers have private addresses, and plain http."
    )
    var openIDAllowPrivate = false
    @Option(name: .customLong("oidc-ca"), help: "A PEM file of authorities that providers may have.")
    var openIDAuthorities: String?
    @Option(name: .customLong("public-url"), help: "Where people reach this server, for links in mails.")
    var publicURL: String?
    @Option(help: "The mail server: smtp://USER@HOST:587 or smtps://HOST. Default: mails go to DATA/outbox.")
    var smtp: String?
    @Option(help: "The address that mails come from.")
    var mailFrom: String?
    @Option(name: .customLong("mail-ca"), help: "A PEM file of authorities that the mail client trusts too.")
    var mailAuthorities: String?
    @Option(help: "Days after which a new key signs tokens. Default 90.")
    var keyRotationDays: String?
    @Option(help: "trace, debug, info, notice, warning, error or critical. Default info.")
    var logLevel: String?
    @Option(help: "auto, text or json (Elastic Common Schema). Default auto: text on a terminal.")
    var logFormat: String?
    @Option(help: "Whether calls are lines of the log: true or false. Default true.")
    var accessLog: String?
    @Option(help: "Base URL of an OTLP/HTTP collector of traces: http://127.0.0.1:4318. Default none.")
    var traceCollector: String?
    @Option(help: "Percent of the traces begun here that are recorded. Default 100.")
    var tracePercent: String?
    @Option(help: "registrations=60/600,logins=30/60,… calls per seconds.")
    var rateLimits: String?
    @Option(help: "document_bytes=16777216,sockets_per_user=256,… bounds of rooms and sync sockets.")
    var syncLimits: String?

    /// What `prepare` made; not an argument.
    private var prepared = Box()

    private final class Box: Codable {
        var foundation: ServeFoundation?
        init() {}
        required init(from decoder: any Decoder) throws {}
        func encode(to encoder: any Encoder) throws {}
    }

    private var flags: [SettingKey: String] {
        var flags: [SettingKey: String] = [:]
        flags[.listen] = listen
        flags[.data] = data
        flags[.user] = user
        flags[.roles] = roles
        flags[.problems] = problems
        flags[.web] = web
        flags[.sandboxHelper] = sandboxHelper
        flags[.judgeWorkers] = judgeWorkers
        flags[.casualSpectatorDelay] = casualSpectatorDelay
        flags[.battleDuration] = battleDuration
        flags[.guests] = guests
        flags[.behindProxy] = behindProxy
        flags[.allowedHosts] = allowedHosts
        flags[.allowedOrigins] = allowedOrigins
        flags[.webhooksAuthorities] = webhooksAuthorities
        flags[.openID] = openID
        flags[.openIDAuthorities] = openIDAuthorities
        flags[.publicURL] = publicURL
        flags[.tlsCertificate] = tlsCertificate
        flags[.tlsKey] = tlsKey
        flags[.smtp] = smtp
        flags[.mailFrom] = mailFrom
        flags[.mailAuthorities] = mailAuthorities
        flags[.keyRotation] = keyRotationDays
        flags[.logLevel] = logLevel
        flags[.logFormat] = logFormat
        flags[.accessLog] = accessLog
        flags[.traceCollector] = traceCollector
        flags[.tracePercent] = tracePercent
        flags[.rateLimits] = rateLimits
        flags[.syncLimits] = syncLimits
        let switches: [(SettingKey, Bool)] = [
            (.allowWeakIsolation, allowWeakIsolation), (.openRooms, openRooms),
            (.conformanceEcho, conformanceEcho), (.insecure, insecure), (.iKnow, iKnow),
            (.webhooksAllowPrivate, webhooksAllowPrivate), (.openIDAllowPrivate, openIDAllowPrivate),
        ]
        for (key, isSet) in switches where isSet { flags[key] = "true" }
        return flags
    }

    /// On the main thread, before any other thread: settings, the sandbox helper, the data folder, giving up root.
    func prepare() throws {
        let sources = try SettingsSources(
            flags: flags, environment: ProcessInfo.processInfo.environment, configurationPath: config)
        prepared.foundation = try ServeFoundation(try ServeSettings(sources))
    }

    func run() async throws {
        guard let foundation = prepared.foundation else { throw SettingsError("serve was not prepared") }
        let telemetry = try TelemetryParts(foundation.settings.telemetry)
        telemetry.startLogging()
        defer { telemetry.log.flush() }
        try await Installation.run(foundation, telemetry)
    }
}
