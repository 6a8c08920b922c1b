# A server process and the bytes that go to and from it.

mutable struct Connection
    process::Base.Process
    "The server's stderr, and what it says there until it ends."
    errors::Pipe
    said::Task
    "Whether it knows extended frames, and mapped memory."
    frames::Bool
    maps::Bool
    segment::Union{Nothing,Segment}
end

const HELLO, MAP, FACTOR, EXIT = 0x10, 0x18, 0x20, 0xff
const PROTOCOL_VERSION = UInt32(2)
# The features of HELLO.
const FACTORS, MAPS = 0x1, 0x2
# Bytes of an answer that carries no matrix, and more.
const MAX_PAYLOAD = 1 << 20
# An `info` below this is a refusal of version 1.
const REFUSED = -Int64(2)^62

"Starts a server and says HELLO, unless only version 1 is wanted."
function Connection(command::Cmd, transport::Symbol)
    connection = start(command)
    transport == :version1 && return connection
    try
        write_frame(connection, HELLO, vcat(reinterpret(UInt8, [htol(PROTOCOL_VERSION)]), Vector{UInt8}("Recfact.jl")))
        status = read_integer(connection)
        if status < REFUSED
            # It knows version 1 only, and has ended.
            stop(connection)
            return start(command)
        end
        answer = IOBuffer(read_payload(connection, status))
        read(answer, 8) == b"RECFACT\0" || no_server()
        skip(answer, 4)
        features = ltoh(read(answer, UInt64))
        connection.frames = features & FACTORS != 0
        connection.maps = connection.frames && features & MAPS != 0 && transport == :mapped
    catch error
        give_up(connection, error)
    end
    connection
end

function start(command::Cmd)
    errors = Pipe()
    # A process group of its own: Ctrl-C at a prompt is for Julia.
    process = try
        open(pipeline(detach(command); stderr = errors), "r+")
    catch error
        close(errors)
        throw(ServerError(0, "expected to start $(command.exec[1]): $(sprint(showerror, error))"))
    end
    close(errors.in)
    Connection(process, errors, @async(read(errors, String)), false, false, nothing)
end

is_alive(connection::Connection) = (yield(); process_running(connection.process))

"Ends a server: kindly at first, then by a signal. Returns when it has ended."
function stop(connection::Connection)
    process = connection.process
    timer = Timer(_ -> process_running(process) && kill(process, Base.SIGKILL), 2)
    try
        write(process.in, EXIT)
    catch
        # It has ended already.
    end
    close(process.in)
    wait(process)
    close(timer)
    close(process.out)
    # Another process may have inherited stderr, and keep it open.
    timedwait(() -> istaskdone(connection.said), 1.0; pollint = 0.001)
    close(connection.errors)
    connection.segment === nothing || close(connection.segment)
    nothing
end

"""
Ends a server that can be of no more use after this error, and throws what is to be said: why it has ended, or the error, which came
in the middle of a request. To be called in a `catch`.
"""
function give_up(connection::Connection, error)
    process = connection.process
    has_ended = error isa EOFError || error isa Base.IOError
    has_ended || kill(process, Base.SIGKILL)
    stop(connection)
    has_ended || rethrow(error)
    how = process.termsignal != 0 ? "was ended by signal $(process.termsignal)" : "has ended, exit status $(process.exitcode)"
    said = strip(fetch(connection.said))
    throw(ServerError(0, "the server $how" * (isempty(said) ? "" : ": $said")))
end

"Writes an extended frame; `more` are the elements of a matrix after the payload."
function write_frame(connection::Connection, command::UInt8, payload::Vector{UInt8}, more = UInt8[])
    head = IOBuffer()
    write(head, command, htol(Int64(length(payload) + sizeof(more))), payload)
    to = connection.process.in
    write(to, take!(head))
    isempty(more) || write(to, more)
    nothing
end

read_integer(connection::Connection) = ltoh(read(connection.process.out, Int64))

"""
The payload of the next answer. A status below 0 is thrown as a `ServerError`, and the session goes on; an answer that no server gives
is thrown as an `ErrorException`.
"""
function read_payload(connection::Connection, status::Int64 = read_integer(connection))
    -64 < status <= 0 || no_server()
    count = read_integer(connection)
    0 <= count <= MAX_PAYLOAD || no_server()
    payload = read(connection.process.out, count)
    length(payload) == count || throw(EOFError())
    status == 0 || throw(ServerError(status, String(payload)))
    payload
end

no_server() = error("the answer is not that of $EXECUTABLE: correct the path of the executable, or build it anew")

"Reads elements from the pipe to this place."
read_to(connection::Connection, place::Ptr, bytes::Integer) = unsafe_read(connection.process.out, place, bytes)
