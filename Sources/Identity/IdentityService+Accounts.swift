extension IdentityService {
    /// Makes an account with role `user`, and sends the mail that confirms its address. Throws with every field fault listed, or with what is taken.
    public func register(
        handle: String, email: String, password: String
    ) async throws(IdentityError) -> Account {
        guard door.registrations else {
            throw IdentityError(.notAllowed, "New accounts are not made here now.")
        }
        var faults: [(IdentityError.Code, IdentityError.FieldError)] = []
        if let fault = CredentialRules.handleFault(handle) {
            faults.append((.invalidHandle, .init(field: "handle", message: fault)))
        }
        let normalised = CredentialRules.normalisedEmail(email)
        if normalised == nil {
            faults.append((.invalidEmail, .init(field: "email", message: "This is no e-mail address.")))
        }
        if let fault = CredentialRules.passwordFault(password, handle: handle) {
            faults.append((.weakPassword, .init(field: "password", message: fault)))
        }
        try Self.refuse(faults)
        let account = try await makeAccount(
            handle: handle, email: normalised, roles: Role.user.granted, password: password)
        if let normalised { await sendVerification(to: normalised, of: account) }
        return account
    }

    /// Makes an account of any role but guest, without an e-mail address: the command line's.
    public func createUser(
        handle: String, role: Role, password: String
    ) async throws(IdentityError) -> Account {
        var faults: [(IdentityError.Code, IdentityError.FieldError)] = []
        if let fault = CredentialRules.handleFault(handle) {
            faults.append((.invalidHandle, .init(field: "handle", message: fault)))
        }
        if role == .guest {
            faults.append((.invalidRole, .init(field: "role", message: "A guest has no password.")))
        }
        if let fault = CredentialRules.passwordFault(password, handle: handle) {
            faults.append((.weakPassword, .init(field: "password", message: fault)))
        }
        try Self.refuse(faults)
        return try await makeAccount(handle: handle, email: nil, roles: role.granted, password: password)
    }

    public func account(_ id: String) async throws(IdentityError) -> Account? {
        try await stored { try await accountStore.account(id) }
    }

    /// Those of the accounts that exist, by id. Of more than `Limits.accountsPerLookup` ids the rest is ignored.
    public func accounts(ids: [String]) async throws(IdentityError) -> [String: Account] {
        let wanted = Array(Set(ids.prefix(Limits.accountsPerLookup)))
        guard !wanted.isEmpty else { return [:] }
        let found = try await stored { try await accountStore.accounts(wanted) }
        return Dictionary(found.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Gives an account the roles of `role` (`Role.granted`) instead of those it has. When that takes a role away,
    /// its sessions end, and with them its sockets. A guest stays a guest: it has no password.
    public func setRole(_ role: Role, of userID: String) async throws(IdentityError) -> Account {
        guard var account = try await account(userID) else {
            throw IdentityError(.notFound, "There is no such account.")
        }
        guard role != .guest, !account.isGuest else {
            throw IdentityError(
                .invalidRole, "A guest has no other role.",
                fieldErrors: [.init(field: "role", message: "A guest has no other role.")])
        }
        let before = account.roles
        account.roles = role.granted
        let exists = try await stored { try await accountStore.setRoles(role.granted, of: userID) }
        guard exists else { throw IdentityError(.notFound, "There is no such account.") }
        state.withLock { $0.cache.invalidate(user: userID) }
        if !before.isSubset(of: role.granted) {
            let ended = try await stored {
                try await sessionStore.endAll(of: userID, atMs: environment.now())
            }
            announceEnd(of: ended)
            announceEnd(of: try await tokenSessions(of: userID))
        }
        return account
    }

    private func makeAccount(
        handle: String, email: String?, roles: Set<Role>, password: String
    ) async throws(IdentityError) -> Account {
        // Asked first to spare the hash; the insert decides.
        try Self.refuse(await stored { try await accountStore.conflict(handle: handle, email: email) })
        let hash = try await hash(password)
        let account = Account(
            id: environment.newID(), handle: handle, email: email, roles: roles,
            createdAtMs: environment.now())
        if let conflict = try await stored({ try await accountStore.insert(account, passwordHash: hash) }) {
            try Self.refuse(conflict)
            throw .storeFailed
        }
        return account
    }

    func hash(_ password: String) async throws(IdentityError) -> String {
        let bytes = Array(password.utf8)
        let salt = environment.randomBytes(PasswordHash.saltBytes)
        let parameters = settings.passwordHash
        guard let hash = try await pool.run({ parameters.encode(bytes, salt: salt) }) else {
            throw IdentityError(.unavailable, "Passwords cannot be hashed now.")
        }
        return hash
    }

    private static func refuse(
        _ faults: [(IdentityError.Code, IdentityError.FieldError)]
    ) throws(IdentityError) {
        guard let first = faults.first else { return }
        throw IdentityError(first.0, first.1.message, fieldErrors: faults.map { $0.1 })
    }

    private static func refuse(_ conflict: AccountConflict) throws(IdentityError) {
        var faults: [(IdentityError.Code, IdentityError.FieldError)] = []
        if conflict.handle {
            faults.append((.handleTaken, .init(field: "handle", message: "This handle is taken.")))
        }
        if conflict.email {
            faults.append((.emailTaken, .init(field: "email", message: "This e-mail address is taken.")))
        }
        try refuse(faults)
    }
}
