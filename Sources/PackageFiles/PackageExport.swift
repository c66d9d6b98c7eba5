import CLibzip
import Problems

/// Writes a problem package as a zip file, in one folder named after the problem: what `PackageArchive` reads back as the
/// same package. The same package gives the same bytes: files are in order and carry no time of their own.
public enum PackageExport {
    /// 1980-01-01, where the times of zip files begin.
    private static let time: Int = 315_532_800

    /// The zip file's bytes. Throws `unavailable` when there is no memory for it.
    public static func zip(_ tree: PackageTree) throws(ProblemsError) -> [UInt8] {
        var zipError = zip_error_t()
        zip_error_init(&zipError)
        defer { zip_error_fini(&zipError) }
        guard let target = zip_source_buffer_create(nil, 0, 0, &zipError) else { throw failed(&zipError) }
        // Kept over the closing of the archive, which would free it.
        zip_source_keep(target)
        defer { zip_source_free(target) }
        guard let archive = zip_open_from_source(target, ZIP_CREATE | ZIP_TRUNCATE, &zipError) else {
            zip_source_free(target)
            throw failed(&zipError)
        }
        // libzip reads the contents when it closes the archive.
        let contents = tree.files.sorted { $0.key < $1.key }.map {
            Content(path: "\(tree.shortName)/\($0.key)", $0.value)
        }
        defer { contents.forEach { $0.free() } }
        for content in contents where !content.add(to: archive, time: time) {
            zip_discard(archive)
            throw ProblemsError(
                code: .unavailable, message: "\(content.path) could not be put into a zip file")
        }
        guard zip_close(archive) == 0 else {
            let message = String(cString: zip_strerror(archive))
            zip_discard(archive)
            throw ProblemsError(code: .unavailable, message: "the zip file could not be written: \(message)")
        }
        return try read(target)
    }

    /// A file's bytes, at an address that stays.
    private struct Content {
        var path: String
        private let bytes: UnsafeMutableBufferPointer<UInt8>

        init(path: String, _ content: [UInt8]) {
            self.path = path
            bytes = .allocate(capacity: max(1, content.count))
            _ = bytes.initialize(from: content)
            count = content.count
        }

        private let count: Int

        func free() { bytes.deallocate() }

        func add(to archive: OpaquePointer, time: Int) -> Bool {
            guard let source = zip_source_buffer(archive, bytes.baseAddress, UInt64(count), 0) else {
                return false
            }
            let index = zip_file_add(archive, path, source, zip_flags_t(ZIP_FL_ENC_UTF_8))
            guard index >= 0 else {
                zip_source_free(source)
                return false
            }
            return zip_file_set_mtime(archive, UInt64(index), time, 0) == 0
        }
    }

    private static func read(_ source: OpaquePointer) throws(ProblemsError) -> [UInt8] {
        guard zip_source_open(source) == 0 else {
            throw ProblemsError(code: .unavailable, message: "the zip file could not be read back")
        }
        defer { zip_source_close(source) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = chunk.withUnsafeMutableBytes {
                zip_source_read(source, $0.baseAddress, UInt64($0.count))
            }
            guard count >= 0 else {
                throw ProblemsError(code: .unavailable, message: "the zip file could not be read back")
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<Int(count)])
        }
    }

    private static func failed(_ error: inout zip_error_t) -> ProblemsError {
        ProblemsError(
            code: .unavailable,
            message: "the zip file could not be written: \(String(cString: zip_error_strerror(&error)))")
    }
}
