/// Every row of the description of format and behaviour that has fixtures, by its section: primitives (2.1),
/// layouts (2.2), structs (2.3), other blobs (2.4), documents to bytes (2.5), applying (2.6), conflicts (2.7),
/// splitting (2.8), deleting and joining (2.9), functions on updates (2.10), formatting (2.11), events (2.12),
/// XML, subdocuments and undo (2.13), vectors known before (2.15), messages (2.16), hostile input (2.17).
enum FixtureRows {
    static let all = sections.flatMap { section in section.rows.map { section.number + " " + $0 } }

    private static let sections: [(number: String, rows: [String])] = [
        (
            "2.1",
            [
                "varUint", "varInt", "varString", "any 127 undefined", "any 126 null", "any 125 integer",
                "any 124 float32", "any 123 float64", "any 122 bigint", "any 121 false", "any 120 true",
                "any 119 string", "any 118 object", "any 118 key order", "any 117 array", "any 116 bytes",
                "any read", "any floats", "column RLE", "column UintOptRle", "column IntDiffOptRle",
                "column string",
            ]
        ),
        (
            "2.2",
            [
                "layout", "update event", "client", "left and right id", "info", "string", "parentInfo",
                "typeRef", "len", "skip len", "json", "any and bytes", "key", "versions",
            ]
        ),
        (
            "2.3",
            [
                "contents and flags", "flags 00", "flags 20", "flags 40", "flags 80", "flags c0",
                "flags a0", "flags 60", "flags e0", "parent", "offset", "0x20", "ref 0 GC",
                "ref 1 deleted", "ref 2 JSON", "ref 3 binary", "ref 4 string", "ref 5 embed",
                "ref 6 format", "ref 7 type 0", "ref 7 type 1", "ref 7 type 2", "ref 7 type 3",
                "ref 7 type 4", "ref 7 type 5", "ref 7 type 6", "ref 8 any", "ref 9 document",
                "ref 10 skip",
            ]
        ),
        (
            "2.4",
            [
                "state vector", "delete set v1", "delete set v2", "snapshot", "id", "position item",
                "position root", "position type", "position assoc", "position after edits",
                "position unknown", "position collected", "position redone", "position JSON",
            ]
        ),
        (
            "2.5",
            [
                "since a vector", "deletions", "pending", "pending deletions", "update event",
            ]
        ),
        (
            "2.6",
            [
                "roots", "order", "own gap", "other client", "parent", "stack", "retry", "part known",
                "skips", "pending merged", "pending deletions",
            ]
        ),
        (
            "2.7",
            [
                "same gap", "nested gaps", "right origin", "split origin", "map rule", "map order",
                "parent copied", "parent gone", "neighbour gone", "parent no type", "parent deleted",
                "offset",
            ]
        ),
        (
            "2.8",
            [
                "string", "surrogates", "any", "JSON", "deleted", "map chain", "one unit",
            ]
        ),
        (
            "2.9",
            [
                "content", "nested", "gc off", "keep", "idempotent", "joining", "map", "one transaction",
            ]
        ),
        (
            "2.10",
            [
                "merge", "diff", "vector", "meta", "convert", "contains", "from snapshot",
            ]
        ),
        (
            "2.11",
            [
                "insert", "values", "format", "delete", "delta", "embed type", "cleanup", "concurrent",
                "surrogates",
            ]
        ),
        (
            "2.12",
            [
                "text", "text remote", "array", "array remote", "map", "map remote", "xml", "xml remote",
                "deep", "deep remote", "new types", "new types remote", "deleted types",
                "deleted types remote", "undo", "several",
            ]
        ),
        (
            "2.13",
            [
                "XML", "subdocuments", "undo insertion", "undo deletion", "undo capture", "undo map",
                "undo nested", "undo format", "undo others", "undo origins", "undo scope",
                "undo redo stack",
            ]
        ),
        (
            "2.15",
            [
                "empty", "text", "map", "positions", "surrogates", "bold", "gap", "nested", "subdocument",
                "XML", "concurrent", "undo",
            ]
        ),
        (
            "2.16",
            [
                "sync step 1", "sync step 2", "sync update", "awareness", "awareness clocks", "auth",
                "query awareness", "Hocuspocus",
            ]
        ),
        (
            "2.17",
            [
                "v2 bomb", "counts", "clocks", "numbers", "nesting", "clients", "type references",
                "contents", "value tags", "JSON", "UTF-8", "lengths", "references", "key numbers",
                "feature flag", "end", "awareness", "deletions", "subdocument",
            ]
        ),
    ]
}
