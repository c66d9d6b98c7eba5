/// Entity tags and `If-None-Match` (RFC 9110, sections 8.8.3 and 13.1.2).
enum EntityTag {
    /// Whether a field names the tag; by the weak comparison, as that field asks for.
    static func matches(_ field: String, _ tag: String) -> Bool {
        func opaque(_ tag: Substring) -> Substring { tag.hasPrefix("W/") ? tag.dropFirst(2) : tag }
        return field == "*"
            || field.split(separator: ",").contains { candidate in
                opaque(candidate.filter { $0 != " " }[...]) == opaque(tag[...])
            }
    }
}
