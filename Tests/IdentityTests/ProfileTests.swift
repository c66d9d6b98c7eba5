import Identity
import Testing

/// Profiles and pictures, by their checks.
@Suite struct ProfileTests {
    private func faults(_ profile: Profile) -> [String] {
        profile.faults(isTimeZone: { $0 == "Europe/Berlin" }).map(\.field)
    }

    @Test func takesPlainProfiles() {
        #expect(
            faults(
                Profile(
                    displayName: "Zoë Ångström", country: "DE", languages: ["de", "pt-BR", "zh-Hant-TW"],
                    timeZone: "Europe/Berlin", bio: "One line.\nAnother.")) == [])
        #expect(faults(Profile()) == [])
    }

    @Test func namesEveryFault() {
        let bad = Profile(
            displayName: "\u{202E}evil", country: "XX", languages: ["english"], timeZone: "Mars/Base",
            bio: "a\u{0}b")
        #expect(faults(bad) == ["display_name", "country", "languages", "time_zone", "bio"])
        #expect(faults(Profile(displayName: "   ")) == ["display_name"])
        #expect(faults(Profile(displayName: String(repeating: "a", count: 65))) == ["display_name"])
        #expect(faults(Profile(languages: ["de", "de"])) == ["languages"])
        #expect(faults(Profile(bio: String(repeating: "a", count: 2_001))) == ["bio"])
    }

    static func png(width: Int = 64, height: Int = 64, extra: [UInt8] = []) -> [UInt8] {
        func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: data.count >> (24 - $0 * 8)) } + Array(name.utf8) + data
                + [0, 0, 0, 0]
        }
        func number(_ value: Int) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - $0 * 8)) }
        }
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
            + chunk("IHDR", number(width) + number(height) + [8, 2, 0, 0, 0])
            + (extra.isEmpty ? [] : chunk("tEXt", extra)) + chunk("IDAT", [1, 2, 3]) + chunk("IEND", [])
    }

    static func jpeg(extra: [UInt8] = []) -> [UInt8] {
        func segment(_ marker: UInt8, _ data: [UInt8]) -> [UInt8] {
            [0xFF, marker, UInt8((data.count + 2) >> 8), UInt8((data.count + 2) & 255)] + data
        }
        return [0xFF, 0xD8] + segment(0xE0, Array("JFIF\0".utf8))
            + (extra.isEmpty ? [] : segment(0xE1, extra)) + segment(0xC0, [8, 0, 40, 0, 50, 1, 1, 0x11, 0])
            + segment(0xDA, [1, 1, 0, 0, 63, 0]) + [1, 2, 3, 0xFF, 0xD9]
    }

    static func webp(extra: [UInt8] = []) -> [UInt8] {
        func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
            Array(name.utf8) + (0..<4).map { UInt8(truncatingIfNeeded: data.count >> ($0 * 8)) } + data
                + (data.count % 2 == 1 ? [0] : [])
        }
        let chunks =
            chunk("VP8X", [0x0C, 0, 0, 0, 63, 0, 0, 31, 0, 0]) + chunk("VP8L", [0x2F, 0, 0, 0, 0])
            + (extra.isEmpty ? [] : chunk("EXIF", extra))
        let length = chunks.count + 4
        return Array("RIFF".utf8) + (0..<4).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) }
            + Array("WEBP".utf8) + chunks
    }

    @Test func tellsPicturesByTheirBytes() throws {
        let png = try #require(Picture(Self.png(width: 64, height: 32)))
        #expect(png.mediaType == "image/png" && png.width == 64 && png.height == 32)
        let jpeg = try #require(Picture(Self.jpeg()))
        #expect(jpeg.mediaType == "image/jpeg" && jpeg.width == 50 && jpeg.height == 40)
        let webp = try #require(Picture(Self.webp()))
        #expect(webp.mediaType == "image/webp" && webp.width == 64 && webp.height == 32)
        for other in ["<svg xmlns='http://www.w3.org/2000/svg'/>", "GIF89a", "<html>", "", "RIFF0000WEBP"] {
            #expect(Picture(Array(other.utf8)) == nil)
        }
    }

    @Test func dropsWhatIsNotThePicture() throws {
        let place = Array("GPS 52.5200 N".utf8)
        for bytes in [Self.png(extra: place), Self.jpeg(extra: place), Self.webp(extra: place)] {
            #expect(String(decoding: bytes, as: UTF8.self).contains("GPS"))
            let picture = try #require(Picture(bytes))
            #expect(!String(decoding: picture.bytes, as: UTF8.self).contains("GPS"))
            // What is left is a picture still.
            #expect(Picture(picture.bytes) == picture)
        }
    }

    @Test func damagedPicturesNeverTrap() {
        let seed: UInt64 = 7
        let random = SeededBytes(seed: seed)
        for base in [Self.png(extra: [1, 2, 3]), Self.jpeg(extra: [4, 5]), Self.webp(extra: [6])] {
            for length in 0...base.count { _ = Picture(Array(base.prefix(length))) }
            for _ in 0..<3_000 {
                var bytes = base
                for byte in random.next(3) { bytes[Int(byte) % bytes.count] = random.next(1)[0] }
                if let picture = Picture(bytes) { #expect(Picture(picture.bytes) != nil, "seed \(seed)") }
            }
        }
    }
}
