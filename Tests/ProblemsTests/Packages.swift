import Problems

/// As a change of a package: the file is not there.
let absent = "\u{0}absent"

/// A package of text files. Without changes it is a valid legacy one.
func package(_ name: String = "sums", _ changes: [String: String] = [:]) -> PackageTree {
    var files: [String: String] = [
        "problem.yaml": "name: Sums\n",
        "problem_statement/problem.en.md": "Add two numbers.\n",
        "data/sample/1.in": "1 2\n", "data/sample/1.ans": "3\n",
        "data/secret/1.in": "2 3\n", "data/secret/1.ans": "5\n",
        "submissions/accepted/sum.py": "print(sum(map(int, input().split())))\n",
    ]
    for (path, text) in changes { files[path] = text == absent ? nil : text }
    return PackageTree(shortName: name, files: files.mapValues { Array($0.utf8) })
}

/// A valid package of 2025-09.
func currentPackage(
    _ yaml: String = "", name: String = "name: Sums", type: String = "pass-fail",
    changes: [String: String] = [:]
) -> PackageTree {
    var files: [String: String] = [
        "problem.yaml": """
        problem_format_version: 2025-09
        uuid: 117b564d-429b-44d4-bf8c-c264a3703e07
        type: \(type)
        \(name)
        \(yaml)

        """,
        "problem_statement/problem.en.md": absent,
        "statement/problem.en.md": "Add two numbers.\n",
    ]
    for (path, text) in changes { files[path] = text }
    return package("sums", files)
}

/// The faults of a package, as lines.
func faults(_ tree: PackageTree) -> [String] {
    do throws(ProblemsError) {
        _ = try PackageParser.parse(tree)
        return []
    } catch {
        return error.faults.map(\.description)
    }
}
