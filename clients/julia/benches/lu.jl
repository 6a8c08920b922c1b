# The time of an LU factorization in place by order: LinearAlgebra.lu!, recfact in this process, and recfact by a server with each
# transport, in turns, the median of many. Usage: julia benches/lu.jl [ORDER..]; JULIA_LOAD_PATH as in the README of the package.

using LinearAlgebra
using Printf
using Recfact

median(times) = sort(times)[cld(length(times), 2)]

"The BLAS of this Julia, with its version where it says one."
blas() = isdefined(BLAS, :get_config) ? string(BLAS.get_config()) : BLAS.openblas_get_config()

"The median time of each contestant in seconds, all in turns, with a fresh matrix each time."
function times_of(contestants, A; seconds = 1.0)
    times = [Float64[] for _ in contestants]
    B = similar(A)
    start = time()
    while time() - start < seconds || length(first(times)) < 5
        for (factor!, list) in zip(contestants, times)
            # The first of two calls wakes the caches, the second one counts.
            for counts in (false, true)
                copyto!(B, A)
                elapsed = @elapsed factor!(B)
                counts && push!(list, elapsed)
            end
        end
    end
    map(median, times)
end

function compare(orders)
    Recfact.backend() == :library || error("expected librecfact.so; call Recfact.build() first")
    BLAS.set_num_threads(1)
    names = ["LinearAlgebra", "in process", "mapped", "pipe", "version 1"]
    @printf("f64, one thread, microseconds (ratio to LinearAlgebra); Julia %s, %s\n", VERSION, blas())
    println(lpad("n", 6), join(lpad.(names, 20)))
    servers = [Recfact.Server(; transport = transport) for transport in (:mapped, :pipe, :version1)]
    by_server = [A -> Recfact.lu!(server, A; threads = 1) for server in servers]
    for n in orders
        times = times_of([lu!, A -> Recfact.lu!(A; threads = 1), by_server...], rand(n, n))
        cells = [@sprintf("%12.1f (%5.2f)", 1e6 * time, time / times[1]) for time in times]
        println(lpad(n, 6), join(cells))
    end
    foreach(close, servers)
end

compare(isempty(ARGS) ? [10, 32, 64, 100, 200, 500, 1000, 2000] : parse.(Int, ARGS))
