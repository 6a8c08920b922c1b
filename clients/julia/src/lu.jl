"""
    Recfact.lu(A; pivot = true, check = true, threads = 0)
    Recfact.lu(server, A; ...)

P A = L U, as a `LinearAlgebra.LU`: `F \\ b`, `det(F)`, `inv(F)`, `F.L`, `F.U`, `F.p` and all else of the standard library work with it.

`A` is any matrix of `Float64` or `Float32`, or of integers or `Float16`, which are converted; it need not be square. Without `pivot` the
pivots are those of the diagonal. `threads` is the largest number of threads, or 0 to leave it to the library; the standard library
ignores it. With a [`Server`](@ref) that factors the matrix, without it [`backend`](@ref)`()` does.

If a pivot is exactly zero and `check` is true, throws a `LinearAlgebra.SingularException`, without `pivot` a
`LinearAlgebra.ZeroPivotException`, with the 1-based index of the first one. With `check = false` ask `issuccess(F)`.
"""
lu(A::AbstractMatrix; keywords...) = lu!(floating(A); keywords...)
lu(server::Server, A::AbstractMatrix; keywords...) = lu!(server, floating(A); keywords...)

"""
    Recfact.lu!(A; pivot = true, check = true, threads = 0)
    Recfact.lu!(server, A; ...)

As [`lu`](@ref), in place: `A` is a `Matrix` or a strided view of `Float64` or `Float32`, and its factors take its place, also if a zero
pivot is thrown. If the server ends in the middle of the request, or the request is interrupted, `A` holds anything.
"""
lu!(A::StridedMatrix{<:Element}; keywords...) = factored(in_use(), A; keywords...)
lu!(server::Server, A::StridedMatrix{<:Element}; keywords...) = factored(server, A; keywords...)

"A new matrix of elements that are factored."
floating(A::AbstractMatrix{T}) where {T<:Element} = copyto!(Matrix{T}(undef, size(A)), A)
floating(A::AbstractMatrix{Float16}) = copyto!(Matrix{Float32}(undef, size(A)), A)
floating(A::AbstractMatrix{<:Integer}) = copyto!(Matrix{Float64}(undef, size(A)), A)
floating(A::AbstractMatrix) = throw(ArgumentError(
    "expected elements of Float64, Float32, Float16 or integers, got $(eltype(A)); LinearAlgebra.lu factors others"))

"Whether a backend factors a matrix where it is, and not in a copy."
takes(::Server, A) = A isa Matrix
takes(::Union{Library,JuliaLU}, A) = is_column_major(A)

"Whether the columns of a matrix are contiguous and follow each other in rising order, as in LAPACK."
is_column_major(A) = stride(A, 1) == 1 && (size(A, 2) == 1 || stride(A, 2) >= size(A, 1))

function factored(backend, A::StridedMatrix; pivot::Bool = true, check::Bool = true, threads::Integer = 0)
    0 <= threads <= typemax(Int32) || throw(ArgumentError("threads: expected 0 or more, got $threads"))
    ipiv = Vector{Int64}(undef, min(size(A)...))
    info = if isempty(A)
        0
    elseif takes(backend, A)
        factor!(backend, A, ipiv, pivot, Int(threads))
    else
        contiguous = Matrix(A)
        info = factor!(backend, contiguous, ipiv, pivot, Int(threads))
        copyto!(A, contiguous)
        info
    end
    if check && info != 0
        throw(pivot ? SingularException(info) : ZeroPivotException(abs(info)))
    end
    # Since Julia 1.11 a zero pivot without pivoting is negative there, too.
    LU(A, convert(Vector{BlasInt}, ipiv), BlasInt(VERSION < v"1.11" ? abs(info) : info))
end
