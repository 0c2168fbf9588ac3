import ByteTools
import Programs

/// The files behind the updates of one application, in a folder that only root may enter: the journal, the package that is
/// installed, the one that is being installed, and a copy of the application's data from before.
struct PackageKeeper: Sendable {
    /// Bytes of data that are copied before an update.
    static let largestData = 1 << 30
    private static let toolTime = 600_000

    let folder: String
    private let dpkg: Dpkg

    var newPackage: String { folder + "/new.deb" }
    var currentPackage: String { folder + "/current.deb" }
    private var journalFile: String { folder + "/journal.json" }
    private var snapshot: String { folder + "/data" }
    private var scratch: String { folder + "/scratch" }

    init(folder: String, dpkg: Dpkg) throws(StorageFailure) {
        self.folder = folder
        self.dpkg = dpkg
        try Folder.makePrivate(folder)
    }

    // MARK: Journal

    /// An unreadable journal is none: what the package manager has decides then.
    func journal() throws(StorageFailure) -> UpdateJournal {
        guard case .file(let size) = Folder.entry(journalFile), size <= UpdateJournal.largestFile else { return .empty }
        return UpdateJournal(parsing: try File(journalFile, .read).read(at: 0, count: size)) ?? .empty
    }

    func save(_ journal: UpdateJournal) throws(StorageFailure) {
        try ReplacementFile.write(journalFile, journal.bytes)
    }

    // MARK: Packages

    /// Copies what is asked for into the folder; from here on nobody else can change it.
    func take(_ source: some ByteSource) throws(StorageFailure) {
        let size = try source.byteCount
        guard size > 0, size <= DebianPackage.largestSize else {
            throw StorageFailure("a package of \(size) bytes is not installed")
        }
        try ReplacementFile.copy(source, size: size, to: newPackage)
    }

    /// Makes sure that the package that is installed is kept as a file: the one from the update before, or one made of what
    /// is installed.
    func keepInstalled(_ package: String, version: String) throws(StorageFailure) {
        if let kept = try? DebianPackage(path: currentPackage), kept.package == package, kept.version == version {
            return
        }
        try repack(package)
        guard let made = try? DebianPackage(path: currentPackage), made.package == package, made.version == version
        else {
            throw StorageFailure("the installed version \(version) of \(package) can't be kept: it would not come back")
        }
    }

    /// The new package is the one that is installed, the one before can be gone back to.
    func keepNew() throws(StorageFailure) {
        if Folder.entry(newPackage) != nil {
            if Folder.entry(currentPackage) != nil {
                try Folder.replace("previous.deb", with: "current.deb", in: folder)
            }
            try Folder.replace("current.deb", with: "new.deb", in: folder)
        }
        try removeSnapshot()
    }

    /// The version that can be gone back to; nil when none is kept.
    func previousVersion(of package: String) -> String? {
        guard let kept = try? DebianPackage(path: folder + "/previous.deb"), kept.package == package else { return nil }
        return kept.version
    }

    /// Makes the package before the one to go back to. The data stays as it is: the program that runs has written to it.
    func takePrevious() throws(StorageFailure) {
        try removeSnapshot()
        try Folder.replace("current.deb", with: "previous.deb", in: folder)
    }

