/// Secrets, by the variable they come in; with `_FILE` behind it the variable names a file.
enum SecretName: String, CaseIterable {
    case smtpPassword = "CODUEL_SMTP_PASSWORD"
}
