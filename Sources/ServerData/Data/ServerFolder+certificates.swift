internal import ByteTools
public import FoundationEssentials

/// Says that this process changes the certificates of a folder, until it is gone.
public final class CertificateLock: Sendable {
    private let file: File
    init(_ file: File) { self.file = file }
}

// MARK: The server's certificate

extension ServerFolder {
    /// Keeps other processes from changing certificates at the same time. Whoever changes some takes this first and opens
    /// the folder then.
    ///
    /// - Throws: ``FolderError`` of kind `busy` at once when another process has it.
    public static func lockCertificates(at path: String) throws(FolderError) -> CertificateLock {
        CertificateLock(try FolderFiles(path).lock(Name.lock))
    }

    /// Files whose change can mean other certificates.
    public var certificateFiles: [String] {
        [
            Name.certificate, Name.key, Name.authority, Name.authorityKey, Name.nextAuthority, Name.nextAuthorityKey,
            Name.trust,
        ].map(files.path)
    }

    /// True when the key of the present authority is in the folder: only then anything can be signed.
    public var canSign: Bool { (try? signer(authority)) != nil }

    /// Renews the server's certificate, signed by the present authority, for `names` or for the names it has now.
    ///
    /// With the same key one file is replaced. With a new key three replacements follow each other, and after each the
    /// folder opens: the key file holds the new and the old key first, then the certificate changes, then the old key goes.
    ///
    /// - Throws: ``FolderError``, among others when the key of the authority is not in the folder.
    public mutating func renewCertificate(
        names: ServerNames? = nil, newKey: Bool = false, now: Date
    ) throws(FolderError) {
        try issue(by: try signer(authority), names: names, newKey: newKey, now: now)
    }

    private mutating func issue(
        by authority: CertificateAuthority, names: ServerNames?, newKey: Bool, now: Date
    ) throws(FolderError) {
        let key = newKey ? ServerKey() : key
        let renewed: CertificateFile
        let keyPEM: String
        let bothPEM: String
        do {
            renewed = try authority.issue(for: try names ?? ServerNames(certificate.names), key: key, now: now)
            keyPEM = try key.pem()
            bothPEM = keyPEM + (try self.key.pem())
        } catch {
            throw FolderError(
                .notWritten, files.path(Name.certificate), "\(error)", "correct that; nothing was changed")
        }
        if newKey { try files.write(Name.key, Array(bothPEM.utf8)) }
        try files.write(Name.certificate, Array(renewed.pem.utf8), isSecret: false)
        if newKey || hasSpareKeys { try files.write(Name.key, Array(keyPEM.utf8)) }
        self = try ServerFolder(files)
    }

    /// The authority with its key, which may be under either name: a change of the authority can stop anywhere.
    private func signer(_ certificate: CertificateFile) throws(FolderError) -> CertificateAuthority {
        let names = [Name.authorityKey, Name.nextAuthorityKey].filter(files.exists)
        for name in names {
            let pem = try files.text(name, isSecret: true)
            if let authority = try? CertificateAuthority(certificatePEM: certificate.pem, keyPEM: pem) {
                return authority
            }
        }
        let cause =
            names.isEmpty
            ? "the key of the authority \(certificate.subject) is not in the data folder"
            : "it is not the key of the authority \(certificate.subject)"
        throw FolderError(
            names.isEmpty ? .missing : .damaged, files.path(names.first ?? Name.authorityKey), cause,
            "put the key there from where it is kept, mode 600, and try again")
    }
}

// MARK: Change of the authority

extension ServerFolder {
    /// Makes the next authority and hands it out as trusted beside the present one. Nothing else changes: certificates are
    /// still signed by the present one. Repeated, it only completes what was cut.
    ///
    /// - Returns: true when it was made now.
    /// - Throws: ``FolderError``; of kind `notNow` while the authority before has not been retired.
    public mutating func makeNextAuthority(now: Date) throws(FolderError) -> Bool {
        try finishRetirement()
        switch authorityChange {
        case .switched(let previous):
            throw FolderError(
                .notNow, files.folder, "the authority before, \(previous.subject), is still trusted",
                "end that change first with: frank certificates retire-ca")
        case .prepared:
            try writeTrust(without: nil)
            return false
        case .none: break
        }
        let next: CertificateAuthority
        let keyPEM: String
        do {
            next = try CertificateAuthority(
                host: certificate.names.first { $0 != "localhost" } ?? "localhost", now: now)
            keyPEM = try next.keyPEM()
        } catch {
            throw FolderError(.notWritten, files.path(Name.nextAuthority), "\(error)", "nothing was changed")
        }
        // The certificate comes last: it says that there is a next authority.
        try files.write(Name.nextAuthorityKey, Array(keyPEM.utf8))
        try files.write(Name.nextAuthority, Array(next.certificate.pem.utf8), isSecret: false)
        self = try ServerFolder(files)
        try writeTrust(without: nil)
        return true
    }

