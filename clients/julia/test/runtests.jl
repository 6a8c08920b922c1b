# The tests of the package; they need the executable and the library: `Recfact.build()`, or RECFACT_SERVER and RECFACT_LIBRARY.

using LinearAlgebra
using Random
using Recfact
using Test

Recfact.find_server() === nothing && error("expected recfact_server, found none: call Recfact.build() first")
Recfact.find_library() === nothing && error("expected librecfact.so, found none: call Recfact.build() first")

const TRANSPORTS = (:mapped, :pipe, :version1)

"Runs a program in a Julia of its own. Returns what it printed, stdout and stderr together, and whether it succeeded."
function julia(program; environment...)
    command = `$(Base.julia_cmd()) --startup-file=no -e $program`
    variables = Dict{String,String}(ENV)
    for (name, value) in environment
        value === nothing ? delete!(variables, String(name)) : (variables[String(name)] = value)
    end
    variables["JULIA_LOAD_PATH"] = join(LOAD_PATH, ':')
    printed = IOBuffer()
    process = run(pipeline(setenv(ignorestatus(command), variables); stdout = printed, stderr = printed))
    (String(take!(printed)), success(process))
end

"An executable file with this text, in a folder that is removed at the end."
function script(text)
    path = joinpath(mktempdir(), "server")
    write(path, text)
    chmod(path, 0o755)
    path
end

"Whether it becomes true within some seconds."
becomes(condition; seconds = 10) = timedwait(condition, Float64(seconds); pollint = 0.01) == :ok

ends(pid) = becomes(() -> !isdir("/proc/$pid"))

@testset "Recfact" begin
    include("factors.jl")
    include("arguments.jl")
    include("servers.jl")
    include("backends.jl")
    include("readme.jl")
end
