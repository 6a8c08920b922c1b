# Where the executable and the shared library are. The order is that of every client of recfact: see clients/README.md.

const EXECUTABLE = "recfact_server"
const LIBRARY = "librecfact.so"

"Where `Recfact.build` installs a file."
installed(file) = normpath(joinpath(@__DIR__, "..", "deps", file))

"""
    find_server([path])

The path of the executable: `path`, else the environment variable `RECFACT_SERVER`, else the one that `Recfact.build()` has made, else
the one in `PATH`; `nothing` if there is none. A name without a slash is looked up in `PATH`.

Throws an `ArgumentError` if `path` or the variable names no executable file.
"""
function find_server(path::AbstractString = "")
    for (named_by, value) in ("path" => path, "RECFACT_SERVER" => get(ENV, "RECFACT_SERVER", ""))
        isempty(value) || return existing(value, named_by)
    end
    isfile(installed(EXECUTABLE)) ? installed(EXECUTABLE) : Sys.which(EXECUTABLE)
end

function existing(value, named_by)
    # The rule of a shell: a name with a slash is a path.
    is_executable = isfile(value) && Sys.isexecutable(value)
    found = '/' in value ? (is_executable ? abspath(value) : nothing) : Sys.which(value)
    found === nothing || return found
    throw(ArgumentError("$named_by names $value, which is no executable file; correct it, or leave it out"))
end

"""
    find_library()

The path of the shared library: the environment variable `RECFACT_LIBRARY`, else the one that `Recfact.build()` has made, else what
the system's loader finds; `nothing` if there is none.

Throws an `ArgumentError` if the variable names no file.
"""
function find_library()
    named = get(ENV, "RECFACT_LIBRARY", "")
    if !isempty(named)
        isfile(named) || throw(ArgumentError("RECFACT_LIBRARY names $named, which is no file; correct it, or leave it out"))
        return abspath(named)
    end
    isfile(installed(LIBRARY)) && return installed(LIBRARY)
    found = Libdl.find_library("librecfact")
    isempty(found) ? nothing : found
end
