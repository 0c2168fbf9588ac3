import Crypto
import FirmwareCrypto
import IOCOMTestSupport
import Testing

/// What the host's library says of the same question.
private func hostSays(_ signature: [UInt8], of message: [UInt8], by key: [UInt8]) -> Bool {
    guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: key) else { return false }
    return key.isValidSignature(signature, for: message)
}

private func weSay(_ signature: [UInt8], of message: [UInt8], by key: [UInt8]) -> Bool {
    Ed25519.isValid(signature: signature.span.bytes, of: message.span.bytes, by: key.span.bytes)
}

@Suite struct Ed25519Tests {
    /// RFC 8032, section 7.1: tests 1, 2, 3 and SHA(abc).
    @Test(arguments: [
        (
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            """
            e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155
            5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b
            """
        ),
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
            """
            92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
            085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00
            """
        ),
        (
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
            """
            6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
            18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a
            """
        ),
        (
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            """
            ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a
            2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f
            """,
            """
            dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589
            09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704
            """
        ),
    ])
    func `The examples of the RFC are valid, and no longer with one other bit`(
        key: String, message: String, signature: String
    ) {
        let (key, message, signature) = (hex(key), hex(message), hex(signature))
        #expect(weSay(signature, of: message, by: key))
        for bit in stride(from: 0, to: 512, by: 7) {
            var changed = signature
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!weSay(changed, of: message, by: key), "bit \(bit)")
        }
        #expect(!weSay(signature, of: message + [0], by: key))
        #expect(!weSay(signature.dropLast(), of: message, by: key))
        #expect(!weSay(signature + [0], of: message, by: key))
        #expect(!weSay(signature, of: message, by: key.dropLast()))
    }

    /// "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko, 2020), table 5: message, key, signature. They differ in
    /// what verifiers of other rules say; these are the answers of a cofactorless one that wants S below L.
    @Test(arguments: [
        (
            true, "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            """
            c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a
            0000000000000000000000000000000000000000000000000000000000000000
            """
        ),
        (
            true, "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            """
            f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43
            a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04
            """
        ),
        (
            true, "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
            "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
            """
            c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa
            8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e
            """
        ),
        (
            true, "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
            "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
            """
            9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f
            87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009
            """
        ),
        (
            false, "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
            "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
            """
            160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512
            5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09
            """
        ),
        (
            false, "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
            "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
            """
            21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7
            e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405
            """
        ),
        (
            false, "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
            "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
            """
            e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e
            547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514
            """
        ),
        (
            false, "fdaebc429f4a735932a160da1301080c13280eea8bc280d1b392c6b9e6ba3a5a",
            "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
            """
            edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
            454d370c8d9fc323a41450f8d513eafeb5b0697390c1e505a0d4ddc71f566607
            """
        ),
    ])
    func `Signatures on which verifiers disagree are answered as on the host`(
        isValid: Bool, message: String, key: String, signature: String
    ) {
        let (key, message, signature) = (hex(key), hex(message), hex(signature))
        #expect(hostSays(signature, of: message, by: key) == isValid)
        #expect(weSay(signature, of: message, by: key) == isValid)
    }

    /// The eight points of small order in all their encodings: y from p on and a sign of zero are not canonical.
    private static let smallOrder = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ].map(hex)

    @Test func `Keys and R of small order, in every encoding, are answered as on the host`() {
        var valid = 0
        for (i, key) in Self.smallOrder.enumerated() {
            for (j, r) in Self.smallOrder.enumerated() {
                // S B has to be a point of small order: only S = 0 can be valid, and it is for one message in a few.
                for message in 0..<2 {
                    let message = [UInt8(i), UInt8(j), UInt8(message)]
                    let signature = r + [UInt8](repeating: 0, count: 32)
                    let host = hostSays(signature, of: message, by: key)
                    #expect(weSay(signature, of: message, by: key) == host, "key \(i), R \(j)")
                    if host { valid += 1 }
                }
            }
        }
        #expect(valid > 15, "only \(valid) are valid: this test says little")
    }

    @Test func `S of the group's order and more is refused, though the sum would be the same`() throws {
        let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
        let key = Curve25519.Signing.PrivateKey()
        let publicKey = Array(key.publicKey.rawRepresentation)
        for message in 0..<4 {
            let message = [UInt8(message)]
            var signature = Array(try key.signature(for: message))
            #expect(weSay(signature, of: message, by: publicKey))
            for multiple in 1...9 {
                var carry = 0
                for i in 0..<32 {
                    carry += Int(signature[32 + i]) + Int(order[i])
                    signature[32 + i] = UInt8(truncatingIfNeeded: carry)
                    carry >>= 8
                }
                #expect(!weSay(signature, of: message, by: publicKey), "S + \(multiple) L")
                #expect(!hostSays(signature, of: message, by: publicKey))
            }
        }
        // Around the limit, and with the bits above it.
        for s in [order, [0xEC] + order.dropFirst(), [0xEE] + order.dropFirst(), [UInt8](repeating: 0xFF, count: 32)] {
            let signature = [UInt8](repeating: 0, count: 32) + s
            for key in Self.smallOrder.prefix(4) {
                #expect(weSay(signature, of: [], by: key) == hostSays(signature, of: [], by: key))
            }
        }
    }

    @Test func `Random signatures, whole and damaged in every way, are answered as on the host`() throws {
        var random = Seeded(8032)
        var (valid, asked) = (0, 0)
        for round in 0..<100 {
            let signer = try Curve25519.Signing.PrivateKey(rawRepresentation: random.bytes(32))
            let key = Array(signer.publicKey.rawRepresentation)
            let message = random.bytes(round < 40 ? random.below(400) : random.below(3000))
            let signature = Array(try signer.signature(for: message))
            var cases = [(signature, message, key)]
            for _ in 0..<4 {
                var (signature, message, key) = (signature, message, key)
                switch random.below(8) {
                case 0: signature[random.below(32)] ^= UInt8(1 << random.below(8))
                case 1: signature[32 + random.below(32)] ^= UInt8(1 << random.below(8))
                case 2: key[random.below(32)] ^= UInt8(1 << random.below(8))
                case 3: message.isEmpty ? message = [0] : (message[random.below(message.count)] ^= 0x40)
                case 4: signature = Array(signature[32...] + signature[..<32])
                case 5: key = random.bytes(32)
                case 6: signature.replaceSubrange(0..<32, with: Self.smallOrder[random.below(14)])
                default: signature = random.bytes(64)
                }
                cases.append((signature, message, key))
            }
            for (signature, message, key) in cases {
                let host = hostSays(signature, of: message, by: key)
                #expect(weSay(signature, of: message, by: key) == host, "\(hexText(key)): \(hexText(signature))")
                asked += 1
                if host { valid += 1 }
            }
        }
        #expect(valid >= 100 && asked == 500)
    }

    @Test func `SHA-512 of every length is that of the host, in any pieces`() {
        var random = Seeded(512)
        for count in Array(0...300) + [1000, 4096] {
            let bytes = random.bytes(count)
            var ours = FirmwareCrypto.SHA512()
            let cut = random.below(count + 1)
            ours.add(bytes.span.bytes.extracting(first: cut))
            ours.add(bytes.span.bytes.extracting(droppingFirst: cut))
            let digest = ours.finish()
            #expect((0..<64).map { digest[$0] } == Array(Crypto.SHA512.hash(data: bytes)), "\(count) bytes")
        }
    }
}
