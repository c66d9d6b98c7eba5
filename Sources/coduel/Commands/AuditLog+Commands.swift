import Identity
import StorageSQLite

extension AuditLogSQLite {
    /// Writes down what a command did, where its data is.
    func note(_ command: String, subject: String, detail: String) async throws {
        let environment = IdentityEnvironment.system
        let entry = AuditEntry(
            id: environment.newID(), atMs: environment.now(), actorID: "", actor: "command line",
            action: command, subject: subject, detail: detail, address: "", requestID: "")
        try await begin(entry)
        try await end(entry.id, status: 200)
    }
}
