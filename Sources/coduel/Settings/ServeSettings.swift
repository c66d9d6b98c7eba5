import Foundation
import Gateway

/// What `coduel serve` runs with.
struct ServeSettings {
    var host = "127.0.0.1"
    var port = 8080
    var dataFolder = "./data"
    var user: String?
    var problemsFolder: String?
    var webFolder: String?
    var sandboxHelper: String?
    var languageFolders: [String] = []
    var allowsWeakIsolation = false
    var judgeWorkers = 2
    var casualSpectatorDelaySeconds = 15
    var battleDurationSeconds = 1_800
    var guestsAllowed = true
    var openRooms = false
    var conformanceEcho = false
    var proxies: [AddressBlock] = []
    /// PEM files; nil: plain HTTP.
    var tls: (certificate: String, key: String)?
    var allowedHosts: [String] = []
    var allowedOrigins: [String] = []
    var webhooksAllowPrivate = false
    var webhookAuthorities: String?
    var mail = MailSettings()
    var openID = OpenIDSources()
    /// Nil: what the listener says.
    var publicURL: String?
    var keyRotationDays = 90
    var telemetry: TelemetrySettings
    var ratePolicies: [RatePolicyName: RatePolicy] = [:]
    var syncLimits: SyncLimitSettings

    init(_ sources: SettingsSources) throws {
        syncLimits = try SyncLimitSettings(sources.list(.syncLimits))
        telemetry = try TelemetrySettings(sources)
        if let listen = sources.text(.listen) { (host, port) = try Self.address(listen) }
        dataFolder = sources.text(.data) ?? dataFolder
        user = sources.text(.user)
        problemsFolder = sources.text(.problems)
        webFolder = sources.text(.web)
        sandboxHelper = sources.text(.sandboxHelper)
        languageFolders = sources.list(.languages)
        allowsWeakIsolation = try sources.flag(.allowWeakIsolation) ?? false
        // The sandbox has 64 places, one of them for custom runs.
        judgeWorkers = try sources.integer(.judgeWorkers, in: 1...63) ?? judgeWorkers
        casualSpectatorDelaySeconds =
            try sources.integer(.casualSpectatorDelay, in: 0...3_600) ?? casualSpectatorDelaySeconds
        battleDurationSeconds = try sources.integer(.battleDuration, in: 5...86_400) ?? battleDurationSeconds
        guestsAllowed = try sources.flag(.guests) ?? true
        openRooms = try sources.flag(.openRooms) ?? false
        conformanceEcho = try sources.flag(.conformanceEcho) ?? false
        proxies = try sources.list(.behindProxy).map(Self.block)
        switch (sources.text(.tlsCertificate), sources.text(.tlsKey)) {
        case (let certificate?, let key?): tls = (certificate, key)
        case (nil, nil): break
        default: throw SettingsError("tls-certificate and tls-key go together")
        }
        allowedHosts = sources.list(.allowedHosts)
        allowedOrigins = sources.list(.allowedOrigins)
        webhooksAllowPrivate = try sources.flag(.webhooksAllowPrivate) ?? false
        webhookAuthorities = sources.text(.webhooksAuthorities)
        mail = try MailSettings(sources)
        openID = try OpenIDSources(sources)
        publicURL = try sources.text(.publicURL).map(Self.publicURL)
        keyRotationDays = try sources.integer(.keyRotation, in: 1...3_650) ?? keyRotationDays
        ratePolicies = try Self.ratePolicies(sources.list(.rateLimits))
        try checkRoles(sources.list(.roles))
        try checkExposure(
            insecure: try sources.flag(.insecure) ?? false, knows: try sources.flag(.iKnow) ?? false)
    }

    private func checkRoles(_ roles: [String]) throws {
        let all: Set<String> = ["gateway", "rooms", "judge"]
        guard roles.isEmpty || Set(roles) == all || roles == ["all"] else {
            throw SettingsError(
                "roles: this version runs all of them in one process (gateway,rooms,judge); leave the setting out"
            )
        }
    }

    /// A listener beyond loopback is told in clear text who is who: it needs something in front, or a clear word.
    private func checkExposure(insecure: Bool, knows: Bool) throws {
        let gateway = GatewaySettings(host: host)
        guard !gateway.isLoopback else { return }
        guard tls != nil || !proxies.isEmpty || insecure else {
            throw SettingsError(
                "\(host) is reachable from other machines without TLS. Give --tls-certificate and --tls-key, put a "
                    + "TLS proxy in front and name it with --behind-proxy CIDR, or say --insecure.")
        }
        guard !(openRooms || conformanceEcho) || knows else {
            throw SettingsError(
                "--open-rooms and --conformance-echo let anyone in; on \(host) that needs --i-know.")
        }
    }

    private static func address(_ text: String) throws -> (String, Int) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw SettingsError("listen is \"\(text)\"; it takes HOST:PORT, such as 127.0.0.1:8080")
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { throw SettingsError("listen is \"\(text)\"; the host is missing") }
        return (host, Int(port))
    }

    private static func publicURL(_ text: String) throws -> String {
        let url = text.hasSuffix("/") ? String(text.dropLast()) : text
        guard url.hasPrefix("https://") || url.hasPrefix("http://"),
            url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !url.contains("#"), !url.contains("?")
        else { throw SettingsError("public-url is \"\(text)\"; it takes a URL such as https://code.example") }
        return url
    }

    private static func block(_ text: String) throws -> AddressBlock {
        guard let block = AddressBlock(text) else {
            throw SettingsError("behind-proxy: \"\(text)\" is no address block such as 10.0.0.0/8")
        }
        return block
    }

    /// Calls, and seconds: a million of these are eleven days.
    private static let rateNumbers = 1...1_000_000

    private static func ratePolicies(_ entries: [String]) throws -> [RatePolicyName: RatePolicy] {
        var policies: [RatePolicyName: RatePolicy] = [:]
        for entry in entries {
            let parts = entry.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let name = RatePolicyName(rawValue: String(parts[0])) else {
                let known = RatePolicyName.allCases.map(\.rawValue).joined(separator: ", ")
                throw SettingsError("rate-limits: \"\(entry)\" is not NAME=CALLS/SECONDS; names: \(known)")
            }
            let numbers = parts[1].split(separator: "/", omittingEmptySubsequences: false)
                .map { Int($0) ?? 0 }
            guard numbers.count == 2, numbers.allSatisfy(rateNumbers.contains) else {
                throw SettingsError(
                    "rate-limits: \"\(entry)\" is not NAME=CALLS/SECONDS with numbers from 1 to "
                        + "\(rateNumbers.upperBound)")
            }
            policies[name] = RatePolicy(quota: numbers[0], windowSeconds: numbers[1])
        }
        return policies
    }
}
