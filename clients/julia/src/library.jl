"librecfact.so in this process."
struct Library
    factor_f64::Ptr{Cvoid}
    factor_f32::Ptr{Cvoid}
    strerror::Ptr{Cvoid}
end

function Library(path::AbstractString)
    # Its names must not take the place of LAPACK's in this process: RTLD_LOCAL, which is Libdl's default.
    handle = Libdl.dlopen(path)
    Library(map(name -> Libdl.dlsym(handle, name), (:recfact_factor_f64, :recfact_factor_f32, :recfact_strerror))...)
end

entry(library::Library, ::Type{Float64}) = library.factor_f64
entry(library::Library, ::Type{Float32}) = library.factor_f32

# What recfact.h says of them.
const OUT_OF_MEMORY = 10

"""
P A = L U in place; [`is_column_major`](@ref) holds for A. `ipiv` has min(m, n) elements. Returns `info`, which is negative
without pivoting.
"""
function factor!(library::Library, A::StridedMatrix{T}, ipiv::Vector{Int64}, pivot::Bool, threads::Int) where {T<:Element}
    info = Ref{Int64}(0)
    status = ccall(
        entry(library, T), Cint, (Int64, Int64, Ptr{T}, Int64, Ptr{Int64}, Cint, Int64, Ref{Int64}),
        size(A, 1), size(A, 2), A, size(A, 2) > 1 ? stride(A, 2) : size(A, 1), ipiv, pivot, threads, info,
    )
    status == OUT_OF_MEMORY && throw(OutOfMemoryError())
    status == 0 || throw(ArgumentError(unsafe_string(ccall(library.strerror, Cstring, (Cint,), status))))
    info[]
end
