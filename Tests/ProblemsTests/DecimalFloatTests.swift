import Problems
import Testing

@Suite struct DecimalFloatTests {
    @Test(arguments: [
        ("0", 0.0), ("-1.5", -1.5), ("+2", 2), (".5", 0.5), ("5.", 5), ("1e3", 1_000), ("1E-2", 0.01),
        ("3.14e+0", 3.14),
        ("00012", 12), ("1e400", .infinity), ("1e-400", 0),
        ("123456789012345678901234567890.123456789012345678901234567890", 1.2345678901234568e29),
    ])
    func takesNumbers(text: String, value: Double) { #expect(DecimalFloat.parse(text.utf8) == value) }

    @Test(arguments: [
        "", "+", ".", "e3", "1e", "1e+", "inf", "nan", "-inf", "0x10", "1_000", "1,5", " 1", "1 ", "--1",
        "1.2.3", "1e3.5",
        "infinity", "1f", "\u{661}", String(repeating: "1", count: 5_000),
    ])
    func refusesOthers(text: String) { #expect(DecimalFloat.parse(text.utf8) == nil) }
}
