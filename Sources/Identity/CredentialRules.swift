/// What a handle, an e-mail address and a password may be. Each check answers the fault, or nil.
package enum CredentialRules {
    package static func handleFault(_ handle: String) -> String? {
        // Bounded before counting: handles are ASCII, so bytes are characters.
        let bytes = handle.utf8.prefix(Limits.handleLength.upperBound + 1)
        guard Limits.handleLength.contains(bytes.count) else {
            return "A handle has 3 to 20 characters."
        }
        guard bytes.allSatisfy(isHandleByte) else {
            return "A handle has only letters A-Z, digits, '_' and '-'."
        }
        return nil
    }

    static func isHandleByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// The address in lower case, or nil when it cannot be one. Only the outline is checked (one `@`, something
    /// before it, a dotted name after it, no spaces or control characters): whether it receives mail is only
    /// known by sending some.
    package static func normalisedEmail(_ email: String) -> String? {
        guard email.utf8.prefix(Limits.emailBytes + 1).count <= Limits.emailBytes else { return nil }
        guard email.unicodeScalars.allSatisfy({ !isControlOrSpace($0) }) else { return nil }
        let parts = email.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, let local = parts.first, let domain = parts.last, !local.isEmpty else {
            return nil
        }
        guard local.utf8.count <= 64 else { return nil }
        let labels = domain.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count >= 2, labels.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 63 }) else { return nil }
        return email.lowercased()
    }

    package static func passwordFault(_ password: String, handle: String) -> String? {
        guard password.utf8.prefix(Limits.passwordBytes + 1).count <= Limits.passwordBytes,
            password.unicodeScalars.count <= Limits.passwordLength.upperBound
        else { return "A password has at most 128 characters." }
        guard password.unicodeScalars.count >= Limits.passwordLength.lowerBound else {
            return "A password has at least 8 characters."
        }
        guard password.unicodeScalars.allSatisfy({ !isControl($0) }) else {
            return "A password has no control characters."
        }
        let lowered = password.lowercased()
        guard !CommonPasswords.all.contains(lowered), Set(lowered.unicodeScalars).count > 2 else {
            return "This password is one of the first that anyone would try."
        }
        guard lowered != handle.lowercased() else { return "The password is the handle." }
        return nil
    }

    /// True for a password that some account could have; others are refused without hashing.
    static func canBePassword(_ password: String) -> Bool {
        password.utf8.prefix(Limits.passwordBytes + 1).count <= Limits.passwordBytes
            && !password.utf8.contains(0)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control
    }

    private static func isControlOrSpace(_ scalar: Unicode.Scalar) -> Bool {
        isControl(scalar) || scalar.properties.isWhitespace
    }
}
