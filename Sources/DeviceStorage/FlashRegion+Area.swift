import ByteTools
public import FirmwareStorage

/// What microcontroller code needs of a flash, over a window into a chip on the host.
extension FlashRegion: FlashArea {
    /// Bytes can be written one by one.
    public var writeSize: Int { 1 }

    /// The sector of `offset`.
    public func unit(at offset: Int) -> FlashUnit {
        FlashUnit(start: offset / NORFlash.sectorSize * NORFlash.sectorSize, size: NORFlash.sectorSize)
    }

    /// Fills `out`.
    public func read(at offset: Int, into out: UnsafeMutableRawBufferPointer) throws(FlashFault) {
        do { out.copyBytes(from: try bytes(at: offset, count: out.count)) } catch { throw FlashFault(error) }
    }

    /// Writes bytes.
    public mutating func write(at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FlashFault) {
        do { try write(at: offset, Array(bytes)) } catch { throw FlashFault(error) }
    }

    /// Erases a sector.
    public mutating func erase(unitAt offset: Int) throws(FlashFault) {
        do { try eraseSector(at: unit(at: offset).start) } catch { throw FlashFault(error) }
    }
}

extension FlashFault {
    /// What microcontroller code is told of a failure on the host.
    init(_ error: FlashError) {
        switch error {
        case .outOfRange: self = .range
        case .unaligned: self = .alignment
        case .device: self = .hardware(0)
        }
    }
}
