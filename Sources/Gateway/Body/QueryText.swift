import Foundation
import Hummingbird

/// The texts of a query, as forms and URL libraries write them: percent-encoded, a plus for a space. Of a name given
/// twice the first counts; what is no UTF-8 is not there.
struct QueryText {
    private let raw: Substring

    init(_ request: Request) {
        raw = request.uri.string.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
    }

    subscript(name: String) -> String? {
        for pair in raw.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard Self.decoded(parts[0]) == name else { continue }
            return Self.decoded(parts.count == 2 ? parts[1] : "")
        }
        return nil
    }

    private static func decoded(_ text: Substring) -> String? {
        String(text.replacing("+", with: " ")).removingPercentEncoding
    }
}
