/// A picture as far as it has to be understood to be served to others: its kind and size, and its bytes without what
/// cameras and programs add. The pixels are not decoded. Bounded by the length of the bytes; never traps.
package struct Picture: Sendable, Equatable {
    package var mediaType: String
    package var width: Int
    package var height: Int
    package var bytes: [UInt8]

    /// Nil for bytes that are no PNG, JPEG or WebP.
    package init?(_ bytes: [UInt8]) {
        guard let found = Self.png(bytes) ?? Self.jpeg(bytes) ?? Self.webp(bytes) else { return nil }
        self = found
    }

    private init(_ mediaType: String, width: Int, height: Int, bytes: [UInt8]) {
        self.mediaType = mediaType
        self.width = width
        self.height = height
        self.bytes = bytes
    }

    /// A number of `count` bytes at an offset; nil beyond the end.
    private static func number(_ bytes: [UInt8], _ offset: Int, _ count: Int, littleEndian: Bool = false)
        -> Int?
    {
        guard offset >= 0, count <= 4, offset <= bytes.count - count else { return nil }
        let part = bytes[offset..<(offset + count)]
        return (littleEndian ? Array(part.reversed()) : Array(part)).reduce(0) { $0 << 8 | Int($1) }
    }

    // MARK: PNG (W3C PNG, section 5)

    private static let pngSignature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    /// What a decoder needs, and what changes how colours look.
    private static let pngChunks: Set<String> = [
        "IHDR", "PLTE", "IDAT", "IEND", "tRNS", "cHRM", "gAMA", "iCCP", "sBIT", "sRGB", "bKGD", "pHYs",
    ]

    private static func png(_ bytes: [UInt8]) -> Picture? {
        guard bytes.starts(with: pngSignature) else { return nil }
        var kept = pngSignature
        var size: (width: Int, height: Int)?
        var hasPixels = false
        var offset = pngSignature.count
        while let length = number(bytes, offset, 4), bytes.count - offset - 12 >= length {
            let name = String(decoding: bytes[(offset + 4)..<(offset + 8)], as: UTF8.self)
            if size == nil {
                guard name == "IHDR", length == 13, let width = number(bytes, offset + 8, 4),
                    let height = number(bytes, offset + 12, 4)
                else { return nil }
                size = (width, height)
            }
            if name == "IDAT" { hasPixels = true }
            let end = offset + 12 + length
            if pngChunks.contains(name) { kept += bytes[offset..<end] }
            if name == "IEND" {
                guard let size, hasPixels else { return nil }
                return Picture("image/png", width: size.width, height: size.height, bytes: kept)
            }
            offset = end
        }
        return nil
    }

    // MARK: JPEG (ITU-T T.81, annex B)

    private static func jpeg(_ bytes: [UInt8]) -> Picture? {
        guard bytes.starts(with: [0xFF, 0xD8, 0xFF]) else { return nil }
        var kept: [UInt8] = [0xFF, 0xD8]
        var size: (width: Int, height: Int)?
        var offset = 2
        while bytes.count - offset >= 4, bytes[offset] == 0xFF {
            let marker = bytes[offset + 1]
            if marker == 0xFF {
                offset += 1
                continue
            }
            guard let length = number(bytes, offset + 2, 2), length >= 2, bytes.count - offset - 2 >= length
            else { return nil }
            let end = offset + 2 + length
            // SOF0…SOF15 without DHT, JPG and DAC.
            if (0xC0...0xCF).contains(marker), ![0xC4, 0xC8, 0xCC].contains(marker) {
                guard let height = number(bytes, offset + 5, 2), let width = number(bytes, offset + 7, 2)
                else { return nil }
                size = (width, height)
            }
            if marker == 0xDA {
                // From here on the picture itself, to the end.
                guard let size, bytes.suffix(2) == [0xFF, 0xD9] else { return nil }
                kept += bytes[offset...]
                return Picture("image/jpeg", width: size.width, height: size.height, bytes: kept)
            }
            // APP0 (JFIF), APP2 (colours) and APP14 (Adobe) say how to decode; other APPn and comments are extras.
            let isExtra =
                marker == 0xFE || ((0xE0...0xEF).contains(marker) && ![0xE0, 0xE2, 0xEE].contains(marker))
            if !isExtra { kept += bytes[offset..<end] }
            offset = end
        }
        return nil
    }

    // MARK: WebP (RFC 9649)

    private static func webp(_ bytes: [UInt8]) -> Picture? {
        guard bytes.count >= 20, bytes.starts(with: Array("RIFF".utf8)),
            bytes[8..<12].elementsEqual("WEBP".utf8),
            number(bytes, 4, 4, littleEndian: true) == bytes.count - 8
        else { return nil }
        var chunks: [UInt8] = []
        var size: (width: Int, height: Int)?
        var offset = 12
        while let length = number(bytes, offset + 4, 4, littleEndian: true),
            bytes.count - offset - 8 >= length + length % 2
        {
            let name = String(decoding: bytes[offset..<(offset + 4)], as: UTF8.self)
            let end = offset + 8 + length + length % 2
            if size == nil { size = webpSize(bytes, name, offset + 8, length) }
            if name == "ANIM" || name == "ANMF" { return nil }
            if !["EXIF", "XMP "].contains(name) {
                var chunk = Array(bytes[offset..<end])
                // The flags of an extended header must not promise what is left out (EXIF 0x08, XMP 0x04).
                if name == "VP8X", length >= 1 { chunk[8] &= ~0x0C }
                chunks += chunk
            }
            offset = end
        }
        guard offset == bytes.count, let size else { return nil }
        let length = chunks.count + 4
        let header = Array("RIFF".utf8) + (0..<4).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) }
        return Picture(
            "image/webp", width: size.width, height: size.height, bytes: header + Array("WEBP".utf8) + chunks)
    }

    private static func webpSize(
        _ bytes: [UInt8], _ name: String, _ offset: Int, _ length: Int
    ) -> (width: Int, height: Int)? {
        switch name {
        case "VP8X":
            guard length >= 10, let width = number(bytes, offset + 4, 3, littleEndian: true),
                let height = number(bytes, offset + 7, 3, littleEndian: true)
            else { return nil }
            return (width + 1, height + 1)
        case "VP8 ":
            guard length >= 10, let width = number(bytes, offset + 6, 2, littleEndian: true),
                let height = number(bytes, offset + 8, 2, littleEndian: true)
            else { return nil }
            return (width & 0x3FFF, height & 0x3FFF)
        case "VP8L":
            guard length >= 5, let bits = number(bytes, offset + 1, 4, littleEndian: true) else { return nil }
            return ((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1)
        default: return nil
        }
    }
}
