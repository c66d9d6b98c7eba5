/// Logs in, links and unlinks by OpenID Connect: authorization code flow with PKCE, state and nonce, for any number of
/// providers. An account is found by (issuer, subject) alone; an e-mail address never links.
public struct OpenIDService: Sendable {
    /// What a flow that came back led to.
    public enum Outcome: Sendable {
        case loggedIn(TokenPair)
        case linked(LinkedIdentity)
    }

    private let identity: IdentityService
    private let store: any LinkedIdentityStore
    private let providers: [String: any OpenIDProvider]
    /// The providers' names, in the order of the configuration.
    public let names: [String]

    public init(
        identity: IdentityService, store: any LinkedIdentityStore, providers: [any OpenIDProvider]
    ) {
        self.identity = identity
        self.store = store
        self.providers = Dictionary(providers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        names = providers.map(\.name)
    }

    /// Where a provider sends the browser back to.
    public func redirectURI(of provider: String) -> String {
        "\(identity.publicURL)/api/v1/oidc/\(provider)/callback"
    }

    /// Begins a log-in, or, for somebody who is logged in, the linking of one more identity.
    ///
    /// - Returns: where to send the browser, and the secret that has to come back with it.
    public func begin(
        _ name: String, linkingTo caller: Caller? = nil
    ) async throws(IdentityError) -> (url: String, flow: OpenIDFlow) {
        let provider = try provider(name)
        if let caller, caller.isGuest {
            throw IdentityError(.notAllowed, "A guest has nothing to link to.")
        }
        let owner = caller?.userID ?? identity.environment.newID()
        let subject = [name, caller == nil ? "login" : "link"].joined(separator: " ")
        let secret = try await identity.makeCode(
            .openID, of: owner, subject: subject, lifeMs: Limits.openIDFlowMs, limit: Limits.codesPerAccount)
        let flow = OpenIDFlow(secret: secret)
        return (
            try await provider.authorizationURL(for: flow, redirectURI: redirectURI(of: name)), flow
        )
    }

    /// Ends a flow with what the provider sent the browser back with. A flow is good once, whatever comes of it.
    ///
    /// - Throws: `loginRefused` for anything that does not fit together; `identityTaken` when somebody else has the
    ///   identity; what `begin` throws; `banned`.
    public func complete(
        _ name: String, code: String, state: String, secret: String, client: SessionClient = .unknown
    ) async throws(IdentityError) -> Outcome {
        let provider = try provider(name)
        let flow = OpenIDFlow(secret: secret)
        guard Hashing.areEqual(Array(state.utf8), Array(flow.state.utf8)) else { throw .foreignFlow }
        let begun: OneTimeCode
        do throws(IdentityError) {
            begun = try await identity.takeCode(secret, .openID)
        } catch {
            throw error.code == .invalidToken ? .foreignFlow : error
        }
        let kind = begun.subject.split(separator: " ")
        guard kind.count == 2, kind[0] == name else { throw .foreignFlow }
        guard (1...Limits.tokenBytes).contains(code.utf8.count) else { throw .foreignFlow }
        let principal = try await provider.principal(
            code: code, flow: flow, redirectURI: redirectURI(of: name))
        if kind[1] == "link" { return .linked(try await link(principal, name, to: begun.userID)) }
        return .loggedIn(try await logIn(principal, name, client))
    }

    public func identities(of userID: String) async throws(IdentityError) -> [LinkedIdentity] {
        try await identity.stored { try await store.identities(of: userID) }
    }

    /// Removes an identity of the caller. The last one stays where there is no password: nobody could log in any more.
    ///
    /// - Throws: `notFound`; `lastIdentity`.
    public func unlink(_ id: String, of caller: Caller) async throws(IdentityError) {
        let found = try await identity.stored {
            try await identity.accountStore.credentials(id: caller.userID)
        }
        let keepsLast = found?.passwordHash == nil
        let isGone = try await identity.stored {
            try await store.remove(id, of: caller.userID, keepsLast: keepsLast)
        }
        guard !isGone else { return }
        guard try await identities(of: caller.userID).contains(where: { $0.id == id }) else {
            throw IdentityError(.notFound, "There is no such identity.")
        }
        throw IdentityError(
            .lastIdentity, "This is the only way to log in: set a password first, or link another.")
    }

    private func provider(_ name: String) throws(IdentityError) -> any OpenIDProvider {
        guard let provider = providers[name] else {
            throw IdentityError(.notFound, "There is no such provider.")
        }
        return provider
    }

    private func link(
        _ principal: OpenIDPrincipal, _ provider: String, to userID: String
    ) async throws(IdentityError) -> LinkedIdentity {
        let linked = LinkedIdentity(
            id: identity.environment.newID(), issuer: principal.issuer, subject: principal.subject,
            userID: userID, provider: provider, label: principal.name ?? principal.email,
            createdAtMs: identity.environment.now())
        let isStored = try await identity.stored {
            try await store.insert(linked, limit: Limits.identitiesPerAccount)
        }
        guard isStored else {
            throw IdentityError(.identityTaken, "This identity is linked to an account already.")
        }
        return linked
    }

    private func logIn(
        _ principal: OpenIDPrincipal, _ provider: String, _ client: SessionClient
    ) async throws(IdentityError) -> TokenPair {
        let known = try await identity.stored {
            try await store.identity(issuer: principal.issuer, subject: principal.subject)
        }
        if let known {
            guard let account = try await identity.account(known.userID) else { throw .foreignFlow }
            return try await identity.beginSession(for: account, client)
        }
        guard identity.door.registrations else {
            throw IdentityError(.notAllowed, "New accounts are not made here now.")
        }
        let account = try await identity.makeAccount(of: principal)
        do {
            _ = try await link(principal, provider, to: account.id)
        } catch {
            // Two browsers at once: the account that was linked first is the person's.
            let winner = try await identity.stored {
                try await store.identity(issuer: principal.issuer, subject: principal.subject)
            }
            guard let winner, let first = try await identity.account(winner.userID) else { throw error }
            return try await identity.beginSession(for: first, client)
        }
        return try await identity.beginSession(for: account, client)
    }
}

extension IdentityError {
    static let foreignFlow = IdentityError(
        .loginRefused, "This log-in was not begun here, is over, or was changed on its way: begin again.")
}

extension IdentityService {
    /// An account for somebody whom a provider vouches for: without a password, with a handle as near to the name
    /// there as is free, and with the e-mail address if the provider says it is proved and nobody has it.
    func makeAccount(of principal: OpenIDPrincipal) async throws(IdentityError) -> Account {
        let address = principal.isEmailVerified ? principal.email : nil
        var email = address.flatMap(CredentialRules.normalisedEmail)
        let wanted = Self.handle(from: principal.name ?? principal.email ?? "")
        for attempt in 0..<Limits.guestHandleAttempts {
            let atMs = environment.now()
            let account = Account(
                id: environment.newID(), handle: attempt == 0 ? wanted : numbered(wanted), email: email,
                roles: Role.user.granted, createdAtMs: atMs,
                emailVerifiedAtMs: email == nil ? nil : atMs)
            let conflict = try await stored { try await accountStore.insert(account, passwordHash: nil) }
            guard let conflict else {
                if let email {
                    _ = try await stored {
                        try await accountStore.setVerifiedEmail(email, atMs: atMs, of: account.id)
                    }
                }
                return account
            }
            if conflict.email { email = nil }
        }
        throw IdentityError(.unavailable, "No free handle was found; try again.")
    }

    /// What of a name may stand in a handle; `player` where that is too little.
    private static func handle(from name: String) -> String {
        let local = name.prefix { $0 != "@" }
        let bytes = local.utf8.filter(CredentialRules.isHandleByte).prefix(Limits.handleLength.upperBound)
        return bytes.count < Limits.handleLength.lowerBound
            ? "player" : String(decoding: bytes, as: UTF8.self)
    }

    private func numbered(_ handle: String) -> String {
        let digits = environment.randomBytes(4).map { String($0 % 10) }.joined()
        return "\(handle.prefix(Limits.handleLength.upperBound - digits.count))\(digits)"
    }
}
