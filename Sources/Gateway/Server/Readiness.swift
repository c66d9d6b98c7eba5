import Synchronization

/// Whether this server should be sent requests.
package final class Readiness: Sendable {
    /// One thing the server needs: its name and whether it is there.
    package struct Check: Sendable {
        package var name: String
        package var isReady: @Sendable () async -> Bool

        package init(_ name: String, isReady: @escaping @Sendable () async -> Bool) {
            self.name = name
            self.isReady = isReady
        }
    }

    private let checks: [Check]
    private let draining = Atomic<Bool>(false)

    package init(checks: [Check] = []) {
        self.checks = checks
    }

    package var isDraining: Bool { draining.load(ordering: .acquiring) }

    /// From now on `/readyz` answers 503.
    package func beginDraining() { draining.store(true, ordering: .releasing) }

    /// Each check by name; false while draining whatever they say.
    package func report() async -> (isReady: Bool, checks: [String: Bool]) {
        var results: [String: Bool] = [:]
        for check in checks { results[check.name] = await check.isReady() }
        if isDraining { results["accepting"] = false }
        return (results.values.allSatisfy { $0 }, results)
    }
}
