import Testing

@Suite struct ImportTests {
    @Test func placeholder() { #expect(Bool(1 == 1)) }
}
