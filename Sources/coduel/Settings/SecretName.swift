/// Secrets, by the variable they come in; with `_FILE` behind it the variable names a file.
enum SecretName {
    case smtpPassword
    /// Of the client at a provider of OpenID Connect.
    case openIDClient(provider: String)

    var variable: String {
        switch self {
        case .smtpPassword: "CODUEL_SMTP_PASSWORD"
        case .openIDClient(let provider):
            "CODUEL_OIDC_\(provider.uppercased().replacing("-", with: "_"))_SECRET"
        }
    }
}
