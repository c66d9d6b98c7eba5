// exp and log in plain IEEE arithmetic: every platform computes the same ratings to the last bit, and the domain
// needs no C library. Accuracy: a few units in the last place, tested against the platform's functions.

private let ln2High = 0x1.62e42feep-1
private let ln2Low = 0x1.a39ef35793c76p-33

/// e to the power of `x`, for |x| ≤ 700; clamped outside.
package func exponential(_ x: Double) -> Double {
    guard !x.isNaN else { return x }
    let x = min(max(x, -700), 700)
    let k = (x / (ln2High + ln2Low)).rounded()
    let r = (x - k * ln2High) - k * ln2Low
    // Taylor, |r| ≤ ln 2 / 2: the term after the last is below 1e-19.
    var term = 1.0
    var sum = 0.0
    for n in 1...16 {
        term *= r / Double(n)
        sum += term
    }
    return Double(sign: .plus, exponent: Int(k), significand: 1 + sum)
}

/// Natural logarithm of a finite `x` > 0; NaN otherwise.
package func naturalLogarithm(_ x: Double) -> Double {
    guard x > 0, x.isFinite else { return .nan }
    var significand = x.significand
    var exponent = Double(x.exponent)
    if significand > 1.414_213_562_373_095_1 {
        significand /= 2
        exponent += 1
    }
    // ln m = 2 artanh s, |s| < 0.172.
    let s = (significand - 1) / (significand + 1)
    var power = s
    var sum = 0.0
    for n in 1...12 {
        power *= s * s
        sum += power / Double(2 * n + 1)
    }
    return exponent * ln2High + (2 * (s + sum) + exponent * ln2Low)
}
