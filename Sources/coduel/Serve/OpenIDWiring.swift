import Gateway
import Identity
import Logging
import NIOPosix
import OpenID
import OutboundHTTP

extension OpenIDService {
    /// The providers of an installation, each behind a circuit breaker of its own: one that is down slows nobody.
    init(
        _ settings: ServeSettings, identity: IdentityService, store: any LinkedIdentityStore,
        _ environment: IdentityEnvironment, _ metrics: Metrics, _ logger: Logger
    ) throws {
        let client: OutboundClient
        do throws(OutboundError) {
            client = try OutboundClient(
                allowsPrivate: settings.openID.allowsPrivate, authorities: settings.openID.authorities,
                group: MultiThreadedEventLoopGroup.singleton)
        } catch {
            throw SettingsError("oidc-ca: \(error)")
        }
        self.init(
            identity: identity, store: store,
            providers: settings.openID.providers.map { provider in
                let breaker = CircuitBreaker(now: environment.now)
                metrics.watch(breaker, before: "openid:\(provider.name)")
                return DiscoveredProvider(
                    provider,
                    transport: Self.transport(client, breaker, provider.name, environment, logger))
            })
    }

    private static func transport(
        _ client: OutboundClient, _ breaker: CircuitBreaker, _ name: String,
        _ environment: IdentityEnvironment, _ logger: Logger
    ) -> OpenIDTransport {
        @Sendable func guarded(
            _ call: () async throws(OutboundError) -> OutboundAnswer
        ) async throws(OutboundError) -> OpenIDTransport.Answer {
            do throws(OutboundError) {
                let answer = try await breaker.call(isFailure: { $0.status >= 500 }, call)
                return OpenIDTransport.Answer(status: answer.status, body: answer.body)
            } catch {
                logger.warning(
                    "a provider could not be asked",
                    metadata: [
                        "provider": "\(name)", "reason": "\(error)", "circuit": "\(breaker.state.rawValue)",
                    ])
                throw error
            }
        }
        return OpenIDTransport(
            get: { url in
                try await guarded { () async throws(OutboundError) in
                    try await client.call(.GET, url, headers: [("Accept", "application/json")])
                }
            },
            post: { url, headers, body in
                try await guarded { () async throws(OutboundError) in
                    try await client.call(.POST, url, headers: headers, body: body)
                }
            }, now: environment.now)
    }
}

extension Metrics {
    /// Tells the state of the breaker before an outside service; `dependency` comes from the configuration.
    func watch(_ breaker: CircuitBreaker, before dependency: String) {
        for state in CircuitBreaker.State.allCases {
            gauge(.circuitState, labels: [dependency, state.rawValue]) { breaker.state == state ? 1 : 0 }
        }
    }
}
