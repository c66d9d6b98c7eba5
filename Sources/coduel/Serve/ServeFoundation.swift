import Foundation
import Gateway
import PackageFiles
import Problems
import Sandbox

/// What has to be had while the process may still be root and has one thread: the sandbox helper, the bundled files
/// (the folder they lie in may be closed to the server's user), the data folder.
struct ServeFoundation {
    let settings: ServeSettings
    let languages: Languages
    let sandbox: Sandbox?
    /// Why there is no sandbox, or why it does not judge.
    let sandboxRefusal: String?
    let bundledProblems: [PackageTree]
    let pages: StaticFiles
    let openAPI: String?
    let data: DataFolder
    let certificates: TLSCertificates?

    init(_ settings: ServeSettings) throws {
        self.settings = settings
        let executable = BundledFiles.executablePath
        let helper = settings.sandboxHelper ?? Sandbox.helperPath(besideExecutable: executable)
        do throws(SandboxError) {
            languages = try Languages(
                folders: [settings.dataFolder + "/languages"] + settings.languageFolders)
        } catch {
            throw SettingsError(error.message)
        }
        do throws(SandboxError) {
            let sandbox = try Sandbox.start(
                helperPath: helper, slots: settings.judgeWorkers + 1, languages: languages,
                allowWeakIsolation: settings.allowsWeakIsolation)
            self.sandbox = sandbox
            sandboxRefusal = sandbox.refusal
        } catch {
            sandbox = nil
            sandboxRefusal = "\(error)"
        }
        do {
            certificates = try settings.tls.map { try TLSCertificates(chain: $0.certificate, key: $0.key) }
        } catch {
            throw SettingsError("tls-certificate and tls-key cannot be used: \(error)")
        }
        let folder = settings.problemsFolder ?? BundledFiles.find("fixtures/problems")
        bundledProblems = try folder.map(BundledFiles.problems) ?? []
        pages = StaticFiles(root: settings.webFolder ?? BundledFiles.find("web/dist"))
        openAPI = BundledFiles.find("protocol/openapi.yaml").flatMap {
            FileManager.default.contents(atPath: $0).map { String(decoding: $0, as: UTF8.self) }
        }
        data = try DataFolder.claim(settings.dataFolder, user: settings.user)
    }
}

/// Files that come with the server: beside the executable (or above it, in a checkout), then in the working
/// directory.
enum BundledFiles {
    /// Folders above the executable that are looked into: `.build/TRIPLE/release` lies three below a checkout.
    private static let levels = 4

    static var executablePath: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            ?? CommandLine.arguments[0]
    }

    static func find(_ relativePath: String) -> String? {
        var folder = URL(fileURLWithPath: executablePath)
        for _ in 0..<levels {
            folder.deleteLastPathComponent()
            let path = folder.appendingPathComponent(relativePath).path
            if FileManager.default.fileExists(atPath: path) { return path }
        }
        let path = FileManager.default.currentDirectoryPath + "/" + relativePath
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }

    static func problems(in folder: String) throws -> [PackageTree] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return try names.sorted().filter { !$0.hasPrefix(".") }.compactMap { name in
            let path = folder + "/" + name
            guard FileManager.default.fileExists(atPath: path + "/problem.yaml") else { return nil }
            do throws(ProblemsError) {
                return try PackageFiles.read(path: path)
            } catch {
                throw SettingsError("the bundled problem \(path) cannot be read: \(error.message)")
            }
        }
    }
}
