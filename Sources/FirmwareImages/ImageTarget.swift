public import IOCOM

/// Addresses from `start` up to, not including, `end`.
public struct AddressRange: Equatable, Sendable {
    /// First address.
    public var start: UInt32
    /// Address behind the last one.
    public var end: UInt32

    /// A range; empty when `end` is not above `start`.
    public init(_ start: UInt32, _ end: UInt32) {
        self.start = start
        self.end = end
    }

    /// True when `address` lies inside.
    public func contains(_ address: UInt32) -> Bool { address >= start && address < end }
}

/// What an image has to be for a place. Empty texts and nil take anything.
public struct ImageTarget: Sendable {
    /// What the first words of an image mean to the machine.
    public enum Machine: Sendable {
        /// Nothing that is checked.
        case any
        /// A Cortex-M vector table: the stack pointer in one of two RAMs (the second may be empty), the reset vector in the
        /// image.
        case cortexM(ram: AddressRange, second: AddressRange)
    }

    /// The application.
    public var application: ShortText<15>
    /// Operating system.
    public var os: ShortText<7>
    /// Hardware.
    public var hardware: ShortText<16>
    /// Bytes of the place.
    public var largest: UInt32
    /// Address that the program has to be linked for.
    public var loadAddress: UInt32?
    /// What is checked of the first words.
    public var machine: Machine

    /// A target.
    public init(
        application: ShortText<15> = ShortText(), os: ShortText<7> = ShortText(),
        hardware: ShortText<16> = ShortText(), largest: UInt32 = ProgramDescriptor.largestImage,
        loadAddress: UInt32? = nil, machine: Machine = .any
    ) {
        self.application = application
        self.os = os
        self.hardware = hardware
        self.largest = largest
        self.loadAddress = loadAddress
        self.machine = machine
    }

    /// Throws unless a program with this descriptor and these first words is for this place.
    func check(_ program: ProgramDescriptor, _ first: UInt32, _ second: UInt32) throws(ImageProblem) {
        guard program.imageSize <= largest else { throw .tooLarge(size: program.imageSize, limit: largest) }
        guard os.isEmpty || program.os == os else { throw .os }
        guard hardware.isEmpty || program.hardware == hardware else { throw .hardware }
        guard application.isEmpty || program.application == application else { throw .application }
        if let loadAddress, program.loadAddress != loadAddress {
            throw .loadAddress(found: program.loadAddress, expected: loadAddress)
        }
        guard case .cortexM(let ram, let other) = machine else { return }
        // The stack grows downward from the address behind the RAM's last word (ARMv7-M B1.4.1); EABI wants it at 8.
        let below = first &- 8
        guard first % 8 == 0, first >= 8, ram.contains(below) || other.contains(below) else {
            throw .stackPointer(first)
        }
        // Bit 0 says Thumb, the only instruction set there is.
        let place = second & ~1
        guard second & 1 == 1, place >= program.loadAddress, place - program.loadAddress < program.imageSize - 40 else {
            throw .resetVector(second)
        }
    }
}
