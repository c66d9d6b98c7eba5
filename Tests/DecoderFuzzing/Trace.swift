import Glibc

/// Where an input is kept while it is read: a mapped file, so that it outlives a process that traps.
package final class Trace {
    /// An input as it was kept.
    package struct Entry: Sendable {
        package var seed: UInt64
        package var index: UInt64
        package var subject: Subject
        package var input: [UInt8]

        /// Which input it is, how to run it again, and its bytes.
        package var description: String {
            "\(subject): decoder-fuzz --seed \(seed) --input \(index), \(input.count) bytes: \(hexText(input))"
        }
    }

    private static let size = 1 << 20
    private static let headerSize = 32
    /// Longer inputs are cut in the file; the index is enough to make them again.
    private static let room = size - headerSize

    private let path: String
    private let map: UnsafeMutableRawPointer

    /// nil when the file cannot be made.
    package init?(path: String) {
        let file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { return nil }
        defer { close(file) }
        guard ftruncate(file, Self.size) == 0,
            let map = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), map != MAP_FAILED
        else { return nil }
        self.path = path
        self.map = map
    }

    deinit { munmap(map, Self.size) }

    func keep(_ entry: borrowing Entry) {
        map.storeBytes(of: entry.seed, toByteOffset: 0, as: UInt64.self)
        map.storeBytes(of: entry.index, toByteOffset: 8, as: UInt64.self)
        map.storeBytes(of: UInt64(entry.subject.rawValue), toByteOffset: 16, as: UInt64.self)
        let count = min(entry.input.count, Self.room)
        map.storeBytes(of: UInt64(count), toByteOffset: 24, as: UInt64.self)
        entry.input.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress {
                (map + Self.headerSize).copyMemory(from: base, byteCount: count)
            }
        }
    }

    /// The run is over and nothing trapped.
    package func remove() { unlink(path) }

    /// The input that was under way when the process that wrote `path` ended; nil when there is no such file.
    package static func entry(at path: String) -> Entry? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var content = [UInt8](repeating: 0, count: size)
        guard read(file, &content, size) == size else { return nil }
        func number(_ place: Int) -> UInt64 {
            content.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: UInt64.self) }
        }
        guard let subject = Subject(rawValue: Int(truncatingIfNeeded: number(16))), number(24) <= UInt64(room)
        else { return nil }
        let input = Array(content[headerSize..<headerSize + Int(number(24))])
        return Entry(seed: number(0), index: number(8), subject: subject, input: input)
    }
}
