import Hummingbird
import NIOCore

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
        let body = ByteBuffer(string: text)
        return { _, _ in
            Response(
                status: .ok, headers: [.contentType: mediaType, .cacheControl: "public, max-age=300"],
                body: .init(byteBuffer: body))
        }
    }
}
