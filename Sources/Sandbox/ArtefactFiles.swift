import Synchronization

/// Sealed memory files of the programs in use, so that a program that runs over a hundred tests is copied once.
///
/// A program is told by where its bytes lie: an entry holds them, so that nothing else can come to lie there.
final class ArtefactFiles: Sendable {
    private struct Entry {
        var bytes: [UInt8]
        var file: Descriptor
    }

    /// Those used last at the end.
    private let entries = Mutex<[Entry]>([])

    /// The file with that content; nil when the system has no room.
    func file(of bytes: [UInt8]) -> Descriptor? {
        let known = entries.withLock { entries -> Descriptor? in
            guard let index = entries.firstIndex(where: { Self.areSame($0.bytes, bytes) }) else { return nil }
            let entry = entries.remove(at: index)
            entries.append(entry)
            return entry.file
        }
        if let known { return known }
        guard let file = MemoryFile.sealed(bytes) else { return nil }
        entries.withLock { entries in
            entries.append(Entry(bytes: bytes, file: file))
            var total = entries.reduce(0) { $0 + $1.bytes.count }
            while entries.count > Limits.heldArtefacts || total > Limits.heldArtefactBytes, entries.count > 1
            {
                total -= entries.removeFirst().bytes.count
            }
        }
        return file
    }

    private static func areSame(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        return a.withUnsafeBufferPointer { first in
            b.withUnsafeBufferPointer { second in first.baseAddress == second.baseAddress }
        }
    }
}
