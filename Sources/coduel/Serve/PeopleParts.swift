import Foundation
import Identity
import MailDelivery
import OpenID
import StorageSQLite

/// Who uses an installation: accounts and sessions, the ways to log in, profiles, and accounts of other services.
struct PeopleParts {
    /// Seals what is secret in the data base.
    let secrets: SecretBox
    let identity: IdentityService
    let mails: MailDispatcher
    let openID: OpenIDService
    let profiles: ProfileService
    let services: ServiceAccountService

    init(_ shared: SharedParts) async throws {
        let (settings, database) = (shared.settings, shared.database)
        let folder = shared.foundation.data.path
        secrets = try EncryptionKeys(
            dataFolder: folder, environment: ProcessInfo.processInfo.environment
        ).box()
        identity = try await Self.identity(shared, secrets)
        let mails = try MailDispatcher(settings, dataFolder: folder, shared.environment, shared.logger)
        self.mails = mails
        identity.mail = { mails.take($0) }
        openID = try OpenIDService(
            settings, identity: identity, store: LinkedIdentityStoreSQLite(database), shared.environment,
            shared.metrics, shared.logger)
        profiles = ProfileService(
            store: ProfileStoreSQLite(database), identity: identity,
            isTimeZone: { TimeZone(identifier: $0) != nil && $0.contains("/") || $0 == "UTC" })
        services = ServiceAccountService(
            store: ServiceAccountStoreSQLite(database), identity: identity, environment: shared.environment)
    }

    private static func identity(
        _ shared: SharedParts, _ secrets: SecretBox
    ) async throws -> IdentityService {
        let database = shared.database
        return try await IdentityService.start(
            accounts: AccountStoreSQLite(database), sessions: SessionStoreSQLite(database),
            keys: SigningKeyStoreSQLite(database), bans: BanStoreSQLite(database),
            people: PeopleStores(
                codes: OneTimeCodeStoreSQLite(database), tokens: PersonalTokenStoreSQLite(database),
                data: PersonalDataSQLite(database), door: AdministrationStoreSQLite(database),
                secondFactors: SecondFactorStoreSQLite(database), secretBox: secrets),
            settings: shared.settings.identity, environment: shared.environment)
    }

    /// Whose token it is: a service's key, a personal token or a session's, told apart by how they begin.
    func caller(of token: String) async throws(IdentityError) -> Caller {
        if token.hasPrefix(ServiceAccountService.keyPrefix) {
            return try await services.authenticate(key: token)
        }
        if token.hasPrefix(PersonalToken.prefix) {
            return try await identity.authenticate(personalToken: token)
        }
        return try await identity.authenticate(accessToken: token)
    }
}
