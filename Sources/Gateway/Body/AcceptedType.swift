import HTTPTypes
import Hummingbird

/// A media type that an answer can have.
protocol AcceptedType: Equatable, CaseIterable {
    var mediaType: String { get }
}

extension AcceptedType {
    /// The one that the request's `Accept` likes best (RFC 9110 §12.5.1); of equal ones the first named
    /// there, nil where it names none and takes anything.
    ///
    /// - Throws: 406 when it takes none of them.
    static func choose(for request: Request) throws(HTTPProblem) -> Self? {
        let types = Array(allCases)
        guard let header = request.headers[.accept] else { return nil }
        var best: (type: Self?, quality: Double)?
        for entry in header.split(separator: ",").prefix(32) {
            let parts = entry.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
            guard let name = parts.first else { continue }
            let quality =
                parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            guard quality > 0, quality > best?.quality ?? 0 else { continue }
            if let type = types.first(where: { $0.mediaType == name }) {
                best = (type, quality)
            } else if name == "*/*" {
                best = (nil, quality)
            } else if name.hasSuffix("/*"),
                let type = types.first(where: { $0.mediaType.hasPrefix(name.dropLast()) })
            {
                best = (type, quality)
            }
        }
        guard let best else {
            throw HTTPProblem(
                .notAcceptable, code: "not_acceptable",
                detail: "This call answers \(types.map(\.mediaType).joined(separator: ", ")).")
        }
        return best.type
    }
}
