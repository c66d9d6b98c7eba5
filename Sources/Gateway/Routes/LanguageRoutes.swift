import Hummingbird
import Judging

/// The languages of this installation.
package enum LanguageRoutes {
    /// - Parameter reports: what the executor says of its languages, in the order of the table.
    package static func routes(_ reports: @escaping @Sendable () async -> [LanguageReport]) -> [Route] {
        [
            Route(.get, "/api/v1/languages", access: .optional) { _, _ in
                .json(PageReply(items: await reports().map(LanguageView.init), nextCursor: nil))
            }
        ]
    }

    private struct LanguageView: Encodable, Sendable {
        var id: String
        var name: String
        var fileName: String
        var available: Bool
        @Nullable var version: String?
        @Nullable var reason: String?
        var timeFactor: Double
        var memoryFactor: Double

        init(_ report: LanguageReport) {
            id = report.language.id
            name = report.language.name
            fileName = report.language.fileName
            available = report.unavailable == nil
            version = report.version
            reason = report.unavailable
            timeFactor = report.language.timeFactor
            memoryFactor = report.language.memoryFactor
        }
    }
}
