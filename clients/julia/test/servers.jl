# The life of servers: starts, deaths, ends, and what comes between.

"The processes that this one has started and not waited for."
children() = split(read("/proc/self/task/$(getpid())/children", String))

@testset "a server starts at its first request, and again after it was closed" begin
    server = Recfact.Server()
    @test getpid(server) === nothing
    Recfact.lu(server, rand(3, 3))
    first = getpid(server)
    Recfact.lu(server, rand(3, 3))
    @test getpid(server) == first
    close(server)
    @test ends(first) && getpid(server) === nothing
    @test issuccess(Recfact.lu(server, rand(3, 3)))
    second = getpid(server)
    close(server)
    close(server)
    @test ends(second)
end

@testset "a server that was killed is replaced, by $transport" for transport in TRANSPORTS
    Recfact.Server(; transport = transport) do server
        Recfact.lu(server, rand(3, 3))
        killed = getpid(server)
        run(`kill -KILL $killed`)
        @test becomes(() -> !process_running(server.connection.process))
        @test getpid(server) === nothing
        A = rand(30, 30)
        @test Recfact.lu(server, A).factors == Recfact.lu(A).factors
        @test getpid(server) != killed
    end
end

@testset "what a server says when it ends in a request" begin
    error_of(server, A = rand(3, 3)) =
        try
            Recfact.lu(server, A)
            "none"
        catch error
            error isa Recfact.ServerError || rethrow()
            sprint(showerror, error)
        end
    dies = script("#!/bin/sh\nhead -c 17 > /dev/null\necho out of coffee >&2\nexit 3\n")
    for transport in TRANSPORTS
        server = Recfact.Server(dies; transport = transport)
        @test error_of(server) == "ServerError: the server has ended, exit status 3: out of coffee"
        @test server.connection === nothing
    end
    killed = Recfact.Server(script("#!/bin/sh\nkill -TERM \$\$\n"))
    @test error_of(killed) == "ServerError: the server was ended by signal 15"
    # One that ends in the middle of an answer.
    half = Recfact.Server(script("#!/bin/sh\nhead -c 17 > /dev/null\nhead -c 20 /dev/zero\n"); transport = :version1)
    @test error_of(half) == "ServerError: the server has ended, exit status 0"
    # Its child keeps stderr open for a while.
    forks = Recfact.Server(script("#!/bin/sh\nsleep 5 < /dev/null > /dev/null &\necho sorry >&2\nexit 4\n"))
    @test (@elapsed @test error_of(forks) == "ServerError: the server has ended, exit status 4: sorry") < 4
    @test_throws ErrorException Recfact.lu(Recfact.Server(Sys.which("cat")), rand(3, 3))
    @test occursin("expected to start", error_of(Recfact.Server(script("#!/nonexistent/interpreter\n"))))
end

@testset "a refusal, by $transport" for transport in TRANSPORTS
    Recfact.Server(; arguments = ["--max-bytes", "1000"], transport = transport) do server
        A = rand(5, 5)
        Recfact.lu(server, A)
        before = getpid(server)
        refusal = try
            Recfact.lu(server, rand(300, 300))
        catch error
            error
        end
        @test refusal isa Recfact.ServerError && occursin("1000", refusal.message)
        # An extended frame does not end the session, unless it is too long to be skipped.
        @test issuccess(Recfact.lu(server, A))
        if transport == :mapped
            # Small matrices are mapped as before.
            @test getpid(server) == before && server.connection.maps && server.connection.segment.shared > 0
        end
    end
end

@testset "a first matrix that is too large to be mapped" begin
    Recfact.Server(; arguments = ["--max-bytes", "1000"]) do server
        @test_throws Recfact.ServerError Recfact.lu(server, rand(400, 400))
        @test issuccess(Recfact.lu(server, rand(5, 5)))
        @test server.connection.segment.shared > 0
    end
end