    /// Gives the server a certificate of the next authority; both stay trusted. Who does not trust the next one can't
    /// connect any more.
    ///
    /// - Returns: false when that was done before.
    /// - Throws: ``FolderError``; of kind `notNow` when there is no next authority.
    public mutating func switchAuthority(now: Date) throws(FolderError) -> Bool {
        try finishRetirement()
        switch authorityChange {
        case .none:
            throw FolderError(
                .notNow, files.folder, "there is no next authority",
                "make it with: frank certificates new-ca, and give the new trust.pem to every device and operator")
        case .switched:
            try writeTrust(without: nil)
            return false
        case .prepared(let next): try change(to: next, now: now)
        }
        return true
    }

    /// Gives the server a certificate of the authority before again.
    ///
    /// - Returns: false when it has one.
    /// - Throws: ``FolderError``; of kind `notNow` when that authority was retired.
    public mutating func switchAuthorityBack(now: Date) throws(FolderError) -> Bool {
        try finishRetirement()
        switch authorityChange {
        case .none:
            throw FolderError(
                .notNow, files.folder, "there is one authority only: none was made, or the one before was retired",
                "make the next one with: frank certificates new-ca")
        case .prepared:
            try writeTrust(without: nil)
            return false
        case .switched(let previous): try change(to: previous, now: now)
        }
        return true
    }

    private mutating func change(to authority: CertificateFile, now: Date) throws(FolderError) {
        let signer = try signer(authority)
        // Trusted first: whoever fetched trust.pem at any moment knows who signed.
        try writeTrust(without: nil)
        try issue(by: signer, names: nil, newKey: false, now: now)
        try writeTrust(without: nil)
    }

    /// Ends the change: the authority before is trusted no more and its key is destroyed.
    ///
    /// - Returns: the authority that went; nil when there is nothing to end.
    /// - Throws: ``FolderError``; of kind `notNow` before the server has a certificate of the next authority.
    public mutating func retireAuthority() throws(FolderError) -> CertificateFile? {
        try finishRetirement()
        switch authorityChange {
        case .none:
            try writeTrust(without: nil)
            return nil
        case .prepared(let next):
            throw FolderError(
                .notNow, files.folder, "the server's certificate is still signed by \(authority.subject)",
                "go over to \(next.subject) first with: frank certificates switch-ca")
        case .switched(let previous):
            try writeTrust(without: previous)
            if files.exists(Name.authorityKey) { try files.destroy(Name.authorityKey) }
            try files.rename(Name.nextAuthority, to: Name.authority)
            try finishRetirement()
            self = try ServerFolder(files)
            return previous
        }
    }

    /// The key of the authority that stayed gets its usual name, where a retirement was cut before that.
    private func finishRetirement() throws(FolderError) {
        guard !files.exists(Name.nextAuthority), !files.exists(Name.authorityKey),
            files.exists(Name.nextAuthorityKey),
            let key = try? ServerKey(pem: try files.text(Name.nextAuthorityKey, isSecret: true)), authority.fits(key)
        else { return }
        try files.rename(Name.nextAuthorityKey, to: Name.authorityKey)
    }

    // MARK: What is trusted

    /// Writes `trust.pem`, present authority first, and what the server gives to devices. Certificates that somebody added
    /// stay; `retired` goes.
    private mutating func writeTrust(without retired: CertificateFile?) throws(FolderError) {
        let own = ([authority, authorityChange.other].compactMap { $0 }).filter {
            $0.fingerprint != retired?.fingerprint
        }
        let known = Set((own + [retired].compactMap { $0 }).map(\.fingerprint))
        let text = (own + trusted.filter { !known.contains($0.fingerprint) }).map(\.pem).joined()
        if text != trustPEM {
            try files.write(Name.trust, Array(text.utf8), isSecret: false)
            self = try ServerFolder(files)
        }
        try publishTrust()
    }

    /// Makes what the server gives to devices (persistent block 10) the same as `trust.pem`, with the zero byte at its end
    /// that devices of the original need. Does nothing when it is.
    ///
    /// - Throws: ``FolderError``.
    public func publishTrust() throws(FolderError) {
        let bytes = Array(trustPEM.utf8) + [0]
        let limit = CertificateFile.mostBytes + 1
        if files.exists(Name.publishedTrust), (try? files.read(Name.publishedTrust, limit: limit)) == bytes { return }
        try files.write(Name.publishedTrust, bytes)
    }
}
