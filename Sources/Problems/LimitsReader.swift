/// Reads `limits` of `problem.yaml`. A limit that is stated is honoured or the package is refused.
struct LimitsReader {
    let root: YAMLMapping
    let format: PackageFormat

    /// - Parameter kind: gets the number of passes.
    func read(_ kind: inout ProblemKind) -> StatedLimits {
        var limits = StatedLimits()
        if format.isLegacy { (limits.acceptedToLimit, limits.limitToExceeded) = (5, 2) }
        guard let map = root.mapping("limits") else { return limits }
        if format.isLegacy { readLegacyTiming(map, &limits) } else { readTiming(map, &limits, &kind) }
        limits.memoryMiB = bounded(map, "memory", atMost: Limits.memoryMiB, unit: "MiB")
        limits.outputMiB = bounded(map, "output", atMost: Limits.outputMiB, unit: "MiB")
        limits.codeKiB = bounded(map, "code", atMost: Limits.codeKiB, unit: "KiB")
        readGuarantees(map, &limits)
        map.finish()
        return limits
    }

    /// The legacy version infers the limit from `time_multiplier`; `time_limit` is an extension that contest systems
    /// write.
    private func readLegacyTiming(_ map: YAMLMapping, _ limits: inout StatedLimits) {
        limits.acceptedToLimit = map.number("time_multiplier", atLeast: 0, exclusive: true) ?? 5
        limits.limitToExceeded = map.number("time_safety_margin", atLeast: 0, exclusive: true) ?? 2
        limits.timeLimitMs = timeLimit(map)
    }

    private func readTiming(
        _ map: YAMLMapping, _ limits: inout StatedLimits, _ kind: inout ProblemKind
    ) {
        if let multipliers = map.mapping("time_multipliers") {
            limits.acceptedToLimit = multipliers.number("ac_to_time_limit", atLeast: 1) ?? 2
            limits.limitToExceeded = multipliers.number("time_limit_to_tle", atLeast: 1) ?? 1.5
            multipliers.finish()
        }
        let resolution = map.number("time_resolution", atLeast: 0, exclusive: true) ?? 1
        limits.resolution = resolution
        limits.timeLimitMs = timeLimit(map)
        if let limit = limits.timeLimitMs {
            let steps = Double(limit) / 1000 / resolution
            if abs(steps - steps.rounded()) > 1e-6 * max(1, steps) {
                map.fault("time_limit", "is no multiple of time_resolution (\(resolution) s)")
            }
        }
        guard let passes = map.integer("validation_passes", atLeast: 2) else { return }
        if kind.passes == 1 {
            map.fault("validation_passes", "is only for multi-pass problems")
        } else if passes > Limits.passes {
            map.fault("validation_passes", "above \(Limits.passes) is not supported")
        } else {
            kind.passes = passes
        }
    }

    private func timeLimit(_ map: YAMLMapping) -> Int? {
        guard let seconds = map.number("time_limit", atLeast: 0, exclusive: true) else { return nil }
        guard seconds * 1000 <= Double(Limits.timeLimitMs) else {
            map.fault("time_limit", "above \(Limits.timeLimitMs / 1000) s is not supported")
            return nil
        }
        return max(1, Int((seconds * 1000).rounded()))
    }

    private func bounded(_ map: YAMLMapping, _ key: String, atMost maximum: Int, unit: String) -> Int? {
        // The legacy version leaves the number's type open.
        guard let value = format.isLegacy ? legacyWhole(map, key) : map.integer(key, atLeast: 1) else {
            return nil
        }
        guard value <= maximum else {
            map.fault(key, "above \(maximum) \(unit) is not supported")
            return nil
        }
        return value
    }

    private func legacyWhole(_ map: YAMLMapping, _ key: String) -> Int? {
        map.number(key, atLeast: 0, exclusive: true).map { Int(min($0.rounded(.up), 1e9)) }
    }

    /// What compilers and validators get.
    private func readGuarantees(_ map: YAMLMapping, _ limits: inout StatedLimits) {
        limits.validationSeconds = guarantee(map, "validation_time", upTo: Limits.validationSeconds, "s")
        limits.validationMemoryMiB = guarantee(
            map, "validation_memory", upTo: Limits.validationMemoryMiB, "MiB")
        limits.validationOutputMiB = guarantee(
            map, "validation_output", upTo: Limits.validationOutputMiB, "MiB")
        let time = map.number("compilation_time", atLeast: 0, exclusive: true)
        let memory = map.number("compilation_memory", atLeast: 0, exclusive: true)
        // In the legacy version these are wishes; since 2025-09 a guarantee that cannot be given is a refusal.
        guard !format.isLegacy else { return }
        if let time, time > Double(Limits.compileSeconds) {
            map.fault("compilation_time", "above \(Limits.compileSeconds) s is not supported")
        }
        if let memory, memory > Double(Limits.compileMemoryMiB) {
            map.fault("compilation_memory", "above \(Limits.compileMemoryMiB) MiB is not supported")
        }
    }
    /// In the legacy version these are wishes: the most we give is given.
    private func guarantee(_ map: YAMLMapping, _ key: String, upTo maximum: Int, _ unit: String) -> Int? {
        guard let value = map.number(key, atLeast: 0, exclusive: true) else { return nil }
        let whole = Int(min(value.rounded(.up), 1e9))
        if whole > maximum, !format.isLegacy {
            map.fault(key, "above \(maximum) \(unit) is not supported")
        }
        return min(whole, maximum)
    }
}