@testset "a server that knows version 1 only" begin
    # It answers the first byte of HELLO and ends, as old servers do; what is started next is the real one.
    mark = joinpath(mktempdir(), "mark")
    old = script("""
        #!/bin/sh
        if [ -e $mark ]; then exec $(Recfact.find_server()); fi
        touch $mark
        head -c 1 > /dev/null
        printf '\\001\\000\\000\\000\\000\\000\\000\\200'
        exit 1
        """)
    Recfact.Server(old) do server
        A = rand(20, 20)
        @test Recfact.lu(server, A).factors == Recfact.lu(A).factors
        @test !server.connection.frames
    end
end

@testset "tasks share a server" begin
    Recfact.Server() do server
        matrices = [rand(20 + i, 20) for i in 1:20]
        results = asyncmap(A -> Recfact.lu(server, A).factors, matrices; ntasks = 8)
        @test results == [Recfact.lu(A).factors for A in matrices]
    end
end

@testset "an interrupt ends the request, and the next one is answered" begin
    Recfact.Server() do server
        A = rand(2500, 2500)
        Recfact.lu(server, A)
        interrupted = getpid(server)
        task = @async Recfact.lu(server, A)
        sleep(0.1)
        istaskdone(task) || schedule(task, InterruptException(); error = true)
        @test becomes(() -> istaskdone(task))
        @test istaskfailed(task)
        B = rand(10, 10)
        @test Recfact.lu(server, B).factors == Recfact.lu(B).factors
        @test ends(interrupted) || getpid(server) == interrupted
    end
end

@testset "no server outlives Julia" begin
    program = """
        using Recfact
        server = Recfact.Server()
        Recfact.lu(server, rand(3, 3))
        print(getpid(server))
        """
    printed, succeeded = julia(program)
    @test succeeded && ends(parse(Int, printed))
    # Not even one that does not answer.
    printed, succeeded = julia(program * """
        flush(stdout)
        run(`kill -STOP \$(getpid(server))`)
        @async Recfact.lu(server, rand(30, 30))
        sleep(0.2)
        """)
    @test succeeded && ends(parse(Int, printed))
    printed, succeeded = julia(program * "; flush(stdout); run(`kill -KILL \$(getpid())`)")
    @test !succeeded && ends(parse(Int, printed))
end

@testset "a closed server has freed the memory that it shared" begin
    shared() = parse(Int, match(r"RssShmem:\s*(\d+)", read("/proc/self/status", String))[1])
    A = rand(700, 700)
    before = shared()
    GC.enable(false)
    for _ in 1:5
        Recfact.Server(server -> Recfact.lu!(server, A))
    end
    @test shared() <= before + 1000
    GC.enable(true)
end

@testset "a request may be cancelled, by $transport" for transport in TRANSPORTS
    Recfact.Server(; transport = transport) do server
        A = rand(2500, 2500)
        Recfact.lu(server, A[1:9, 1:9])
        pid = getpid(server)
        task = @async Recfact.lu(server, A; threads = 1)
        # A signal that comes before the computation has begun is lost.
        @test becomes(() -> (istaskdone(task) || run(`kill -USR1 $pid`); istaskdone(task)))
        error = try
            fetch(task)
        catch failure
            failure isa TaskFailedException ? failure.task.exception : failure
        end
        @test error isa Recfact.ServerError && error.status == -5
        @test Recfact.lu(server, A[1:9, 1:9]).factors == Recfact.lu(A[1:9, 1:9]).factors && getpid(server) == pid
    end
end

@testset "many starts leave no process behind" begin
    descriptors() = length(readdir("/proc/self/fd"))
    Recfact.Server(server -> Recfact.lu(server, rand(3, 3)))
    GC.gc()
    open_before = descriptors()
    # Julia leaves a zombie behind if a program cannot be executed, as above.
    before = children()
    for _ in 1:50
        Recfact.Server(server -> Recfact.lu(server, rand(3, 3)))
    end
    @test isempty(Recfact.RUNNING)
    @test children() == before
    GC.gc()
    @test descriptors() <= open_before + 2
end
