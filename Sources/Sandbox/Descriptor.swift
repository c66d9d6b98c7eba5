import CLinux
import Glibc
import Synchronization

/// An open file that is closed when nobody holds it any more, or before by `release`.
final class Descriptor: Sendable {
    let number: Int32
    private let isOpen = Atomic(true)

    init(_ number: Int32) { self.number = number }

    deinit { release() }

    /// Closes it now. Nobody may use `number` afterwards.
    func release() {
        if isOpen.exchange(false, ordering: .acquiringAndReleasing) { close(number) }
    }
}

/// Memory files (`memfd_create(2)`): the only way in which contents reach the helper.
enum MemoryFile {
    private static let closeOnExec: UInt32 = 1
    private static let allowSealing: UInt32 = 2
    private static let addSeals: Int32 = 1_033
    /// F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_WRITE.
    private static let allSeals: Int32 = 1 | 2 | 4 | 8

    /// A file with that content which nobody can change any more; nil when the system has no room.
    static func sealed(_ content: [UInt8]) -> Descriptor? {
        let number = memfd_create("input", closeOnExec | allowSealing)
        guard number >= 0 else { return nil }
        let file = Descriptor(number)
        var written = 0
        while written < content.count {
            let count = content.withUnsafeBytes { bytes in
                write(number, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return nil }
            written += count
        }
        return fcntl(number, addSeals, allSeals) == 0 ? file : nil
    }

    /// One for each content; nil when the system has no room.
    static func sealed(_ contents: [[UInt8]]) -> [Descriptor]? {
        var files: [Descriptor] = []
        for content in contents {
            guard let file = sealed(content) else { return nil }
            files.append(file)
        }
        return files
    }

    /// The first `count` bytes; nil when there are fewer or they cannot be read.
    static func content(of file: Descriptor, count: Int) -> [UInt8]? {
        guard count >= 0 else { return nil }
        var isComplete = true
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while initialized < count {
                let got = pread(
                    file.number, buffer.baseAddress.map { $0 + initialized }, count - initialized,
                    off_t(initialized))
                if got < 0 && errno == EINTR { continue }
                guard got > 0 else {
                    isComplete = false
                    return
                }
                initialized += got
            }
        }
        return isComplete ? bytes : nil
    }
}
