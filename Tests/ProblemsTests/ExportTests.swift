import PackageFiles
import Problems
import TestSupport
import Testing

@Suite struct ExportTests {
    @Test("what is written reads back as the same package, and the same bytes come again")
    func roundTrips() throws {
        var random = SeededGenerator()
        for _ in 0..<20 * testScale {
            var tree = PackageTree(shortName: "sums", files: ["problem.yaml": Array("name: Sums\n".utf8)])
            for index in 0..<Int.random(in: 0...30, using: &random) {
                let size = [0, 1, 100, 70_000].randomElement(using: &random) ?? 0
                let byte = UInt8.random(in: 0...255, using: &random)
                tree.files["data/secret/\(index % 5)/\(index).in"] =
                    Bool.random(using: &random)
                    ? [UInt8](repeating: byte, count: size)
                    : (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
            }
            if Bool.random(using: &random) { tree = tree.withTimeLimit(ms: 1_500) }
            let bytes = try PackageExport.zip(tree)
            #expect(try PackageArchive.read(bytes, name: "other") == tree, "\(random)")
            #expect(try PackageExport.zip(tree) == bytes, "\(random)")
        }
    }

    @Test("a package of one empty file reads back")
    func empty() throws {
        let tree = PackageTree(shortName: "sums", files: ["problem.yaml": []])
        #expect(try PackageArchive.read(PackageExport.zip(tree), name: "x") == tree)
    }
}
