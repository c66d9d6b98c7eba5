/// Named bounds of what is read as a package. Beyond one the whole package is refused.
public enum Limits {
    /// Bytes of a zip file.
    public static let archiveBytes = 64 << 20
    /// Files and folders of a package.
    public static let entries = 10_000
    /// Bytes of one file, and of all together, unpacked.
    public static let fileBytes = 100 << 20
    public static let totalBytes = 256 << 20
    /// Unpacked bytes for each byte of the zip file, once there are more than `ratioFreeBytes`.
    public static let ratio = 200
    public static let ratioFreeBytes = 16 << 20
    /// Folders on the way to a file, and bytes of a path and of a name.
    public static let depth = 12
    public static let pathBytes = 1_024
    public static let nameBytes = 255
    /// Faults listed for one package.
    public static let faults = 100
}
