/// What a person tells others about themselves; everything may be left out.
public struct Profile: Sendable, Equatable {
    public var displayName: String?
    /// ISO 3166-1 alpha-2, upper case.
    public var country: String?
    /// Languages the person speaks, as BCP 47 tags.
    public var languages: [String]
    /// A zone of the IANA data base: `Europe/Berlin`.
    public var timeZone: String?
    public var bio: String?
    /// When the avatar was set; nil without one.
    public var avatarAtMs: Int64?

    public init(
        displayName: String? = nil, country: String? = nil, languages: [String] = [], timeZone: String? = nil,
        bio: String? = nil, avatarAtMs: Int64? = nil
    ) {
        self.displayName = displayName
        self.country = country
        self.languages = languages
        self.timeZone = timeZone
        self.bio = bio
        self.avatarAtMs = avatarAtMs
    }

    /// Every fault of the texts. Whether a time zone exists is for `isTimeZone` to say.
    package func faults(isTimeZone: (String) -> Bool) -> [IdentityError.FieldError] {
        var faults: [IdentityError.FieldError] = []
        if let displayName {
            if !(1...Limits.displayNameBytes).contains(displayName.utf8.count)
                || !Self.isPlain(displayName, lines: false)
                || displayName.allSatisfy(\.isWhitespace)
            {
                faults.append(
                    .init(field: "display_name", message: "Has 1 to 64 bytes of visible text."))
            }
        }
        if let country, !Countries.all.contains(country) {
            faults.append(.init(field: "country", message: "Is no country code of two capital letters."))
        }
        if languages.count > Limits.profileLanguages || Set(languages).count != languages.count
            || !languages.allSatisfy(Self.isLanguageTag)
        {
            faults.append(
                .init(field: "languages", message: "Are at most 8 different tags such as en or pt-BR."))
        }
        if let timeZone, timeZone.utf8.count > Limits.timeZoneBytes || !isTimeZone(timeZone) {
            faults.append(.init(field: "time_zone", message: "Is no time zone such as Europe/Berlin."))
        }
        if let bio, bio.utf8.count > Limits.bioBytes || !Self.isPlain(bio, lines: true) {
            faults.append(.init(field: "bio", message: "Has at most 2,000 bytes of plain text."))
        }
        return faults
    }

    /// Without control characters, and without those that turn the direction of the text around them.
    private static func isPlain(_ text: String, lines: Bool) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            if lines, scalar == "\n" || scalar == "\t" { return true }
            switch scalar.value {
            case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069, 0xFEFF: return false
            default: return true
            }
        }
    }

    /// A language with an optional script and region (the common part of RFC 5646).
    private static func isLanguageTag(_ tag: String) -> Bool {
        let parts = tag.split(separator: "-", omittingEmptySubsequences: false)
        guard let language = parts.first, parts.count <= 3, (2...3).contains(language.utf8.count),
            language.utf8.allSatisfy({ (0x61...0x7A).contains($0) })
        else { return false }
        return parts.dropFirst().allSatisfy { part in
            (2...4).contains(part.utf8.count)
                && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
        }
    }
}

/// The codes of ISO 3166-1.
enum Countries {
    static let all: Set<String> = Set(
        """
        AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY
        BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK
        FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR
        IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK
        ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM
        PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF
        TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
        """.split(whereSeparator: \.isWhitespace).map(String.init))
}
