"""
    ServerError(status, message)

The server could not start, has ended, or refused a request. `status` is the negative status of protocol.md if it refused one, else 0.
"""
struct ServerError <: Exception
    status::Int
    message::String
end

Base.showerror(io::IO, error::ServerError) = print(io, "ServerError: ", error.message)
