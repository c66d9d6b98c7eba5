import Yams

/// An OpenAPI 3.1 description, as much of it as a reader is shown.
struct OpenAPIDocument {
    struct Operation {
        var method: String
        var path: String
        var id: String
        var tag: String
        var summary: String
        var description: String
        var needsToken: Bool
        var parameters: [Node]
        var requestBody: Node?
        /// By status, in the order of the text.
        var responses: [(status: String, response: Node)]
    }

    let title: String
    let version: String
    let description: String
    let tags: [String]
    let operations: [Operation]
    /// By name, in the order of the text.
    let schemas: [(name: String, schema: Node)]
    private let root: Node

    /// Operations of one path, in the order in which they are shown.
    private static let methods = ["get", "post", "put", "patch", "delete"]

    /// Nil for what is no description.
    init?(yaml: String) {
        guard let root = (try? Yams.compose(yaml: yaml)) ?? nil, let info = root["info"],
            let paths = root["paths"]?.mapping
        else { return nil }
        self.root = root
        title = info["title"]?.string ?? ""
        version = info["version"]?.string ?? ""
        description = info["description"]?.string ?? ""
        tags = root["tags"]?.sequence?.compactMap { $0["name"]?.string } ?? []
        schemas =
            root["components"]?["schemas"]?.mapping?.compactMap { key, value in
                key.string.map { ($0, value) }
            } ?? []
        var operations: [Operation] = []
        for (path, item) in paths {
            for method in Self.methods {
                guard let path = path.string, let node = item[method] else { continue }
                operations.append(Self.operation(method, path, node, shared: item["parameters"]))
            }
        }
        self.operations = operations
    }

    private static func operation(_ method: String, _ path: String, _ node: Node, shared: Node?) -> Operation
    {
        Operation(
            method: method.uppercased(), path: path, id: node["operationId"]?.string ?? "\(method) \(path)",
            tag: node["tags"]?.sequence?.first?.string ?? "", summary: node["summary"]?.string ?? "",
            description: node["description"]?.string ?? "",
            // An empty list of requirements stands for none.
            needsToken: node["security"]?.sequence.map { !$0.isEmpty } ?? true,
            parameters: Array(shared?.sequence ?? []) + Array(node["parameters"]?.sequence ?? []),
            requestBody: node["requestBody"],
            responses: node["responses"]?.mapping?.compactMap { status, response in
                status.string.map { ($0, response) }
            } ?? [])
    }

    /// What a node stands for: itself, or what its `$ref` names. References are followed a few steps at most.
    func resolved(_ node: Node) -> Node {
        var node = node
        for _ in 0..<8 {
            guard let reference = node["$ref"]?.string, reference.hasPrefix("#/") else { return node }
            var target = root
            for key in reference.dropFirst(2).split(separator: "/") {
                guard let next = target[String(key)] else { return node }
                target = next
            }
            node = target
        }
        return node
    }

    /// The name of the schema that a node refers to.
    static func schemaName(of node: Node) -> String? {
        let prefix = "#/components/schemas/"
        guard let reference = node["$ref"]?.string, reference.hasPrefix(prefix) else { return nil }
        return String(reference.dropFirst(prefix.count))
    }
}
