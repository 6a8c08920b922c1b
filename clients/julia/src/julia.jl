"LinearAlgebra of the standard library, where neither the library nor the executable can be had."
struct JuliaLU end

function factor!(::JuliaLU, A::StridedMatrix{T}, ipiv::Vector{Int64}, pivot::Bool, threads::Int) where {T<:Element}
    # Val became RowMaximum and NoPivot in Julia 1.7.
    how = if isdefined(LinearAlgebra, :RowMaximum)
        pivot ? LinearAlgebra.RowMaximum() : LinearAlgebra.NoPivot()
    else
        Val(pivot)
    end
    F = LinearAlgebra.lu!(A, how; check = false)
    copyto!(ipiv, F.ipiv)
    pivot ? Int64(F.info) : -abs(Int64(F.info))
end
