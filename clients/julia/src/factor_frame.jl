# FACTOR, by mapped memory, by an extended frame through the pipes, or by a frame of version 1.

# Bits of a command of version 1 and of the flags of FACTOR.
const SINGLE, THREADED, NO_PIVOTING = 0x1, 0x2, 0x4
# The places of an operand.
const IN_PAYLOAD, IN_SEGMENT = 0x1, 0x2
const LINE = 64
# A status of MAP, and an `info` of version 1 after which the session goes on.
const BAD_SEGMENT = -8
const CANCELLED = typemin(Int64) + 5

"""
P A = L U in place. Returns `info`. If this throws, `A` and `ipiv` hold anything.
"""
function exchange!(connection::Connection, A::Matrix{T}, ipiv::Vector{Int64}, pivot::Bool, threads::Int) where {T<:Element}
    connection.frames || return by_version1!(connection, A, ipiv, pivot, threads)
    if connection.maps
        segment = mapped_segment(connection, offset_of_ipiv(A) + sizeof(ipiv))
        segment === nothing || return by_segment!(connection, segment, A, ipiv, pivot, threads)
    end
    by_pipe!(connection, A, ipiv, pivot, threads)
end

bits(::Type{Float32}, pivot::Bool) = SINGLE | bits(Float64, pivot)
bits(::Type{Float64}, pivot::Bool) = pivot ? 0x0 : NO_PIVOTING

function by_version1!(connection, A::Matrix{T}, ipiv, pivot, threads) where {T}
    head = IOBuffer()
    write(head, bits(T, pivot) | (threads == 1 ? 0x0 : THREADED), map(htol, Int64.(size(A)))...)
    write(connection.process.in, take!(head))
    write(connection.process.in, A)
    info = read_integer(connection)
    info == CANCELLED && throw(ServerError(-5, "the request was cancelled"))
    # The reason is what the server says on stderr when it ends.
    info < REFUSED && throw(EOFError())
    read_results!(connection, A, ipiv)
    info
end

function read_results!(connection, A, ipiv)
    GC.@preserve A ipiv begin
        read_to(connection, pointer(A), sizeof(A))
        read_to(connection, pointer(ipiv), sizeof(ipiv))
    end
end

"The fixed part of FACTOR. `operands` are the places of A, of L and U, and of `ipiv`: 32 bytes each."
function fixed_part(A::Matrix{T}, pivot, threads, operands) where {T}
    cpu = ccall(:sched_getcpu, Cint, ())
    part = IOBuffer()
    write(part, htol(UInt32(bits(T, pivot))), htol(UInt32(threads)), map(htol, Int64.(size(A)))...)
    write(part, htol(Int32(cpu)), UInt32(0))
    for (place, segment, offset, ld) in operands
        write(part, htol(UInt32(place)), htol(UInt32(segment)), htol(Int64(offset)), htol(Int64(ld)), Int64(0))
    end
    take!(part)
end

function by_pipe!(connection, A, ipiv, pivot, threads)
    operand = (IN_PAYLOAD, 0, 0, 0)
    write_frame(connection, FACTOR, fixed_part(A, pivot, threads, (operand, operand, operand)), A)
    status = read_integer(connection)
    status == 0 || return read_payload(connection, status)
    expected = 16 + sizeof(A) + sizeof(ipiv)
    read_integer(connection) == expected || no_server()
    info = read_integer(connection)
    read(connection.process.out, 8)
    read_results!(connection, A, ipiv)
    info
end

offset_of_ipiv(A) = cld(sizeof(A), LINE) * LINE

function by_segment!(connection, segment, A, ipiv, pivot, threads)
    at = offset_of_ipiv(A)
    GC.@preserve segment A unsafe_copyto!(segment.pointer, Ptr{UInt8}(pointer(A)), sizeof(A))
    matrix = (IN_SEGMENT, segment.number, 0, size(A, 1))
    rows = (IN_SEGMENT, segment.number, at, 0)
    write_frame(connection, FACTOR, fixed_part(A, pivot, threads, (matrix, matrix, rows)))
    answer = read_payload(connection)
    length(answer) == 16 || no_server()
    GC.@preserve segment A ipiv begin
        unsafe_copyto!(Ptr{UInt8}(pointer(A)), segment.pointer, sizeof(A))
        unsafe_copyto!(Ptr{UInt8}(pointer(ipiv)), segment.pointer + at, sizeof(ipiv))
    end
    ltoh(first(reinterpret(Int64, answer[1:8])))
end

"""
The connection's segment, of which the server has mapped at least `size` bytes. If that is refused, returns `nothing`, and this request goes
through the pipes; so do all later ones if the server cannot map memory at all.
"""
function mapped_segment(connection::Connection, size::Integer)
    segment = connection.segment
    if segment === nothing
        segment = connection.segment = Segment(size)
        connection.maps = segment !== nothing
        segment === nothing && return nothing
    end
    segment.shared >= size && return segment
    grow!(segment, size) || return nothing
    status = map!(connection, segment, size)
    status == 0 && return segment
    connection.maps = status != BAD_SEGMENT || segment.shared > 0
    nothing
end

"Has the server map the first `size` bytes of a segment. Returns the status of the answer."
function map!(connection::Connection, segment::Segment, size::Integer)
    payload = IOBuffer()
    write(payload, htol(segment.number), UInt32(0), htol(Int32(getpid())), htol(Int32(segment.descriptor)))
    write(payload, htol(Int64(size)))
    write_frame(connection, MAP, take!(payload))
    answer = try
        read_payload(connection)
    catch error
        error isa ServerError || rethrow()
        return error.status
    end
    segment.number = ltoh(first(reinterpret(UInt32, answer)))
    segment.shared = size
    0
end
