import ByteTools

extension TeensyImage {
    /// Why there is no package of a program.
    public struct Refusal: Error, Equatable, Sendable, CustomStringConvertible {
        /// What the devices would find wrong.
        public let failure: Failure

        /// The reason for people, with what to do about it.
        public var description: String {
            guard case .program(let problem) = failure, let remedy = problem.remedy else { return failure.description }
            return "\(failure); \(remedy)"
        }
    }

    /// The package, a hex file, of a program that lies at `address` and has its descriptor and hash; looked at as the devices
    /// do it, so that none is made which they refuse.
    public static func package(of program: [UInt8], at address: UInt32) throws(Refusal) -> [UInt8] {
        var writer = IntelHexWriter()
        do throws(IntelHexWriter.OutOfReach) { try writer.add(program, at: address) } catch {
            let place = TeensyBoard.all.map(\.programSize).max() ?? 0
            throw Refusal(failure: .program(.behind(error.address, limit: place)))
        }
        let text = writer.finish()
        do throws(Failure) { _ = try TeensyImage(checking: ArraySource(text)) } catch { throw Refusal(failure: error) }
        return text
    }
}
