"""
    Recfact.build()

Builds the executable and the library with cargo, from the repository that this package lies in, and copies them into the package.
From then on they are used.
"""
function build()
    root = normpath(joinpath(@__DIR__, "..", "..", ".."))
    manifest = joinpath(root, "Cargo.toml")
    isfile(manifest) || error("expected the sources of recfact in $root, found none; develop this package from a checkout")
    target = get(ENV, "CARGO_TARGET_DIR", joinpath(root, "target"))
    run(`cargo build --release --manifest-path $manifest --target-dir $target`)
    mkpath(dirname(installed(EXECUTABLE)))
    for file in (EXECUTABLE, LIBRARY)
        # A file that is in use is replaced, not written.
        temporary = installed(file) * ".new"
        cp(joinpath(target, "release", file), temporary; force = true)
        mv(temporary, installed(file); force = true)
    end
    backend!(:any)
end
