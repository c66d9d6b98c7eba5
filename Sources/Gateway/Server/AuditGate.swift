import Hummingbird
import Identity

/// Writes down what those with power over others do: before it is done, and how it ended.
package struct AuditGate: Sendable {
    private let log: any AuditLog
    private let environment: IdentityEnvironment

    package init(log: any AuditLog, environment: IdentityEnvironment) {
        self.log = log
        self.environment = environment
    }

    /// Whether this call is kept.
    func concerns(_ route: Route, _ context: GatewayContext) -> Bool {
        switch route.audit {
        case .never: false
        case .always: true
        case .ofStaff: context.caller.map { !$0.roles.isDisjoint(with: [.moderator, .admin]) } ?? false
        }
    }

    /// Answers the request by `handle`. What cannot be written down is not done: 503.
    package func answer(
        _ context: GatewayContext, _ route: Route, _ handle: () async throws -> Response
    ) async throws -> Response {
        let caller = try context.requireCaller()
        let entry = AuditEntry(
            id: environment.newID(), atMs: environment.now(), actorID: caller.userID, actor: caller.handle,
            action: "\(route.method.rawValue) \(route.path)",
            subject: context.pathParameters.sorted { $0.key < $1.key }.map(\.value).joined(separator: " "),
            detail: Self.detail(context, route), address: context.address, requestID: context.id)
        do {
            try await log.begin(entry)
        } catch {
            throw HTTPProblem.unavailable("The audit log cannot be written; nothing was done.")
        }
        do {
            let response = try await handle()
            await end(entry, response.status.code, context)
            return response
        } catch {
            await end(entry, HTTPProblem.describing(error).status.code, context)
            throw error
        }
    }

    private func end(_ entry: AuditEntry, _ status: Int, _ context: GatewayContext) async {
        do {
            try await log.end(entry.id, status: status)
        } catch {
            // The entry stands, without its end.
            context.logger.error(
                "the end of an action is not in the audit log", metadata: ["id": "\(entry.id)"])
        }
    }

    private static func detail(_ context: GatewayContext, _ route: Route) -> String {
        switch route.body {
        case .none: return ""
        case .json:
            let bytes = context.body.readableBytesView.prefix(Identity.Limits.auditDetailBytes)
            return String(decoding: bytes, as: UTF8.self)
        case .bytes:
            let bytes = Array(context.body.readableBytesView)
            return "\(bytes.count) bytes, SHA-256 \(Hashing.sha256Hex(bytes))"
        }
    }
}
