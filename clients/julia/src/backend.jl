# What factors matrices if the caller names no server.

const Backend = Union{Library,Server,JuliaLU}
const BACKEND = Ref{Union{Nothing,Backend}}(nothing)
const BACKEND_LOCK = ReentrantLock()

"""
    Recfact.backend()

What `Recfact.lu(A)` uses: `:library` for librecfact.so in this process, `:server` for a server that it starts by itself, or `:julia` for
the standard library's `lu!`, if neither can be had.
"""
backend() = name(in_use())

name(::Library) = :library
name(::Server) = :server
name(::JuliaLU) = :julia

"""
    Recfact.backend!(name)

Has `Recfact.lu(A)` use `:library`, `:server` or `:julia` from now on, or with `:any` the first of them that can be had.

Throws an `ArgumentError` if it cannot be had.
"""
function backend!(name::Symbol)
    old = lock(BACKEND_LOCK) do
        old, BACKEND[] = BACKEND[], chosen(name)
        old
    end
    old isa Server && close(old)
    nothing
end

function in_use()
    lock(BACKEND_LOCK) do
        BACKEND[] === nothing && (BACKEND[] = chosen(:any))
        BACKEND[]
    end
end

function chosen(name::Symbol)
    name == :library && return library()
    name == :server && return Server()
    name == :julia && return JuliaLU()
    name == :any || throw(ArgumentError("backend: expected :library, :server, :julia or :any, got $(repr(name))"))
    for make in (library, Server)
        try
            return make()
        catch error
            # Neither a file that is not there nor one that cannot be loaded is a mistake here, unless a variable names it.
            named = make === library ? "RECFACT_LIBRARY" : "RECFACT_SERVER"
            isempty(get(ENV, named, "")) || @warn "$named: $(sprint(showerror, error))"
        end
    end
    @warn "neither $LIBRARY nor $EXECUTABLE can be had: Recfact uses LinearAlgebra.lu!, whose bits depend on the CPU. " *
          "Recfact.build() makes both."
    JuliaLU()
end

function library()
    path = find_library()
    path === nothing && throw(ArgumentError(
        "expected $LIBRARY in $(dirname(installed(LIBRARY))), found none; " *
        "call Recfact.build(), or set RECFACT_LIBRARY to the path of the library"))
    try
        Library(path)
    catch error
        throw(ArgumentError("$path cannot be used: $(sprint(showerror, error))"))
    end
end
