# The programs of the package's README, and what it says that they print.

"The blocks of a Markdown file: their language and their text."
blocks(path) = [(block[1], block[2]) for block in eachmatch(r"^```(\w+)\n(.*?)^```$"ms, read(path, String))]

@testset "the README's programs" begin
    all = blocks(joinpath(@__DIR__, "..", "README.md"))
    programs = findall(block -> block[1] == "julia", all)
    @test length(programs) == 2
    for i in programs
        @test all[i + 1][1] == "output"
        @test julia(all[i][2]) == (all[i + 1][2], true)
    end
end
