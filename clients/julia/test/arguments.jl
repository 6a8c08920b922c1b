# What may be factored, and what is said of the rest.

@testset "element types and storage" begin
    A = [4 3; 6 3]
    @test Recfact.lu(A).factors == [6.0 3.0; 4/6 1.0]
    @test Recfact.lu(A).ipiv == [2, 2]
    @test eltype(Recfact.lu(Float16.(A)).factors) == Float32
    @test Recfact.lu(A .== 3; check = false) isa LU{Float64}
    B = Float64.([2 1 0; 4 5 6; 7 8 10])
    expected = Recfact.lu(B)
    @test Recfact.lu(B').factors == Recfact.lu(Matrix(B')).factors
    @test Recfact.lu(Tridiagonal(B)).factors == Recfact.lu(Matrix(Tridiagonal(B))).factors
    @test Recfact.lu(UpperTriangular(B)).factors == UpperTriangular(B)
    Recfact.Server() do server
        for factor! in (Recfact.lu!, (A; keywords...) -> Recfact.lu!(server, A; keywords...))
            big = fill(-1.0, 5, 7)
            view_of_big = view(big, 2:4, 3:5)
            view_of_big .= B
            F = factor!(view_of_big)
            @test F.factors === view_of_big && F.factors == expected.factors && F.ipiv == expected.ipiv
            @test sum(big .== -1) == 35 - 9
            # Rows that are not next to each other.
            big = fill(-1.0, 6, 3)
            every_other = view(big, 1:2:6, :)
            every_other .= B
            @test factor!(every_other).factors == expected.factors && all(big[2:2:6, :] .== -1)
            # Columns from the last to the first, more of them than rows, and one row alone.
            for rows in (2:4, 1:1)
                C = [7.0 1.0 2.0 5.0; 1.0 3.0 9.0 2.0; 4.0 8.0 6.0 3.0; 2.0 2.0 1.0 7.0]
                reversed = view(copy(C), rows, 4:-1:1)
                @test factor!(reversed).factors == Recfact.lu(C[rows, 4:-1:1]).factors
            end
        end
    end
end

@testset "empty matrices" begin
    Recfact.Server() do server
        for shape in ((0, 0), (0, 3), (3, 0))
            for F in (Recfact.lu(zeros(shape)), Recfact.lu(server, zeros(shape)))
                @test size(F.factors) == shape && isempty(F.ipiv) && issuccess(F)
            end
        end
    end
end

@testset "zero pivots" begin
    singular = [1.0 2.0; 2.0 4.0]
    @test_throws SingularException(2) Recfact.lu(singular)
    @test_throws SingularException(2) Recfact.lu!(copy(singular))
    @test Recfact.lu(singular; check = false).info == 2
    no_pivot = [0.0 1.0; 1.0 1.0]
    @test_throws ZeroPivotException(1) Recfact.lu(no_pivot; pivot = false)
    @test !issuccess(Recfact.lu(no_pivot; pivot = false, check = false))
    @test issuccess(Recfact.lu(no_pivot))
    Recfact.Server() do server
        @test_throws SingularException(2) Recfact.lu(server, singular)
        @test_throws ZeroPivotException(1) Recfact.lu(server, no_pivot; pivot = false)
        # The session goes on.
        @test issuccess(Recfact.lu(server, no_pivot))
    end
end

@testset "mistakes" begin
    @test_throws ArgumentError Recfact.lu(rand(ComplexF64, 2, 2))
    @test_throws ArgumentError Recfact.lu(big.(rand(2, 2)))
    @test_throws ArgumentError Recfact.lu(rand(2, 2); threads = -1)
    @test_throws MethodError Recfact.lu!([1 2; 3 4])
    @test_throws ArgumentError Recfact.Server(; transport = :telegraph)
    @test_throws ArgumentError Recfact.Server("/nonexistent/server")
    @test_throws ArgumentError Recfact.Server("no-such-program")
    @test_throws ArgumentError Recfact.Server(; arguments = "--max-bytes 1000")
    not_executable = script("#!/bin/sh\n")
    chmod(not_executable, 0o644)
    @test_throws ArgumentError Recfact.Server(not_executable)
    @test_throws ArgumentError Recfact.backend!(:abacus)
    withenv("RECFACT_LIBRARY" => "/etc/passwd") do
        @test_throws ArgumentError Recfact.backend!(:library)
    end
end
