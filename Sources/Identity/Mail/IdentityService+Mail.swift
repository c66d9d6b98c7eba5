extension IdentityService {
    /// Where mails go; nil: nowhere. Set at wiring.
    public var mail: MailPort? {
        get { state.withLock { $0.mail } }
        set { state.withLock { $0.mail = newValue } }
    }

    /// Sends the link that confirms an address: the account's, or another that becomes the account's with it.
    ///
    /// - Parameter newEmail: the other address; its owner's password has to be given with it.
    /// - Throws: `invalidEmail`, `badCredentials`; `emailTaken` is not told before the address is proved.
    public func requestVerification(
        of userID: String, newEmail: String? = nil, password: String? = nil
    ) async throws(IdentityError) {
        let found = try await stored { try await accountStore.credentials(id: userID) }
        guard let found, !found.account.isGuest else {
            throw IdentityError(.notAllowed, "A guest has no e-mail address.")
        }
        var address = found.account.email
        if let newEmail {
            address = CredentialRules.normalisedEmail(newEmail)
            guard address != nil else {
                let text = "This is no e-mail address."
                throw IdentityError(.invalidEmail, text, fieldErrors: [.init(field: "email", message: text)])
            }
            try await requirePassword(password ?? "", of: found)
        }
        guard let address else {
            throw IdentityError(
                .invalidEmail, "The account has no e-mail address.",
                fieldErrors: [.init(field: "email", message: "is missing")])
        }
        await sendVerification(to: address, of: found.account)
    }

    /// Sent without being asked for, too: a failure is nobody's fault who waits for an answer.
    func sendVerification(to address: String, of account: Account) async {
        guard let mail, mayMail(account.id) else { return }
        let code = try? await makeCode(
            .verifyEmail, of: account.id, subject: address, lifeMs: Limits.verificationMs,
            limit: Limits.codesPerAccount)
        guard let code else { return }
        mail(
            AccountMail.verification(to: address, handle: account.handle, url: publicURL, code: code)
        )
    }

    /// Takes the code of a verification mail.
    ///
    /// - Throws: `invalidToken`; `emailTaken` when somebody else proved the address before.
    public func verifyEmail(code text: String) async throws(IdentityError) {
        let code = try await takeCode(text, .verifyEmail)
        let atMs = environment.now()
        let isDone = try await stored {
            try await accountStore.setVerifiedEmail(code.subject, atMs: atMs, of: code.userID)
        }
        guard isDone else { throw IdentityError(.emailTaken, "This e-mail address is taken.") }
        state.withLock { $0.cache.invalidate(user: code.userID) }
    }

    /// Sends a link for a new password to the account of a handle or an e-mail address, if there is one, in the
    /// background: the answer is the same and comes as fast for everyone.
    public func requestPasswordReset(login: String) {
        guard login.utf8.prefix(Limits.emailBytes + 1).count <= Limits.emailBytes else { return }
        Task {
            guard let mail, let found = try? await credentials(login), let email = found.account.email,
                mayMail(found.account.id)
            else { return }
            let code = try? await makeCode(
                .resetPassword, of: found.account.id, subject: email, lifeMs: Limits.resetMs,
                limit: Limits.codesPerAccount)
            guard let code else { return }
            mail(
                AccountMail.reset(
                    to: email, handle: found.account.handle, url: publicURL, code: code))
        }
    }

    /// Sets a new password by the code of a mail, and ends all sessions. Whoever got that mail receives mail at the
    /// address, so it counts as verified.
    ///
    /// - Throws: `weakPassword`, and the code can be used once more; `invalidToken`.
    public func resetPassword(code text: String, password: String) async throws(IdentityError) {
        try Self.requireGood(password, field: "password", handle: "")
        let code = try await takeCode(text, .resetPassword)
        let hash = try await hash(password)
        let ended = try await replacePassword(hash, of: code.userID, keeping: nil)
        if let account = try await account(code.userID), account.email == code.subject {
            let atMs = environment.now()
            _ = try await stored {
                try await accountStore.setVerifiedEmail(code.subject, atMs: atMs, of: code.userID)
            }
        }
        if let codes {
            try await stored { try await codes.removeAll(of: code.userID, purpose: .resetPassword) }
        }
        announceEnd(of: ended)
    }

    /// Sets a new password for whoever knows the old one, and ends all other sessions.
    ///
    /// - Throws: `badCredentials`, `weakPassword`, `tooManyAttempts`.
    public func changePassword(
        from old: String, to new: String, by caller: Caller
    ) async throws(IdentityError) {
        let found = try await ownCredentials(of: caller)
        try Self.requireGood(new, field: "new_password", handle: found.account.handle)
        try await requirePassword(old, of: found)
        announceEnd(
            of: try await replacePassword(try await hash(new), of: caller.userID, keeping: caller.sessionID))
        if let mail, let email = found.account.email, mayMail(caller.userID) {
            mail(
                AccountMail.passwordChanged(
                    to: email, handle: found.account.handle, url: publicURL))
        }
    }

    /// The ids of the sessions that ended with the old password.
    private func replacePassword(
        _ hash: String, of userID: String, keeping sessionID: String?
    ) async throws(IdentityError) -> [String] {
        let atMs = environment.now()
        return try await stored {
            try await accountStore.setPasswordHash(hash, of: userID)
            guard let sessionID else { return try await sessionStore.endAll(of: userID, atMs: atMs) }
            return try await sessionStore.endOthers(of: userID, keeping: sessionID, atMs: atMs)
        }
    }

    /// Checks the password of whoever is logged in already, under the pause of a log-in: a session that was left open
    /// must not become a way to guess it.
    func requirePassword(
        _ password: String, of found: AccountCredentials
    ) async throws(IdentityError) {
        let name = "id:\(found.account.id)"
        try refusePaused(name)
        guard CredentialRules.canBePassword(password), let encoded = found.passwordHash else {
            throw failedLogIn(name)
        }
        let bytes = Array(password.utf8)
        guard let matches = try await pool.run({ PasswordHash.verify(bytes, against: encoded) }) else {
            throw IdentityError(.unavailable, "Passwords cannot be checked now.")
        }
        guard matches else { throw failedLogIn(name) }
        state.withLock { $0.throttle.succeeded(name) }
    }

    private static func requireGood(
        _ password: String, field: String, handle: String
    ) throws(IdentityError) {
        guard let fault = CredentialRules.passwordFault(password, handle: handle) else { return }
        throw IdentityError(.weakPassword, fault, fieldErrors: [.init(field: field, message: fault)])
    }

    private func mayMail(_ userID: String) -> Bool {
        state.withLock { $0.mails.take(userID, atMs: environment.now()) }
    }
}
