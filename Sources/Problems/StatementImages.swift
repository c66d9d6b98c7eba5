/// A picture of a statement that is safe to serve: of a known raster format, told by its first bytes.
public struct StatementImage: Sendable, Equatable {
    public var mediaType: String
    public var bytes: [UInt8]

    /// Nil for SVG, which can carry programs, and for everything else that is no PNG, JPEG, GIF or WebP.
    init?(_ bytes: [UInt8]) {
        let heads: [(type: String, head: [UInt8])] = [
            ("image/png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
            ("image/jpeg", [0xff, 0xd8, 0xff]),
            ("image/gif", Array("GIF8".utf8)),
        ]
        let isWebP =
            bytes.starts(with: Array("RIFF".utf8)) && bytes.dropFirst(8).starts(with: Array("WEBP".utf8))
        guard let type = isWebP ? "image/webp" : heads.first(where: { bytes.starts(with: $0.head) })?.type,
            bytes.count <= Limits.imageBytes
        else { return nil }
        mediaType = type
        self.bytes = bytes
    }
}

extension StatementReader {
    /// File name → picture, of those directly in the statement's folder. Others are left out: the text is shown without
    /// them.
    func images() -> [String: StatementImage] {
        var images: [String: StatementImage] = [:]
        for (path, bytes) in tree.files where path.hasPrefix(folder + "/") {
            let name = String(path.dropFirst(folder.utf8.count + 1))
            guard !name.contains("/"), images.count < Limits.images, let image = StatementImage(bytes) else {
                continue
            }
            images[name] = image
        }
        return images
    }
}

extension Problem {
    /// Where the gateway serves a picture of the statement; nil when the package has none of that name. LaTeX may leave
    /// the suffix out.
    func imageAddress(_ name: String) -> String? {
        let known = [name] + [".png", ".jpg", ".jpeg", ".gif"].map { name + $0 }
        return known.first { images[$0] != nil }.map { "/api/v1/problems/\(id)/images/\($0)" }
    }
}
