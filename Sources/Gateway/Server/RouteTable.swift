import HTTPTypes

/// All routes, found by method and path. Literal segments win over parameters, both over `**`.
package struct RouteTable: Sendable {
    package enum Match: Sendable {
        case route(Route, parameters: [String: String])
        /// The path is known, the method is not.
        case methodNotAllowed([String])
        case none
    }

    private enum Segment: Sendable, Equatable {
        case literal(String)
        case parameter(String)
        case rest
    }

    private struct Entry: Sendable {
        var route: Route
        var segments: [Segment]
        /// Smaller is tried first: how many segments are not literal.
        var looseness: Int
    }

    private var entries: [Entry] = []

    package var routes: [Route] { entries.map(\.route) }

    package init(_ routes: [Route]) {
        for route in routes {
            let segments = route.path.split(separator: "/").map { part -> Segment in
                if part == "**" { return .rest }
                if part.hasPrefix("{"), part.hasSuffix("}") {
                    return .parameter(String(part.dropFirst().dropLast()))
                }
                return .literal(String(part))
            }
            let looseness = segments.reduce(0) { sum, segment in
                switch segment {
                case .literal: sum
                case .parameter: sum + 1
                case .rest: sum + 100
                }
            }
            entries.append(Entry(route: route, segments: segments, looseness: looseness))
        }
        entries.sort { $0.looseness < $1.looseness }
    }

    /// `segments` are the path's, percent-decoded. O(routes · segments); there are a few dozen routes.
    package func match(_ method: HTTPRequest.Method, _ segments: [String]) -> Match {
        var allowed: Set<String> = []
        for entry in entries {
            guard let parameters = Self.parameters(of: entry.segments, in: segments) else { continue }
            // HEAD is answered as GET without a body (RFC 9110 §9.3.2).
            if entry.route.method == method || (method == .head && entry.route.method == .get) {
                return .route(entry.route, parameters: parameters)
            }
            allowed.insert(entry.route.method.rawValue)
            if entry.route.method == .get { allowed.insert("HEAD") }
        }
        return allowed.isEmpty ? .none : .methodNotAllowed(Array(allowed))
    }

    private static func parameters(of pattern: [Segment], in segments: [String]) -> [String: String]? {
        var result: [String: String] = [:]
        for (index, part) in pattern.enumerated() {
            if part == .rest { return result }
            guard index < segments.count else { return nil }
            switch part {
            case .literal(let text): if text != segments[index] { return nil }
            case .parameter(let name): result[name] = segments[index]
            case .rest: break
            }
        }
        return pattern.count == segments.count ? result : nil
    }
}
