import Hummingbird
import Identity

/// The second factor of the caller's account.
package enum SecondFactorRoutes {
    package static func routes(_ identity: IdentityService) -> [Route] {
        let json = Route.Body.json(limit: GatewayLimits.jsonBody)
        return [
            Route(.get, "/api/v1/me/second-factor", tokens: .refused) { _, context in
                let (isOn, codes) = try await identity.secondFactor(of: try context.requireCaller().userID)
                return .json(FactorReply(enabled: isOn, recoveryCodesLeft: codes))
            },
            Route(
                .post, "/api/v1/me/second-factor", body: json, limits: [.logins], tokens: .refused
            ) { _, context in
                let made = try await identity.beginSecondFactor(
                    password: try context.decode(Proof.self).password, for: try context.requireCaller())
                return .json(SecretReply(secret: made.secret, url: made.url), status: .created)
            },
            Route(
                .post, "/api/v1/me/second-factor/confirm", body: json, limits: [.logins], tokens: .refused
            ) { _, context in
                let codes = try await identity.confirmSecondFactor(
                    code: try context.decode(CodeGiven.self).code, for: try context.requireCaller())
                return .json(RecoveryReply(recoveryCodes: codes))
            },
            Route(
                .delete, "/api/v1/me/second-factor", body: json, limits: [.logins], tokens: .refused
            ) { _, context in
                let proof = try context.decode(FullProof.self)
                try await identity.removeSecondFactor(
                    password: proof.password, code: proof.code, for: try context.requireCaller())
                return Response(status: .noContent)
            },
        ]
    }

    private struct Proof: Decodable { var password: String }
    private struct CodeGiven: Decodable { var code: String }

    private struct FullProof: Decodable {
        var password: String
        var code: String
    }

    private struct FactorReply: Encodable {
        var enabled: Bool
        var recoveryCodesLeft: Int
    }

    private struct SecretReply: Encodable {
        var secret: String
        var url: String
    }

    private struct RecoveryReply: Encodable { var recoveryCodes: [String] }
}
