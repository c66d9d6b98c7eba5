import Hummingbird
import Identity

/// E-mail addresses, passwords, and the end of an account.
package enum CredentialRoutes {
    package static func routes(_ identity: IdentityService) -> [Route] {
        mailRoutes(identity) + ownRoutes(identity)
    }

    private static let json = Route.Body.json(limit: GatewayLimits.jsonBody)

    /// For whoever got a mail.
    private static func mailRoutes(_ identity: IdentityService) -> [Route] {
        [
            Route(
                .post, "/api/v1/email-verifications", access: .open, body: json, limits: [.mails]
            ) { _, context in
                try await givenCode {
                    try await identity.verifyEmail(code: try context.decode(CodeGiven.self).code)
                }
                return Response(status: .noContent)
            },
            Route(
                .post, "/api/v1/password-resets", access: .open, body: json, limits: [.mails]
            ) { _, context in
                // The same answer for everyone: it tells nobody whether there is such an account.
                identity.requestPasswordReset(login: try context.decode(ResetWish.self).login)
                return Response(status: .accepted)
            },
            Route(
                .post, "/api/v1/password-resets/complete", access: .open, body: json, limits: [.mails]
            ) { _, context in
                let body = try context.decode(Reset.self)
                try await givenCode {
                    try await identity.resetPassword(code: body.code, password: body.password)
                }
                return Response(status: .noContent)
            },
        ]
    }

    /// A code that is not good is a fault of the body: nobody was asked to authenticate.
    private static func givenCode(_ call: () async throws -> Void) async throws {
        do {
            try await call()
        } catch let error as IdentityError where error.code == .invalidToken {
            throw HTTPProblem.invalid(
                "code", "is not known, was used, or has expired", code: "code_not_valid")
        }
    }

    private static func ownRoutes(_ identity: IdentityService) -> [Route] {
        [
            Route(
                .post, "/api/v1/me/email-verification", body: json, limits: [.mails], tokens: .refused
            ) { _, context in
                let body = try context.decode(VerificationWish.self)
                try await identity.requestVerification(
                    of: try context.requireCaller().userID, newEmail: body.email, password: body.password)
                return Response(status: .accepted)
            },
            Route(
                .put, "/api/v1/me/password", body: json, limits: [.logins], tokens: .refused
            ) { _, context in
                let body = try context.decode(PasswordChange.self)
                try await identity.changePassword(
                    from: body.currentPassword, to: body.newPassword, by: try context.requireCaller())
                return Response(status: .noContent)
            },
            Route(.get, "/api/v1/me/export", limits: [.history], tokens: .refused) { _, context in
                let text = try await identity.exportData(of: try context.requireCaller())
                return Response(
                    status: .ok,
                    headers: [
                        .contentType: "application/json; charset=utf-8",
                        .contentDisposition: "attachment; filename=\"coduel-account.json\"",
                    ], body: .init(byteBuffer: .init(string: text)))
            },
            Route(
                .delete, "/api/v1/me", body: json, limits: [.logins], tokens: .refused
            ) { request, context in
                let body = try context.decode(Deletion.self)
                try await identity.eraseAccount(of: try context.requireCaller(), password: body.password)
                var response = Response(status: .noContent)
                if RefreshCookie.isPresent(in: request) { RefreshCookie.clear(in: &response.headers) }
                return response
            },
        ]
    }

    private struct CodeGiven: Decodable { var code: String }
    private struct ResetWish: Decodable { var login: String }

    private struct Reset: Decodable {
        var code: String
        var password: String
    }

    private struct VerificationWish: Decodable {
        /// Another address than the account's; its password goes with it.
        var email: String?
        var password: String?
    }

    private struct PasswordChange: Decodable {
        var currentPassword: String
        var newPassword: String
    }

    private struct Deletion: Decodable { var password: String? }
}
