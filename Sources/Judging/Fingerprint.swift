/// The fingerprint of a program: hashes of runs of its tokens, thinned out by winnowing, so that any run of
/// `run + window - 1` tokens that two programs share leaves a hash in both (Schleimer, Wilkerson, Aiken: "Winnowing: Local
/// Algorithms for Document Fingerprinting", 2003).
///
/// Names, numbers and texts all look alike, and comments and white space are not seen: renaming and reformatting change
/// nothing. Keywords stay. Time is linear in the source.
struct Fingerprint: Sendable, Equatable {
    static let run = 12
    static let window = 6

    private(set) var hashes: Set<UInt64> = []

    init(source: [UInt8]) {
        let tokens = Tokens(source).list
        guard tokens.count >= Self.run else {
            if !tokens.isEmpty { hashes = [Self.hash(tokens[...])] }
            return
        }
        let grams = (0...tokens.count - Self.run).map { Self.hash(tokens[$0..<$0 + Self.run]) }
        guard grams.count > Self.window else {
            if let least = grams.min() { hashes = [least] }
            return
        }
        for start in 0...grams.count - Self.window {
            if let least = grams[start..<start + Self.window].min() { hashes.insert(least) }
        }
    }

    /// FNV-1a over the tokens' own hashes.
    private static func hash(_ tokens: ArraySlice<UInt64>) -> UInt64 {
        tokens.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ $1) &* 0x0000_0100_0000_01b3 }
    }

    /// A rough lexer for all languages of the table.
    private struct Tokens {
        private(set) var list: [UInt64] = []
        private let bytes: [UInt8]
        private var position = 0

        private static let keywords: Set<String> = [
            "if", "else", "elif", "for", "while", "do", "return", "break", "continue", "switch", "case",
            "def", "class",
            "struct", "in", "not", "and", "or", "try", "except", "catch", "import", "include", "using",
            "match", "fn",
            "func", "let", "var", "const", "int", "long", "double", "float", "bool", "char", "void", "new",
            "yield",
            "lambda", "with", "range", "enum", "static", "public", "private", "goto", "guard", "loop", "mut",
            "impl",
        ]

        init(_ source: [UInt8]) {
            bytes = source
            while position < bytes.count { takeOne() }
        }

        private mutating func takeOne() {
            let byte = bytes[position]
            switch byte {
            case 0x20, 0x09...0x0d: position += 1
            case 0x23: skip(until: [0x0a])
            case 0x2f where peek(1) == 0x2f: skip(until: [0x0a])
            case 0x2f where peek(1) == 0x2a: skip(until: [0x2a, 0x2f])
            case 0x22, 0x27, 0x60: takeText(byte)
            case _ where isWord(byte): takeWord()
            default:
                list.append(UInt64(byte))
                position += 1
            }
        }

        private func peek(_ ahead: Int) -> UInt8? {
            position + ahead < bytes.count ? bytes[position + ahead] : nil
        }

        private func isWord(_ byte: UInt8) -> Bool {
            byte == 0x5f || byte >= 0x80 || (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
                || (0x61...0x7a).contains(byte)
        }

        private mutating func skip(until mark: [UInt8]) {
            position += 1
            while position < bytes.count, !bytes[position...].starts(with: mark) { position += 1 }
            position = min(bytes.count, position + mark.count)
        }

        /// To the closing quote, or the end of the line: what is not closed must not swallow the program.
        private mutating func takeText(_ quote: UInt8) {
            position += 1
            while position < bytes.count, bytes[position] != quote, bytes[position] != 0x0a {
                position += bytes[position] == 0x5c ? 2 : 1
            }
            position = min(bytes.count, position + 1)
            list.append(0x100)
        }

        private mutating func takeWord() {
            let start = position
            while position < bytes.count, isWord(bytes[position]) { position += 1 }
            let word = bytes[start..<position]
            if let first = word.first, (0x30...0x39).contains(first) {
                list.append(0x101)
            } else if word.count <= 8, Self.keywords.contains(String(decoding: word, as: UTF8.self)) {
                list.append(word.reduce(0x200) { ($0 &* 31) &+ UInt64($1) })
            } else {
                list.append(0x102)
            }
        }
    }
}
