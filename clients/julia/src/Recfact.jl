"""
P A = L U, the LU factorization with partial pivoting of dense real matrices, by recfact: in this process, or by a server
that starts by itself.

    F = Recfact.lu(A)            # a LinearAlgebra.LU: F \\ b, det(F), inv(F), F.L, F.U, F.p
    Recfact.lu!(A)               # the same in place
    Recfact.Server() do server   # by a server of its own
        Recfact.lu(server, A)
    end

The bits of the result are the same on every CPU, with any number of threads, in process and by a server.
"""
module Recfact

import Libdl
import LinearAlgebra
using LinearAlgebra: BlasInt, LU, SingularException, ZeroPivotException

"The types of elements that are factored."
const Element = Union{Float32,Float64}

include("errors.jl")
include("find.jl")
include("library.jl")
include("segment.jl")
include("connection.jl")
include("factor_frame.jl")
include("server.jl")
include("julia.jl")
include("backend.jl")
include("build.jl")
include("lu.jl")

__init__() = atexit(stop_all)

end
