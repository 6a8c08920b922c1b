"""
    Recfact.Server([path]; arguments = [], transport = :mapped)
    Recfact.Server(f, ...)

A recfact_server, for `Recfact.lu(server, A)`. It is started at the first request, started again after it has ended, and stopped by
`close(server)`, at the end of `f(server)`, or with Julia. Several tasks and threads may use it: their requests wait for each
other.

`path` is the executable; without it, see [`find_server`](@ref). `arguments` are those of the executable, such as
`["--max-bytes", "1000000"]`. `transport` is `:mapped` for memory that both processes see (as much as the largest matrix
needs, until `close`), `:pipe` for extended frames through the pipes, or `:version1` for the frames that every server
knows; the first two are given up for the next one if the server does not know them. The bits of results are the same. A
frame of version 1 has no number of threads: there, any number but 1 is as many as the server may use.

A server that is not closed stays until Julia ends.
"""
mutable struct Server
    path::String
    arguments::Vector{String}
    transport::Symbol
    lock::ReentrantLock
    connection::Union{Nothing,Connection}

    function Server(path::AbstractString = ""; arguments = String[], transport::Symbol = :mapped)
        if !(transport in (:mapped, :pipe, :version1))
            throw(ArgumentError("transport: expected :mapped, :pipe or :version1, got $(repr(transport))"))
        end
        found = find_server(path)
        found === nothing && throw(ArgumentError(
            "expected $EXECUTABLE in $(dirname(installed(EXECUTABLE))) or in PATH, found none; " *
            "call Recfact.build(), or set RECFACT_SERVER to the path of the executable"))
        if arguments isa AbstractString
            throw(ArgumentError("arguments: expected a list such as [\"--max-bytes\", \"1000\"], got $(repr(arguments))"))
        end
        new(found, String[string(argument) for argument in arguments], transport, ReentrantLock(), nothing)
    end
end

function Server(f::Function, arguments...; keywords...)
    server = Server(arguments...; keywords...)
    try
        f(server)
    finally
        close(server)
    end
end

Base.show(io::IO, server::Server) = print(io, "Recfact.Server(", repr(server.path), "; transport = :", server.transport, ")")

"Servers that have a process."
const RUNNING = Set{Server}()
const RUNNING_LOCK = ReentrantLock()

"The connection of a server, to a process that runs. Its lock is held."
function connected(server::Server)
    server.connection === nothing || is_alive(server.connection) || stop(disconnect!(server))
    if server.connection === nothing
        server.connection = Connection(`$(server.path) $(server.arguments)`, server.transport)
        lock(() -> push!(RUNNING, server), RUNNING_LOCK)
    end
    server.connection
end

"Forgets the connection of a server, and returns it."
function disconnect!(server::Server)
    lock(() -> delete!(RUNNING, server), RUNNING_LOCK)
    connection, server.connection = server.connection, nothing
    connection
end

function factor!(server::Server, A::Matrix{T}, ipiv::Vector{Int64}, pivot::Bool, threads::Int) where {T<:Element}
    lock(server.lock) do
        connection = connected(server)
        try
            exchange!(connection, A, ipiv, pivot, threads)
        catch error
            # After a refusal the session goes on, unless its payload was too long to be skipped.
            if error isa ServerError && error.status != -10
                error.status == -4 && throw(OutOfMemoryError())
                rethrow()
            end
            give_up(disconnect!(server), error)
        end
    end
end

"""
    close(server)

Stops the process of a server and frees the memory that it shares. The next request starts a new one.
"""
function Base.close(server::Server)
    lock(server.lock) do
        server.connection === nothing || stop(disconnect!(server))
    end
    nothing
end

"The process id of a server; `nothing` if it has no process."
function Base.getpid(server::Server)
    connection = server.connection
    connection === nothing && return nothing
    try
        getpid(connection.process)
    catch
        # It has ended.
        nothing
    end
end

"Stops all servers, those in the middle of a request at once; called at the end of Julia."
function stop_all()
    for server in lock(() -> collect(RUNNING), RUNNING_LOCK)
        connection = server.connection
        if trylock(server.lock)
            close(server)
            unlock(server.lock)
        elseif connection !== nothing
            kill(connection.process, Base.SIGKILL)
        end
    end
end
