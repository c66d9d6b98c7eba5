import CRDT
import Foundation
import Testing

/// A case of `fixtures/yjs`: steps that were done on Yjs, with what it gave.
struct Fixture: Sendable, CustomTestStringConvertible {
    /// One step: what to do, its arguments, and the result if it has one.
    struct Step: Sendable {
        var name: String
        var arguments: [Value]
        var result: Value?

        /// nil unless it is a list that begins with a name.
        init?(_ value: Value) {
            guard var parts = value.array, let name = parts.first?.string else { return nil }
            parts.removeFirst()
            if let result = parts.last?["is"], parts.last?["$"] == nil {
                self.result = result
                parts.removeLast()
            }
            self.name = name
            arguments = parts
        }
    }

    var file: String
    var row: String
    var name: String
    var steps: [Step]

    var testDescription: String { "\(row): \(name)" }

    static let folder = repositoryRoot.appendingPathComponent("fixtures/yjs")

    /// All cases of all files, in the order of the files' names.
    static let all: [Fixture] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".json") }.sorted().flatMap { file -> [Fixture] in
            let url = folder.appendingPathComponent(file)
            guard let text = try? String(contentsOf: url, encoding: .utf8),
                let cases = JSONParser.parse(text, maxNesting: 128)?["cases"]?.array
            else { return [Fixture(file: file, row: "unreadable", name: file, steps: [])] }
            return cases.map { one in
                Fixture(
                    file: file, row: one["row"]?.string ?? "", name: one["name"]?.string ?? "",
                    steps: (one["steps"]?.array ?? []).compactMap(Step.init))
            }
        }
    }()
}

/// A step that the runner does not know or that does not fit what was done before.
struct FixtureError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// The arguments of a step, by position.
struct Arguments {
    let values: [Value]

    var count: Int { values.count }

    subscript(index: Int) -> Value { index < values.count ? values[index] : .undefined }

    func string(_ index: Int) throws -> String {
        guard let text = self[index].string else { throw FixtureError("argument \(index) is no text") }
        return text
    }

    func integer(_ index: Int) throws -> Int {
        guard let number = self[index].integer else { throw FixtureError("argument \(index) is no integer") }
        return number
    }
}

extension Value {
    /// JSON with the keys of every object sorted, so that equal values are equal texts.
    var sortedJSON: String { sortedKeys.json }

    private var sortedKeys: Value {
        switch self {
        case .array(let values): .array(values.map(\.sortedKeys))
        case .object(let entries):
            .object(entries.map { Entry($0.key, $0.value.sortedKeys) }.sorted { $0.key < $1.key })
        default: self
        }
    }
}
