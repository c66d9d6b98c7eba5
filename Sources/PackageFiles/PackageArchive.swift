import CLibzip
import Problems

/// Reads a problem package out of a zip file (`.zip`, `.kpp`) in memory.
///
/// All or nothing: links, devices, encrypted entries, absolute or `..` paths, names with control characters or
/// backslashes, paths that are there twice (in any case), and whatever passes `Limits` refuse the whole file, each
/// with its own fault. Sizes are counted while unpacking; what the file says about itself is not believed. Names the
/// format ignores (`.git`, `__MACOSX`) are left out.
public enum PackageArchive {
    /// The package in `bytes`. Its short name is the archive's one folder, or `name` (the file's base name) when
    /// `problem.yaml` lies at the top.
    public static func read(_ bytes: [UInt8], name: String) throws(ProblemsError) -> PackageTree {
        guard bytes.count <= Limits.archiveBytes else {
            throw unreadable(name, "is larger than \(Limits.archiveBytes) bytes")
        }
        guard headerCount(bytes) <= Limits.entries + 100 else {
            throw unreadable(name, "holds more than \(Limits.entries) files and folders")
        }
        let result = bytes.withUnsafeBytes { buffer -> Result<PackageTree, ProblemsError> in
            do throws(ProblemsError) {
                return .success(try read(buffer, name: name))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static func unreadable(_ name: String, _ message: String) -> ProblemsError {
        ProblemsError(
            code: .unreadablePackage, message: "\(printable(name)) cannot be read as a package",
            faults: [PackageFault(path: "", message: message)])
    }

    /// Headers of the central directory, told by their signature: bounds what opening the file allocates.
    private static func headerCount(_ bytes: [UInt8]) -> Int {
        bytes.withUnsafeBufferPointer { buffer in
            guard buffer.count >= 4 else { return 0 }
            var count = 0
            for index in 0..<buffer.count - 3
            where buffer[index] == 0x50 && buffer[index + 1] == 0x4b && buffer[index + 2] == 1
                && buffer[index + 3] == 2
            {
                count += 1
            }
            return count
        }
    }

    private static func read(_ buffer: UnsafeRawBufferPointer, name: String) throws(ProblemsError)
        -> PackageTree
    {
        var zipError = zip_error_t()
        zip_error_init(&zipError)
        defer { zip_error_fini(&zipError) }
        guard let source = zip_source_buffer_create(buffer.baseAddress, UInt64(buffer.count), 0, &zipError)
        else {
            throw unreadable(name, "is not a zip file")
        }
        guard let archive = zip_open_from_source(source, ZIP_RDONLY, &zipError) else {
            zip_source_free(source)
            throw unreadable(name, "is not a zip file: \(String(cString: zip_error_strerror(&zipError)))")
        }
        // Nothing is written: discarding closes the archive and its source.
        defer { zip_discard(archive) }
        var reader = ArchiveReader(archive: archive, archiveBytes: buffer.count)
        return try reader.read(name: name)
    }
}

/// The entries of one open archive.
private struct ArchiveReader {
    let archive: OpaquePointer
    let archiveBytes: Int
    private var contents = PackageContents()
    private var unpackedBytes = 0

    private struct Entry {
        var index: UInt64
        /// Path without the slash at its end.
        var path: String
        var isFolder: Bool
    }

    init(archive: OpaquePointer, archiveBytes: Int) {
        self.archive = archive
        self.archiveBytes = archiveBytes
    }

    mutating func read(name: String) throws(ProblemsError) -> PackageTree {
        let entries = listEntries()
        if zip_get_num_entries(archive, 0) <= 0 { contents.fault("", "holds no file") }
        let root = Self.root(of: entries)
        for entry in entries where !contents.isOverfull {
            guard let path = Self.path(entry.path, in: root) else { continue }
            switch pathKind(path) {
            case .refused(let why): contents.fault(printable(entry.path), why)
            case .ignored: continue
            case .regular where entry.isFolder: _ = contents.addFolder(path)
            case .regular: readFile(entry, path: path)
            }
        }
        return try contents.tree(shortName: root ?? name)
    }

    /// All entries; those that are neither a file nor a folder, or whose path leads out, are faults already here.
    private mutating func listEntries() -> [Entry] {
        var entries: [Entry] = []
        for index in 0..<UInt64(max(0, zip_get_num_entries(archive, 0))) {
            contents.countEntry()
            guard !contents.isOverfull else { break }
            guard let raw = zip_get_name(archive, index, zip_flags_t(ZIP_FL_ENC_RAW)),
                let name = String(validatingCString: raw)
            else {
                contents.fault("entry \(index)", "has a name that is not UTF-8")
                continue
            }
            let isFolder = name.hasSuffix("/")
            let path = isFolder ? String(name.dropLast()) : name
            // Judged with the folder around the package, which deepens the path by one.
            if case .refused(let why) = pathKind(path) {
                contents.fault(printable(name), why)
            } else if let fault = typeFault(index, isFolder: isFolder) {
                contents.fault(printable(name), fault)
            } else {
                entries.append(Entry(index: index, path: path, isFolder: isFolder))
            }
        }
        return entries
    }

    /// The file type that Unix systems write into the upper half of the external attributes.
    private func typeFault(_ index: UInt64, isFolder: Bool) -> String? {
        var system: UInt8 = 0
        var attributes: UInt32 = 0
        guard zip_file_get_external_attributes(archive, index, 0, &system, &attributes) == 0 else {
            return "has no readable attributes"
        }
        switch (attributes >> 16) & 0o170000 {
        case 0: return nil
        case 0o040000: return isFolder ? nil : "is a folder without the name of one"
        case 0o100000: return isFolder ? "is a file with the name of a folder" : nil
        case 0o120000: return "is a symbolic link"
        default: return "is a device, pipe or socket"
        }
    }

    /// The one folder that holds everything, when `problem.yaml` is not at the top already.
    private static func root(of entries: [Entry]) -> String? {
        if entries.contains(where: { $0.path == "problem.yaml" && !$0.isFolder }) { return nil }
        var roots: Set<String> = []
        for entry in entries where pathKind(entry.path) == .regular {
            let parts = entry.path.split(separator: "/", maxSplits: 1)
            guard parts.count == 2 || entry.isFolder, let first = parts.first else { return nil }
            if first != "__MACOSX" { roots.insert(String(first)) }
        }
        return roots.count == 1 ? roots.first : nil
    }

    /// The path below the root folder; nil for the folder itself and for what lies beside it.
    private static func path(_ path: String, in root: String?) -> String? {
        guard let root else { return path.hasPrefix("__MACOSX") ? nil : path }
        return path.hasPrefix(root + "/") ? String(path.dropFirst(root.utf8.count + 1)) : nil
    }

    private mutating func readFile(_ entry: Entry, path: String) {
        var stat = zip_stat_t()
        zip_stat_init(&stat)
        guard zip_stat_index(archive, entry.index, 0, &stat) == 0 else {
            return contents.fault(path, "cannot be read")
        }
        if stat.valid & UInt64(ZIP_STAT_ENCRYPTION_METHOD) != 0, stat.encryption_method != UInt16(ZIP_EM_NONE)
        {
            return contents.fault(path, "is encrypted")
        }
        guard let file = zip_fopen_index(archive, entry.index, 0) else {
            return contents.fault(path, "cannot be unpacked")
        }
        defer { zip_fclose(file) }
        // A stated size only saves growing the buffer step by step.
        let stated = stat.valid & UInt64(ZIP_STAT_SIZE) != 0 ? Int(clamping: stat.size) : 0
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(stated, 1 << 20))
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = chunk.withUnsafeMutableBytes { zip_fread(file, $0.baseAddress, UInt64($0.count)) }
            guard count >= 0 else { return contents.fault(path, "is damaged") }
            if count == 0 { break }
            unpackedBytes += Int(count)
            guard bytes.count + Int(count) <= contents.room else { return contents.tooLarge(path) }
            guard unpackedBytes <= max(Limits.ratioFreeBytes, archiveBytes * Limits.ratio) else {
                return contents.fault(path, "unpacks to more than \(Limits.ratio) times the zip file's size")
            }
            bytes.append(contentsOf: chunk[..<Int(count)])
        }
        contents.addFile(path, bytes)
    }
}
