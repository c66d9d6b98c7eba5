import Hummingbird

/// The HTTP interface as a page for people, and its style sheet.
package enum ReferenceRoutes {
    package static func routes(page: String, style: String) -> [Route] {
        [
            Route(
                .get, "/api/docs", access: .open, limits: [], handler: file(page, "text/html; charset=utf-8")),
            Route(
                .get, "/api/docs.css", access: .open, limits: [],
                handler: file(style, "text/css; charset=utf-8")),
        ]
    }

    private static func file(_ text: String, _ mediaType: String) -> RouteHandler {
        let representation = Representation(
            Array(text.utf8), fields: [.contentType: mediaType, .cacheControl: "public, max-age=300"])
        return { request, _ in representation.response(to: request) }
    }
}
