import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// The files of the built page, read once at the start. A path is only a key of the table, so no request reaches the
/// file system; links and everything else that is no regular file are left out.
package struct StaticFiles: Sendable {
    private struct File: Sendable {
        var content: ByteBuffer
        var mediaType: String
        /// FNV-1a of the content; tells versions apart, protects nothing.
        var entityTag: String
        /// The content as gzip, where that is worth it.
        var compressed: ByteBuffer?

        init(content: ByteBuffer, mediaType: String, entityTag: String) {
            self.content = content
            self.mediaType = mediaType
            self.entityTag = entityTag
            let isWorthIt = Gzip.isWorthIt(type: mediaType, bytes: content.readableBytes)
            compressed = isWorthIt ? Gzip.compress(Array(buffer: content)).map { ByteBuffer(bytes: $0) } : nil
        }
    }

    private let files: [String: File]

    /// Reads the folder; nil, a missing or an empty one gives the page that says how to build it.
    package init(root: String?) {
        var files: [String: File] = [:]
        var total = 0
        if let root { Self.read(folder: root, prefix: "", depth: 0, into: &files, total: &total) }
        if files["index.html"] == nil { files["index.html"] = Self.placeholder }
        self.files = files
    }

    /// The file at `segments`, `index.html` at the root; nil when there is none.
    package func response(to request: Request, segments: [String]) -> Response? {
        let path = segments.isEmpty ? "index.html" : segments.joined(separator: "/")
        guard let file = files[path] else { return nil }
        // Names with a hash never change their content; for the others the tag is asked for each time.
        var fields: HTTPFields = [
            .eTag: file.entityTag,
            .cacheControl: Self.hasHash(path) ? "public, max-age=31536000, immutable" : "no-cache",
        ]
        if file.compressed != nil { fields.addVary("Accept-Encoding") }
        if let tags = request.headers[.ifNoneMatch], EntityTag.matches(tags, file.entityTag) {
            return Response(status: .notModified, headers: fields)
        }
        fields[.contentType] = file.mediaType
        if let compressed = file.compressed, Gzip.isAccepted(request.headers[.acceptEncoding]) {
            fields[.contentEncoding] = "gzip"
            // The same content in other bytes: a weak tag.
            fields[.eTag] = "W/" + file.entityTag
            return Response(status: .ok, headers: fields, body: .init(byteBuffer: compressed))
        }
        return Response(status: .ok, headers: fields, body: .init(byteBuffer: file.content))
    }

    /// The bundler names everything under `assets/` by its content. Elsewhere eight or more letters and digits, with
    /// a digit among them, in front of the suffix are a hash: `app-1f3c9a0b.js`.
    private static func hasHash(_ path: String) -> Bool {
        if path.hasPrefix("assets/") { return true }
        let parts = path.split(whereSeparator: { $0 == "." || $0 == "-" || $0 == "/" })
        return parts.dropLast().suffix(1).contains { part in
            part.count >= 8 && part.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) })
                && part.contains(where: \.isNumber)
        }
    }

    private static func read(
        folder: String, prefix: String, depth: Int, into files: inout [String: File], total: inout Int
    ) {
        let manager = FileManager.default
        guard depth <= GatewayLimits.staticDepth,
            let names = try? manager.contentsOfDirectory(atPath: folder)
        else { return }
        for name in names.sorted() where !name.hasPrefix(".") {
            let path = folder + "/" + name
            // Does not follow links.
            guard let attributes = try? manager.attributesOfItem(atPath: path),
                let type = attributes[.type] as? FileAttributeType
            else { continue }
            if type == .typeDirectory {
                read(folder: path, prefix: prefix + name + "/", depth: depth + 1, into: &files, total: &total)
            } else if type == .typeRegular, files.count < GatewayLimits.staticFiles,
                let content = manager.contents(atPath: path),
                total + content.count <= GatewayLimits.staticBytes
            {
                total += content.count
                files[prefix + name] = File(
                    content: ByteBuffer(bytes: content), mediaType: MediaTypes.ofFile(name),
                    entityTag: entityTag(content))
            }
        }
    }

    private static func entityTag(_ content: Data) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in content { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return "\"\(String(hash, radix: 16))-\(String(content.count, radix: 16))\""
    }

    private static let placeholder = File(
        content: ByteBuffer(
            string: """
                <!doctype html>
                <html lang="en">
                <head><meta charset="utf-8"><title>Coduel</title></head>
                <body>
                <h1>Coduel is running</h1>
                <p>The page has not been built yet. Run <code>script/bootstrap</code> in the project's folder, then
                start the server again. The HTTP interface is described at
                <a href="/api/openapi.yaml">/api/openapi.yaml</a>.</p>
                </body>
                </html>

                """), mediaType: "text/html; charset=utf-8", entityTag: "\"placeholder\"")
}

enum MediaTypes {
    static func ofFile(_ name: String) -> String {
        let suffix = name.split(separator: ".").last.map { $0.lowercased() } ?? ""
        return known[suffix] ?? "application/octet-stream"
    }

    private static let known: [String: String] = [
        "html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8",
        "mjs": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8",
        "json": "application/json; charset=utf-8", "map": "application/json; charset=utf-8",
        "webmanifest": "application/manifest+json", "svg": "image/svg+xml", "png": "image/png",
        "ico": "image/x-icon",
        "webp": "image/webp", "woff2": "font/woff2", "woff": "font/woff", "txt": "text/plain; charset=utf-8",
        "wasm": "application/wasm",
    ]
}
