import CRDT

/// A short way from one text to another: insertions and deletions by Myers, "An O(ND) Difference Algorithm and Its
/// Variations" (1986). What is common stays, so that concurrent edits there and the authorship of it stay too.
enum TextDifference {
    enum Step: Equatable {
        /// Positions are those of the text as it is when the steps before were done.
        case insert(String, at: Int)
        case delete(at: Int, length: Int)
    }

    /// Differences looked for before the middle is simply replaced; memory grows with the square.
    private static let maximumDistance = 1_000

    /// The steps from `old` to `new`, in UTF-16 units; never between the halves of a character. O((n + m) · d).
    static func steps(from old: String, to new: String) -> [Step] {
        let a = Array(old.unicodeScalars)
        let b = Array(new.unicodeScalars)
        let (head, tail) = commonEnds(a, b, by: ==)
        let middleA = a[head..<(a.count - tail)]
        let middleB = b[head..<(b.count - tail)]
        let kept = common(Array(middleA), Array(middleB))
        return steps(middleA, middleB, kept, from: units(a[..<head]))
    }

    private static func units(_ scalars: ArraySlice<Unicode.Scalar>) -> Int {
        scalars.reduce(0) { $0 + ($1.value > 0xFFFF ? 2 : 1) }
    }

    private static func steps(
        _ a: ArraySlice<Unicode.Scalar>, _ b: ArraySlice<Unicode.Scalar>, _ kept: [(a: Int, b: Int)],
        from start: Int
    ) -> [Step] {
        var steps: [Step] = []
        var position = start
        var (nextA, nextB) = (a.startIndex, b.startIndex)
        func change(toA endA: Int, toB endB: Int) {
            let length = units(a[nextA..<endA])
            if length > 0 { steps.append(.delete(at: position, length: length)) }
            guard endB > nextB else { return }
            var text = String.UnicodeScalarView()
            text.append(contentsOf: b[nextB..<endB])
            steps.append(.insert(String(text), at: position))
            position += units(b[nextB..<endB])
        }
        for pair in kept {
            let (atA, atB) = (a.startIndex + pair.a, b.startIndex + pair.b)
            change(toA: atA, toB: atB)
            position += units(a[atA...atA])
            (nextA, nextB) = (atA + 1, atB + 1)
        }
        change(toA: a.endIndex, toB: b.endIndex)
        return steps
    }

    /// Places of what stays, ascending; empty when the texts differ too much.
    private static func common(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> [(a: Int, b: Int)] {
        guard !a.isEmpty, !b.isEmpty else { return [] }
        let bound = min(a.count + b.count, maximumDistance)
        var reach = [Int](repeating: 0, count: 2 * bound + 2)
        // What `reach` was before each round: diagonals -d...d.
        var trace: [[Int]] = []
        for d in 0...bound {
            trace.append(Array(reach[(bound - d)...(bound + d + 1)]))
            for k in stride(from: -d, through: d, by: 2) {
                let goesDown = k == -d || (k != d && reach[bound + k - 1] < reach[bound + k + 1])
                var x = goesDown ? reach[bound + k + 1] : reach[bound + k - 1] + 1
                while x < a.count, x - k < b.count, a[x] == b[x - k] { x += 1 }
                reach[bound + k] = x
                if x >= a.count, x - k >= b.count { return path(a.count, b.count, trace) }
            }
        }
        return []
    }

    private static func path(_ countA: Int, _ countB: Int, _ trace: [[Int]]) -> [(a: Int, b: Int)] {
        var kept: [(a: Int, b: Int)] = []
        var (x, y) = (countA, countB)
        for d in stride(from: trace.count - 1, through: 0, by: -1) {
            func reach(_ k: Int) -> Int { trace[d][k + d] }
            let k = x - y
            var (previousX, previousY) = (0, 0)
            var (startX, startY) = (0, 0)
            if d > 0 {
                let goesDown = k == -d || (k != d && reach(k - 1) < reach(k + 1))
                previousX = reach(goesDown ? k + 1 : k - 1)
                previousY = previousX - (goesDown ? k + 1 : k - 1)
                // The diagonal run begins behind the one step.
                (startX, startY) = goesDown ? (previousX, previousY + 1) : (previousX + 1, previousY)
            }
            while x > startX, y > startY {
                (x, y) = (x - 1, y - 1)
                kept.append((x, y))
            }
            (x, y) = (previousX, previousY)
        }
        return kept.reversed()
    }
}

/// How many elements are alike at the beginnings of two lists, and then at their ends. O(n).
func commonEnds<Element>(
    _ a: [Element], _ b: [Element], by isLike: (Element, Element) -> Bool
) -> (head: Int, tail: Int) {
    let shorter = min(a.count, b.count)
    var head = 0
    while head < shorter, isLike(a[head], b[head]) { head += 1 }
    var tail = 0
    while tail < shorter - head, isLike(a[a.count - 1 - tail], b[b.count - 1 - tail]) { tail += 1 }
    return (head, tail)
}

extension TextType {
    /// Makes the text read so, with the few edits of `TextDifference`.
    func change(to text: String) throws(EditError) {
        for step in TextDifference.steps(from: string, to: text) {
            switch step {
            case .insert(let text, let position): try insert(text, at: position)
            case .delete(let position, let length): try delete(at: position, length: length)
            }
        }
    }
}
