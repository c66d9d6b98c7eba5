import Problems

/// A submission to a problem of type submit-answer: the answers themselves. The package format leaves its shape open; a
/// program that prints the answer to its input is taken as well.
///
/// A line `=== NAME` begins the answer to the test of that name (`secret/1`, or its last part where that is clear). A text
/// without such a line is the answer to the one secret test, or to each where there are more. Tests without an answer
/// have an empty one, except samples, which are then accepted unseen: the answer to them is in the statement.
public struct AnswerText: Sendable, Equatable {
    /// The language id of such submissions.
    public static let language = "text"
    private static let header = Array("=== ".utf8)

    private var whole: [UInt8]
    private var byName: [String: [UInt8]] = [:]

    init(_ source: [UInt8]) {
        whole = source
        var name: String?
        for line in source.split(separator: 0x0a, omittingEmptySubsequences: false) {
            if line.starts(with: Self.header) {
                let title = String(decoding: line.dropFirst(Self.header.count), as: UTF8.self)
                let trimmed = title.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                name = trimmed
                byName[trimmed] = []
            } else if let name {
                byName[name, default: []] += line + [0x0a]
            }
        }
    }

    /// Of a package's submission: each file is the answer to the test it is named after (`1.ans`, `1.out`); a single
    /// file may also be a text with headers.
    init(files: [String: [UInt8]]) {
        if files.count == 1, let only = files.first {
            self.init(only.value)
            return
        }
        self.init([])
        for (path, content) in files {
            let file = path.split(separator: "/").last.map(String.init) ?? path
            byName[file.lastIndex(of: ".").map { String(file[..<$0]) } ?? file] = content
        }
    }

    /// Nil when the submission does not answer that test.
    func answer(to test: TestCase) -> [UInt8]? {
        let isSample = test.name.hasPrefix("sample/")
        if byName.isEmpty { return isSample ? test.answer : whole }
        let last = test.name.split(separator: "/").last.map(String.init) ?? test.name
        return byName[test.name] ?? (isSample ? test.answer : byName[last])
    }
}
