# Memory that a server sees as well: a memfd that is sealed against shrinking (protocol.md, MAP).

const MFD_CLOEXEC, MFD_ALLOW_SEALING = 0x1, 0x2
const F_ADD_SEALS, F_SEAL_SHRINK = 1033, 0x2

mutable struct Segment
    file::IOStream
    bytes::Vector{UInt8}
    "The number that the server has given it."
    number::UInt32
end

"A segment of so many bytes; `nothing` if the system has no memfd or no memory."
function Segment(size::Integer)
    descriptor = ccall(:memfd_create, Cint, (Cstring, Cuint), "recfact", MFD_CLOEXEC | MFD_ALLOW_SEALING)
    descriptor < 0 && return nothing
    file = fdio(descriptor, true)
    if ccall(:fcntl, Cint, (Cint, Cint, Cint...), descriptor, F_ADD_SEALS, F_SEAL_SHRINK) != 0
        close(file)
        return nothing
    end
    segment = Segment(file, UInt8[], 0)
    grow!(segment, size) ? segment : nothing
end

"Makes a segment longer. Returns whether the system had the memory."
function grow!(segment::Segment, size::Integer)
    ccall(:ftruncate, Cint, (Cint, Int64), fd(segment.file), size) == 0 || return false
    # Julia unmaps the old memory when it collects it.
    segment.bytes = Mmap.mmap(segment.file, Vector{UInt8}, Int(size); grow = false)
    true
end

Base.close(segment::Segment) = close(segment.file)
