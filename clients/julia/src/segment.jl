# Memory that a server sees as well: a memfd that is sealed against shrinking (protocol.md, MAP).

const MFD_CLOEXEC, MFD_ALLOW_SEALING = 0x1, 0x2
const F_ADD_SEALS, F_SEAL_SHRINK = 1033, 0x2
const PROT_READ_WRITE, MAP_SHARED = 0x3, 0x1
const MAP_FAILED = Ptr{Cvoid}(typemax(UInt))

mutable struct Segment
    descriptor::Cint
    pointer::Ptr{UInt8}
    "Bytes that are mapped here, and those that the server has mapped."
    length::Int
    shared::Int
    "The number that the server has given it."
    number::UInt32
end

"A segment of `size` bytes; `nothing` if the system refuses a memfd or the memory."
function Segment(size::Integer)
    descriptor = ccall(:memfd_create, Cint, (Cstring, Cuint), "recfact", MFD_CLOEXEC | MFD_ALLOW_SEALING)
    descriptor < 0 && return nothing
    segment = finalizer(close, Segment(descriptor, C_NULL, 0, 0, 0))
    is_sealed = ccall(:fcntl, Cint, (Cint, Cint, Cint...), descriptor, F_ADD_SEALS, F_SEAL_SHRINK) == 0
    is_sealed && grow!(segment, size) && return segment
    close(segment)
    nothing
end

"Grows a segment to at least `size` bytes. Returns `false`, and leaves it as it is, if the system refuses the memory."
function grow!(segment::Segment, size::Integer)
    size <= segment.length && return true
    ccall(:ftruncate, Cint, (Cint, Int64), segment.descriptor, size) == 0 || return false
    pointer = ccall(
        :mmap, Ptr{Cvoid}, (Ptr{Cvoid}, Csize_t, Cint, Cint, Cint, Int64),
        C_NULL, size, PROT_READ_WRITE, MAP_SHARED, segment.descriptor, 0,
    )
    pointer == MAP_FAILED && return false
    unmap(segment)
    segment.pointer, segment.length = pointer, size
    true
end

function unmap(segment::Segment)
    segment.length == 0 || ccall(:munmap, Cint, (Ptr{Cvoid}, Csize_t), segment.pointer, segment.length)
    segment.pointer, segment.length = C_NULL, 0
end

"Frees the memory, and may be called again."
function Base.close(segment::Segment)
    unmap(segment)
    segment.descriptor < 0 || ccall(:close, Cint, (Cint,), segment.descriptor)
    segment.descriptor = -1
    nothing
end
