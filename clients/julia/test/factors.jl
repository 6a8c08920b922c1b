# Factors: in process, by a server with each transport, and what the standard library makes of them.

"Checks P A = L U by the bound that the project began with."
function is_factored(F, A::Matrix{T}; pivot = true) where {T}
    m = size(A, 1)
    rows = pivot ? F.p : 1:m
    maximum(abs, F.L * F.U - A[rows, :]) < 20 * m * eps(T) * max(1, maximum(abs, A))
end

same_bits(F, G) = F.factors == G.factors && F.ipiv == G.ipiv && F.info == G.info

@testset "the sizes of the first server, by $transport" for transport in TRANSPORTS
    Random.seed!(1)
    Recfact.Server(; transport = transport) do server
        for A in (rand(10, 10), rand(50, 50), rand(100, 100), rand(300, 300), rand(200, 100), rand(100, 200),
                  rand(Float32, 10, 10), rand(Float32, 50, 50), rand(Float32, 100, 100))
            F = Recfact.lu(server, A)
            @test is_factored(F, A)
            @test same_bits(F, Recfact.lu(A))
        end
        A = rand(60, 60)
        B = copy(A)
        F = Recfact.lu!(server, B)
        @test F.factors === B && is_factored(F, A)
        A[:, 7] .= 0
        F = Recfact.lu(server, A; check = false)
        @test F.info == 7 && !issuccess(F)
        @test same_bits(F, Recfact.lu(A; check = false))
        @test server.connection.frames == (transport != :version1)
        @test server.connection.maps == (transport == :mapped)
    end
end

@testset "sizes and kinds, $T" for T in (Float64, Float32)
    Random.seed!(2)
    wrong = 0
    Recfact.Server() do server
        for s in [1:10; 50:80:200; 300], columns in (s, s + 2), transposed in (false, true), pivot in (true, false),
            zeroed in (false, true), threads in (1, 2)

            A = transposed ? Matrix(transpose(rand(T, s, columns))) : rand(T, s, columns)
            # Without pivots from other rows the diagonal must be large.
            pivot || (A += s * Matrix{T}(I, size(A)...))
            k = rand(1:min(size(A)...))
            zeroed && (A[:, k] .= 0)
            F = Recfact.lu(A; pivot = pivot, threads = threads, check = false)
            expected = zeroed ? k : 0
            wrong += F.info != expected || !is_factored(F, A; pivot = pivot)
            wrong += !same_bits(F, Recfact.lu(server, A; pivot = pivot, threads = threads, check = false))
        end
    end
    @test wrong == 0
end

@testset "what the standard library does with the factors" begin
    Random.seed!(3)
    A, b, B = rand(40, 40), rand(40), rand(40, 3)
    Recfact.Server() do server
        for F in (Recfact.lu(A), Recfact.lu(server, A))
            @test F isa LU{Float64,Matrix{Float64}}
            @test A * (F \ b) ≈ b
            @test A * ldiv!(F, copy(B)) ≈ B
            @test A' * (F' \ b) ≈ b
            @test inv(F) * A ≈ I
            @test det(F) ≈ det(lu(A))
            @test logabsdet(F)[1] ≈ logabsdet(lu(A))[1]
        end
    end
end

@testset "a large matrix goes through every transport" begin
    Random.seed!(4)
    A = rand(700, 500)
    expected = Recfact.lu(A)
    for transport in TRANSPORTS
        Recfact.Server(; transport = transport) do server
            # The segment grows in between.
            Recfact.lu(server, rand(20, 20))
            @test same_bits(Recfact.lu(server, A), expected)
            @test same_bits(Recfact.lu(server, A; threads = 1), expected)
        end
    end
end
