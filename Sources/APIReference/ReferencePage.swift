import Yams

/// Writes the page of a description.
struct ReferencePage {
    private let document: OpenAPIDocument

    init(_ document: OpenAPIDocument) { self.document = document }

    func html() -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(document.title.asHTML): HTTP interface</title>
        <link rel="icon" href="/icon.svg">
        <link rel="stylesheet" href="\(APIReference.stylePath)">
        </head>
        <body>
        <header>
        <a class="skip" href="#content">Skip to the calls</a>
        <h1>\(document.title.asHTML): HTTP interface</h1>
        \(document.description.asParagraphs)
        <p>Version \(document.version.asHTML). The same for programs: <a href="/api/openapi.yaml">openapi.yaml</a>.</p>
        </header>
        <nav aria-label="Calls">
        \(document.tags.map(contents).joined())<h2><a href="#schemas">Schemas</a></h2>
        </nav>
        <main id="content" tabindex="-1">
        \(document.tags.map(section).joined())<h2 id="schemas">Schemas</h2>
        \(document.schemas.map(schemaSection).joined())</main>
        </body>
        </html>

        """
    }

    // MARK: Calls

    private func operations(of tag: String) -> [OpenAPIDocument.Operation] {
        document.operations.filter { $0.tag == tag }
    }

    private func contents(of tag: String) -> String {
        let items = operations(of: tag).map { call in
            "<li><a href=\"#call-\(call.id.asHTML)\"><code>\(call.method) \(call.path.asHTML)</code></a></li>\n"
        }
        return "<h2><a href=\"#tag-\(tag.asHTML)\">\(tag.asHTML)</a></h2>\n<ul>\n\(items.joined())</ul>\n"
    }

    private func section(of tag: String) -> String {
        "<h2 id=\"tag-\(tag.asHTML)\">\(tag.asHTML)</h2>\n" + operations(of: tag).map(article).joined()
    }

    private func article(_ call: OpenAPIDocument.Operation) -> String {
        let id = "call-\(call.id.asHTML)"
        var html = """
            <article id="\(id)" aria-labelledby="\(id)-name">
            <h3 id="\(id)-name"><span class="method">\(call.method)</span> <code>\(call.path.asHTML)</code></h3>
            <p><strong>\(call.summary.asHTML)</strong>\(call.needsToken ? "" : " <span class=\"note\">No token needed.</span>")</p>
            \(call.description.asParagraphs)

            """
        html += parameters(call.parameters)
        if let body = call.requestBody.map(document.resolved) {
            let isRequired = body["required"]?.string == "true"
            html += "<h4>Body\(isRequired ? "" : " (optional)")</h4>\n" + content(of: body)
        }
        html += "<h4>Answers</h4>\n" + call.responses.map(answer).joined() + "</article>\n"
        return html
    }

    private func parameters(_ nodes: [Node]) -> String {
        guard !nodes.isEmpty else { return "" }
        let rows = nodes.map(document.resolved).map { parameter in
            let name = parameter["name"]?.string ?? ""
            let place = parameter["in"]?.string ?? ""
            let isRequired = parameter["required"]?.string == "true"
            let type = parameter["schema"].map(type) ?? ""
            return "<tr><th scope=\"row\"><code>\(name.asHTML)</code></th><td>\(place.asHTML)"
                + "\(isRequired ? "" : ", optional")</td><td>\(type)</td>"
                + "<td>\((parameter["description"]?.string ?? "").asInline)</td></tr>\n"
        }
        return "<table><caption>Parameters</caption>\n\(rows.joined())</table>\n"
    }

    private func answer(_ status: String, _ node: Node) -> String {
        let response = document.resolved(node)
        let text = (response["description"]?.string ?? "").asInline
        let fields = response["headers"]?.mapping?.compactMap { name, field in
            name.string.map { name in
                "<li><code>\(name.asHTML)</code> \((document.resolved(field)["description"]?.string ?? "").asInline)</li>\n"
            }
        }
        let headers = fields.map { "<p>Fields:</p>\n<ul>\n\($0.joined())</ul>\n" } ?? ""
        let inside = headers + content(of: response)
        guard !inside.isEmpty else { return "<p><code>\(status.asHTML)</code> \(text)</p>\n" }
        // What went well is open; refusals are all alike.
        return
            "<details\(status.hasPrefix("2") ? " open" : "")><summary><code>\(status.asHTML)</code> \(text)</summary>\n"
            + "\(inside)</details>\n"
    }

    private func content(of node: Node) -> String {
        let types = node["content"]?.mapping?.compactMap { mediaType, content -> String? in
            guard let name = mediaType.string else { return nil }
            let schema = content["schema"].map { ": \(type($0))" } ?? ""
            return "<p><code>\(name.asHTML)</code>\(schema)</p>\n" + examples(of: content)
                + (content["schema"].map(inlineProperties) ?? "")
        }
        return types?.joined() ?? ""
    }

    private func examples(of node: Node) -> String {
        var found = [node["example"]].compactMap(\.self)
        found += node["examples"]?.mapping?.compactMap { $0.value["value"] } ?? []
        // A schema's are a list of values.
        found += node["examples"]?.sequence.map { Array($0) } ?? []
        return found.map { "<pre>\(JSONExample.text(of: $0).asHTML)</pre>\n" }.joined()
    }

    // MARK: Schemas

    /// A link where a schema has a name, its properties where it has none.
    private func inlineProperties(_ schema: Node) -> String {
        OpenAPIDocument.schemaName(of: schema) == nil ? properties(of: schema) : ""
    }

    private func schemaSection(_ name: String, _ schema: Node) -> String {
        """
        <section class="schema" id="schema-\(name.asHTML)" aria-labelledby="schema-\(name.asHTML)-name">
        <h3 id="schema-\(name.asHTML)-name">\(name.asHTML)</h3>
        \((schema["description"]?.string ?? "").asParagraphs)
        \(schema["type"]?.string == "object" ? "" : "<p>\(type(schema))</p>")
        \(properties(of: schema))\(examples(of: schema))</section>

