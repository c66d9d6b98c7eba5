/// Checks that bytes are one JSON text by the grammar of RFC 8259, nested no deeper than a limit, before any parser
/// that recurses or forgives sees them. O(n), one pass, no allocation but a stack of at most `depth` entries.
package struct JSONSyntax {
    package enum Fault: Error, Sendable { case malformed, tooDeep }

    private let bytes: [UInt8]
    private let depth: Int
    private var position = 0
    /// The containers that are open: true for an object.
    private var open: [Bool] = []

    private init(_ bytes: [UInt8], depth: Int) {
        self.bytes = bytes
        self.depth = depth
    }

    /// Throws unless `bytes` are one JSON text. That they are UTF-8 is for the caller to check.
    package static func check(_ bytes: [UInt8], depth: Int) throws(Fault) {
        var parser = JSONSyntax(bytes, depth: depth)
        try parser.text()
    }

    private mutating func text() throws(Fault) {
        repeat {
            try startOfValue()
            // A value has ended; so may the containers around it.
            while let isObject = open.last {
                skipSpace()
                if take(UInt8(ascii: ",")) {
                    if isObject { try key() }
                    break
                }
                guard take(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else { throw .malformed }
                open.removeLast()
            }
        } while !open.isEmpty
        skipSpace()
        guard position == bytes.count else { throw .malformed }
    }

    /// Consumes up to the first value that is complete: a scalar, or an empty container.
    private mutating func startOfValue() throws(Fault) {
        while true {
            skipSpace()
            switch peek {
            case UInt8(ascii: "{"):
                position += 1
                skipSpace()
                if take(UInt8(ascii: "}")) { return }
                try enter(object: true)
                try key()
            case UInt8(ascii: "["):
                position += 1
                skipSpace()
                if take(UInt8(ascii: "]")) { return }
                try enter(object: false)
            case UInt8(ascii: "\""): return try string()
            case UInt8(ascii: "t"): return try word("true")
            case UInt8(ascii: "f"): return try word("false")
            case UInt8(ascii: "n"): return try word("null")
            default: return try number()
            }
        }
    }

    private mutating func enter(object isObject: Bool) throws(Fault) {
        guard open.count < depth else { throw .tooDeep }
        open.append(isObject)
    }

    private mutating func key() throws(Fault) {
        skipSpace()
        try string()
        skipSpace()
        guard take(UInt8(ascii: ":")) else { throw .malformed }
    }

    private mutating func string() throws(Fault) {
        guard take(UInt8(ascii: "\"")) else { throw .malformed }
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return
            case UInt8(ascii: "\\"): try escape()
            case 0..<0x20: throw .malformed
            default: break
            }
        }
        throw .malformed
    }

    private mutating func escape() throws(Fault) {
        guard let byte = peek else { throw .malformed }
        position += 1
        switch byte {
        case UInt8(ascii: "u"):
            for _ in 0..<4 {
                guard let digit = peek, Self.isHexadecimal(digit) else { throw .malformed }
                position += 1
            }
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return
        default: throw .malformed
        }
    }

    private mutating func number() throws(Fault) {
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
    }

    /// One digit or more.
    private mutating func digits() throws(Fault) {
        let start = position
        while let byte = peek, (0x30...0x39).contains(byte) { position += 1 }
        if position == start { throw .malformed }
    }

    private mutating func word(_ text: StaticString) throws(Fault) {
        for index in 0..<text.utf8CodeUnitCount {
            guard take(text.utf8Start[index]) else { throw .malformed }
        }
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