    /// Makes a package of what is installed: files as they are now, control data as dpkg keeps it. Configuration files are
    /// left out, for as part of the package they would count as its maker's, and the next update would replace what the
    /// owner of the machine wrote; they are kept beside the data.
    private func repack(_ package: String) throws(StorageFailure) {
        try remove(scratch)
        try Folder.makePrivate(scratch)
        defer { try? remove(scratch) }
        let root = dpkg.root ?? ""
        let script = #"""
            set -eu
            package=$1 root=$2 scratch=$3
            admin=$root/var/lib/dpkg
            mkdir -m 755 "$scratch/tree" "$scratch/tree/DEBIAN"
            dpkg-query --admindir="$admin" --showformat='${Conffiles}\n' --show "$package" |
                sed -n 's,^ \(/[^ ]*\) .*,\1,p' > "$scratch/conffiles"
            dpkg-query --admindir="$admin" --listfiles "$package" | grep -vxF -f "$scratch/conffiles" |
                sed -n 's,^/,./,p' |
                tar --directory="$root/" --create --no-recursion --files-from=- --file=- |
                tar --directory="$scratch/tree" --extract --preserve-permissions --file=-
            dpkg-query --admindir="$admin" --status "$package" |
                sed -e '/^Status: /d' -e '/^Conffiles:/,/^[^ ]/{/^Conffiles:/d;/^ /d;}' > "$scratch/tree/DEBIAN/control"
            for name in preinst postinst prerm postrm config templates md5sums shlibs symbols triggers; do
                for file in "$admin/info/$package.$name" "$admin/info/$package:"*".$name"; do
                    [ ! -f "$file" ] || cp --preserve=mode "$file" "$scratch/tree/DEBIAN/$name"
                done
            done
            dpkg-deb -Znone --build "$scratch/tree" "$scratch/current.deb"
            """#
        try run("/bin/sh", ["-c", script, "sh", package, root, scratch])
        try run("/bin/sync", ["--file-system", scratch + "/current.deb"])
        try Folder.replace("current.deb", with: "scratch/current.deb", in: folder)
    }

    // MARK: Data

    /// Copies the data folders of the application and the configuration files of its package as they are before an update.
    func keepData(_ folders: [String], of package: String) throws(StorageFailure) {
        try removeSnapshot()
        try remove(scratch)
        try Folder.makePrivate(scratch)
        var total = 0
        for (index, data) in folders.enumerated() where Folder.exists(data) {
            // Who can write beside the folder could put something else in its place while it is copied.
            let above = Folder.split(data).folder
            guard Folder.isOwn(above) else {
                throw StorageFailure(
                    "others than root can write \(above): the data in \(data) can't be kept safely; run chmod go-w on it"
                )
            }
            let size = try run("/usr/bin/du", ["--summarize", "--bytes", data])
            let bytes = size.split(separator: "\t").first.flatMap { Int($0) } ?? .max
            guard bytes <= Self.largestData - total else {
                throw StorageFailure(
                    "\(data) holds \(bytes) bytes: more than the \(Self.largestData) in all that are kept for a way back"
                )
            }
            total += bytes
            try run("/bin/cp", ["--archive", data, "\(scratch)/\(index)"])
        }
        let script = #"""
            set -eu
            dpkg-query --admindir="$2/var/lib/dpkg" --showformat='${Conffiles}\n' --show "$1" 2>/dev/null |
                sed -n 's,^ \(/[^ ]*\) .*,\1,p' | while read -r file; do
                    if [ -f "$2$file" ]; then printf './%s\0' "${file#/}"; fi
                done | tar --directory="$2/" --create --null --files-from=- --file="$3/configuration.tar"
            """#
        try run("/bin/sh", ["-c", script, "sh", package, dpkg.root ?? "", scratch])
        try run("/bin/sync", ["--file-system", scratch])
        try Folder.replace("data", with: "scratch", in: folder)
    }

    /// Puts the data back. Cut in the middle, it is done again from the start.
    func restoreData(_ folders: [String]) throws(StorageFailure) {
        for (index, data) in folders.enumerated() where Folder.exists("\(snapshot)/\(index)") {
            let aside = data + ".new"
            try remove(aside)
            try run("/bin/cp", ["--archive", "\(snapshot)/\(index)", aside])
            try run("/bin/sync", ["--file-system", aside])
            try remove(data)
            let (parent, name) = Folder.split(data)
            try Folder.replace(name, with: name + ".new", in: parent)
        }
        let configuration = snapshot + "/configuration.tar"
        guard Folder.entry(configuration) != nil else { return }
        try run(
            "/bin/tar",
            [
                "--directory=" + (dpkg.root ?? "") + "/", "--extract", "--preserve-permissions",
                "--file=" + configuration,
            ])
    }

    func removeSnapshot() throws(StorageFailure) { try remove(snapshot) }

    private func remove(_ path: String) throws(StorageFailure) {
        if Folder.entry(path) != nil { try run("/bin/rm", ["--recursive", "--force", "--one-file-system", path]) }
    }

    @discardableResult
    private func run(_ tool: String, _ arguments: [String]) throws(StorageFailure) -> String {
        let result = try Subprocess.run(tool, arguments, outputLimit: 1 << 20, milliseconds: Self.toolTime)
        guard result.status == 0 else {
            let said = String(decoding: result.errors.suffix(400).filter { $0 >= 0x20 && $0 < 0x7F }, as: UTF8.self)
            throw StorageFailure("\(tool) failed: \(said)")
        }
        return String(decoding: result.output, as: UTF8.self)
    }
}
