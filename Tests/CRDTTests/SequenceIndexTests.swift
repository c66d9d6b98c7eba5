import CRDT
import Testing

/// The counted B-tree against a plain array.
@Suite struct SequenceIndexTests {
    private struct Model: ~Copyable {
        var index = SequenceIndex()
        var blocks = Slab<Block>()
        var order: [(block: UInt32, weight: UInt32)] = []

        mutating func insert(_ weight: UInt32, at place: Int) {
            let block = blocks.insert(Block(clock: 0, length: max(weight, 1), client: 0))
            let left = place > 0 ? order[place - 1].block : UInt32.max
            index.insert(block, weight: weight, after: left, in: &blocks)
            order.insert((block, weight), at: place)
        }

        mutating func remove(at place: Int) {
            let block = order.remove(at: place).block
            index.remove(block, in: &blocks)
            blocks.remove(block)
        }

        mutating func setWeight(_ weight: UInt32, at place: Int) {
            let block = order[place].block
            index.setWeight(weight, of: block, leaf: blocks[block].leaf)
            order[place].weight = weight
        }

        func check(_ comment: String) {
            var sum = 0
            for (block, weight) in order {
                #expect(index.position(of: block, leaf: blocks[block].leaf) == sum, "\(comment)")
                if weight > 0 {
                    let first = index.locate(sum)
                    let last = index.locate(sum + Int(weight) - 1)
                    #expect(first?.block == block && first?.offset == 0, "\(comment)")
                    #expect(last?.block == block && last?.offset == Int(weight) - 1, "\(comment)")
                }
                sum += Int(weight)
            }
            for (place, next) in order.indices.dropFirst().enumerated() {
                let (a, b) = (order[place / 2].block, order[next].block)
                #expect(index.precedes(a, leaf: blocks[a].leaf, b, leaf: blocks[b].leaf), "\(comment)")
                #expect(!index.precedes(b, leaf: blocks[b].leaf, a, leaf: blocks[a].leaf), "\(comment)")
            }
            #expect(index.total == sum, "\(comment)")
            #expect(index.locate(sum) == nil)
            #expect(index.locate(-1) == nil)
        }
    }

    @Test func randomChanges() {
        for round in 0..<6 * testScale {
            let seed = testSeed &+ UInt64(round)
            var random = SeededRandom(seed)
            var model = Model()
            // Phases that grow and phases that shrink, so that nodes split and go away.
            for phase in 0..<6 {
                for _ in 0..<1500 {
                    let count = model.order.count
                    switch random.below(10) {
                    case 0: if count > 0 { model.setWeight(UInt32(random.below(5)), at: random.below(count)) }
                    case 1..<(phase % 2 == 0 ? 8 : 3):
                        let place = random.below(3) == 0 ? count : random.below(count + 1)
                        model.insert(UInt32(random.below(6)), at: place)
                    default: if count > 0 { model.remove(at: random.below(count)) }
                    }
                }
                model.check("phase \(phase), \(rerun(seed, "SequenceIndexTests"))")
            }
            while !model.order.isEmpty { model.remove(at: random.below(model.order.count)) }
            model.check("emptied, \(rerun(seed, "SequenceIndexTests"))")
            model.insert(3, at: 0)
            model.check("filled again, \(rerun(seed, "SequenceIndexTests"))")
        }
    }

    @Test func sequentialAppendsAndPrepends() {
        var model = Model()
        for step in 0..<3000 { model.insert(UInt32(step % 3), at: model.order.count) }
        for step in 0..<3000 { model.insert(UInt32(step % 4), at: 0) }
        model.check("appends, then prepends")
    }
}
