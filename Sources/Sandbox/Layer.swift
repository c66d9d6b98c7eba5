/// One protection around guests, as a trial run at the start found it.
public struct Layer: Sendable, Equatable {
    /// The name used in `ExecutionResult.layers`.
    public var name: String
    public var isActive: Bool
    /// Whether judging is refused without it (unless weak isolation is allowed).
    public var isRequired: Bool

    public init(name: String, isActive: Bool, isRequired: Bool) {
        self.name = name
        self.isActive = isActive
        self.isRequired = isRequired
    }

    /// Layers whose loss leaves the box standing, because another one covers what they stop.
    private static let optional: Set<String> = [
        "user-namespace", "uts-namespace", "cgroup-namespace", "private-proc",
    ]

    /// The table of all known layers. Where a protection comes from either version of control groups, one
    /// entry stands for both.
    static func table(known: [String], active: Set<String>) -> [Layer] {
        var layers: [Layer] = []
        for name in known {
            guard let family = controlGroupFamily(name) else {
                layers.append(
                    Layer(name: name, isActive: active.contains(name), isRequired: !optional.contains(name)))
                continue
            }
            guard !layers.contains(where: { $0.name.hasPrefix(family) }) else { continue }
            let found = known.first { active.contains($0) && controlGroupFamily($0) == family }
            layers.append(Layer(name: found ?? family, isActive: found != nil, isRequired: true))
        }
        return layers
    }

    /// `cgroup-memory` of `cgroup-memory-v1`.
    private static func controlGroupFamily(_ name: String) -> String? {
        guard name.hasSuffix("-v1") || name.hasSuffix("-v2") else { return nil }
        return String(name.dropLast(3))
    }
}