        """
    }

    private func properties(of schema: Node) -> String {
        guard let properties = schema["properties"]?.mapping, !properties.isEmpty else { return "" }
        let required = Set(schema["required"]?.sequence?.compactMap(\.string) ?? [])
        let rows = properties.map { key, value in
            let name = key.string ?? ""
            let notes = [
                (document.resolved(value)["description"]?.string ?? "").asInline,
                value["example"].map { "Example: <code>\(JSONExample.text(of: $0).asHTML)</code>" } ?? "",
                OpenAPIDocument.schemaName(of: value) == nil ? inner(value) : "",
            ].filter { !$0.isEmpty }
            return "<tr><th scope=\"row\"><code>\(name.asHTML)</code></th>"
                + "<td>\(type(value))\(required.contains(name) ? "" : ", optional")</td>"
                + "<td>\(notes.joined(separator: " "))</td></tr>\n"
        }
        return "<table>\n\(rows.joined())</table>\n"
    }

    /// Properties of an object, or of a list's objects, that have no schema of their own.
    private func inner(_ node: Node) -> String {
        properties(of: node) + (node["items"].map(inlineProperties) ?? "")
    }

    /// A schema in a few words.
    private func type(_ node: Node) -> String {
        if let name = OpenAPIDocument.schemaName(of: node) {
            return "<a href=\"#schema-\(name.asHTML)\">\(name.asHTML)</a>"
        }
        for key in ["oneOf", "anyOf", "allOf"] {
            guard let parts = node[key]?.sequence else { continue }
            return parts.map(type).joined(separator: key == "allOf" ? " and " : " or ")
        }
        if let value = node["const"] { return "<code>\(JSONExample.text(of: value).asHTML)</code>" }
        if let values = node["enum"]?.sequence {
            return values.map { "<code>\(JSONExample.text(of: $0).asHTML)</code>" }.joined(separator: " | ")
        }
        let names =
            node["type"].map { $0.string.map { [$0] } ?? $0.sequence?.compactMap(\.string) ?? [] } ?? []
        var words = names.joined(separator: " or ").asHTML
        if let items = node["items"] { words = "list of \(type(items))" }
        if let format = node["format"]?.string { words += " (\(format.asHTML))" }
        return words + bounds(of: node)
    }

    private func bounds(of node: Node) -> String {
        let names = [
            ("minimum", "≥"), ("maximum", "≤"), ("minLength", "length ≥"), ("maxLength", "length ≤"),
            ("minItems", "items ≥"), ("maxItems", "items ≤"), ("default", "default"), ("pattern", "pattern"),
        ]
        let found = names.compactMap { key, sign in
            node[key].map { "\(sign) <code>\(JSONExample.text(of: $0).asHTML)</code>" }
        }
        return found.isEmpty ? "" : ", " + found.joined(separator: ", ")
    }
}
