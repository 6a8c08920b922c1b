# What factors if no server is named, and where the executable and the library are looked for.

@testset "backends" begin
    A = rand(30, 20)
    @test Recfact.backend() == :library
    expected = Recfact.lu(A)
    Recfact.backend!(:server)
    @test Recfact.backend() == :server && same_bits(Recfact.lu(A), expected)
    pid = getpid(Recfact.in_use())
    Recfact.backend!(:julia)
    @test ends(pid)
    @test Recfact.backend() == :julia && is_factored(Recfact.lu(A), A)
    @test_throws SingularException(2) Recfact.lu([1.0 2.0; 2.0 4.0])
    @test_throws ZeroPivotException(1) Recfact.lu([0.0 1.0; 1.0 1.0]; pivot = false)
    dominant = A + 20 * Matrix(I, 30, 20)
    @test is_factored(Recfact.lu(dominant; pivot = false), dominant; pivot = false)
    Recfact.backend!(:any)
    @test Recfact.backend() == :library
end

@testset "without executable and library" begin
    isfile(Recfact.installed(Recfact.EXECUTABLE)) && (@info "NOT TESTED, Recfact.build() was called: the fallback"; return)
    program = """
        using Recfact, LinearAlgebra
        for _ in 1:3
            A = rand(20, 20)
            F = Recfact.lu(A)
            @assert F.L * F.U ≈ A[F.p, :]
        end
        println(Recfact.backend())
        """
    printed, succeeded = julia(program; RECFACT_SERVER = nothing, RECFACT_LIBRARY = nothing, PATH = "/nonexistent")
    @test succeeded && endswith(printed, "julia\n")
    @test length(collect(eachmatch(r"Warning", printed))) == 1
    # A variable that names nothing is said.
    printed, succeeded = julia(program; RECFACT_SERVER = "/nonexistent", RECFACT_LIBRARY = "/nonexistent")
    @test succeeded && occursin("RECFACT_LIBRARY names /nonexistent", printed) && occursin("RECFACT_SERVER names", printed)
end

@testset "the library is preferred, then a server" begin
    program = "using Recfact; Recfact.lu(rand(3, 3)); print(Recfact.backend())"
    @test julia(program; RECFACT_SERVER = nothing, PATH = "/nonexistent") == ("library", true)
    server = Recfact.find_server()
    if !isfile(Recfact.installed(Recfact.LIBRARY))
        @test julia(program; RECFACT_LIBRARY = nothing, RECFACT_SERVER = server) == ("server", true)
        # A name without a slash is looked up in PATH.
        path = dirname(server) * ":" * ENV["PATH"]
        @test julia(program; RECFACT_LIBRARY = nothing, RECFACT_SERVER = "recfact_server", PATH = path) == ("server", true)
        @test julia(program; RECFACT_LIBRARY = nothing, RECFACT_SERVER = nothing, PATH = path) == ("server", true)
    end
end
