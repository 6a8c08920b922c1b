//! Every block size and crossover, and where it comes from.
//!
//! The numbers were chosen by sweeps with the commands named below, of which the best was kept. "Zen 3" is a virtual
//! machine of two cores of an AMD EPYC, family 25, model 1 (AVX2; L1d 32 KiB, L2 512 KiB a core, L3 32 MiB), on 2026-11-21; "Zen 4"
//! one of family 25, model 17 (AVX-512 on multipliers of 256 bits; L1d 32 KiB, L2 1 MiB a core, L3 32 MiB), on 2026-11-29. On Zen 4
//! the sweep found a plateau: no width of 48 to 144 columns, no chunk and no number of tiles was better than the sizes of Zen 3 by
//! more than figures differ from run to run (4%), in either instruction set, so they stand for both.
//!
//! | number | command |
//! | --- | --- |
//! | `mv`, `nr`, `nt` | `cargo bench --bench kernels --features internals -- 'gemm|trsm'` |
//! | `nb` | `.. -- panel` and `cargo bench --bench factor -- order` |
//! | `small` | `cargo run --release -p recfact-peers -- 24 28 32 36 40 44 48` with `small` larger and smaller |
//! | `mc_tiles`, `chunk`, widths of blocks, `far_bytes` | `cargo bench --bench tuning --features internals` |
//! | `kc`, `pack_columns` | `cargo run --release -p recfact-peers -- 128 256 512 1000 2000` |
//! | `blocks` | the same with orders 80 to 4000, `--threads 1` and `--threads 2` |
//! | `xr`, `xv`, `solve` | `cargo run --release -p recfact-peers -- --rhs K 32 64 100 256 512 1000`, also with `--transpose` |
//!
//! Nothing here changes a bit of any result.

use super::microarchitecture::Microarchitecture;

/// Whether AVX2's kernels factor a matrix of `m` rows in less time than AVX-512's; `bytes` is the size of an element. An AMD EPYC of
/// family 25, model 17 (Zen 4), square matrices of orders 1 to 1500, on 2026-11-29: f64 gained 1 to 8%, f32 2 to 16%. Solves and
/// inverses gain nothing.
pub(crate) fn prefers_avx2(cpu: Microarchitecture, m: usize, bytes: usize) -> bool {
    match cpu {
        // A register of AVX-512 holds up to 8 rows.
        Microarchitecture::Zen4 if bytes == size_of::<f64>() => matches!(m, 0..=4 | 9..250),
        Microarchitecture::Zen4 => m < 1100,
        Microarchitecture::Other => false,
    }
}

/// Matrices with more columns are factored by themselves: a group of them would not fit the caches.
pub(crate) const BATCH_COLUMNS: usize = 64;

/// Numbers of rows, and for matrices with at most as many rows the least number of matrices for which a group takes less time
/// than one matrix after the other: to factor them, and to solve systems. A Xeon with AVX-512 (family 6, model 167) at 4 GHz,
/// f64, on 2026-11-29; with AVX2 a group of half as many takes about the same time.
pub(crate) const BATCH_LEAST: [(usize, [usize; 2]); 6] =
    [(4, [1, 1]), (8, [2, 1]), (12, [3, 2]), (16, [4, 3]), (20, [6, 4]), (24, [7, 5])];

/// Bytes of a batch that is expected to be in the L2 cache, so that it need not be asked for.
pub(crate) const BATCH_IN_CACHE: usize = 256 << 10;

/// Bytes of the factors of a group that systems are solved with at once: half of a small L2 cache.
pub(crate) const BATCH_FACTOR_BYTES: usize = 256 << 10;

/// Columns of right-hand sides that a group has in work memory at once.
pub(crate) const BATCH_RHS: usize = 16;

/// A matrix whose columns have fewer bytes is inverted by a solve with the identity in other memory. The machine, the date and
/// the way are those of [`INVERSE_ROWS`]; the crossover was 8 to 12 rows of f64, 24 to 28 of f32.
pub(crate) const INVERSE_BYTES: usize = 96;

/// Columns of an inverse that are computed at once on one thread, which keeps a block of rows of them in the caches.
pub(crate) const INVERSE_COLUMNS: usize = 512;

/// Orders, and the rows of a block of an inversion below each of them: few rows leave little to the solves with a triangle, many
/// go less often through a matrix that is larger than the caches. A Xeon with AVX-512 (family 6, a virtual machine with 2 MiB of
/// L2 cache), f64 and f32, 24 to 384 rows in turns on one thread, on 2026-11-29; AVX2 has not been swept.
pub(crate) const INVERSE_ROWS: [(usize, usize); 3] = [(256, 48), (850, 144), (usize::MAX, 192)];

/// The sizes that a kernel is compiled for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Vectors of rows in a tile of C.
    pub(crate) mv: usize,
    /// Columns of a tile of C.
    pub(crate) nr: usize,
    /// Columns of a tile of a triangular solve.
    pub(crate) nt: usize,
    /// Rows, and the most vectors of right-hand sides, of a tile of X that is solved with a lane for each of them.
    pub(crate) xr: usize,
    pub(crate) xv: usize,
    /// Columns of a panel, at most 16: as many as its updates keep in registers.
    pub(crate) nb: usize,
    /// Matrices with at most this many rows and columns are factored as a whole; 0 for none.
    pub(crate) small: usize,
}

/// The block sizes of one instruction set and element type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tuning {
    pub(crate) shape: Shape,
    /// Tiles of rows of A that stay in the L2 cache while B goes by.
    pub(crate) mc_tiles: usize,
    /// Columns of A (rows of B) that one pass over C takes.
    pub(crate) kc: usize,
    /// gemm packs A if B has at least this many columns; for fewer the copy costs more than it saves.
    pub(crate) pack_columns: usize,
    /// Columns that an update by a packed panel takes at once: with the rows of U that belong to them they stay in the L2
    /// cache. A multiple of every `nr`.
    pub(crate) chunk: usize,
    pub(crate) blocks: Blocks,
    pub(crate) crew: Crew,
    pub(crate) solve: Solve,
}

/// How a matrix is cut into blocks of columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blocks {
    /// The least m n min(m, n) for which helper threads bring more than they cost.
    pub(crate) min_work_for_helpers: usize,
    /// A matrix at least twice as wide as high is one block and a wide rest, if it has `wide_from` to `wide_below` rows;
    /// the block has at most `wide_width` columns.
    pub(crate) wide_from: usize,
    pub(crate) wide_below: usize,
    pub(crate) wide_width: usize,
    /// Below this many pivots the recursion alone is faster.
    pub(crate) min_order: usize,
    /// Numbers of pivots, and the columns of a block below each of them, on one thread and on several.
    pub(crate) widths: &'static [(usize, usize)],
    pub(crate) shared_widths: &'static [(usize, usize)],
    /// Blocks narrower than this are not worth their packing.
    pub(crate) min_width: usize,
    /// A matrix of at least this many bytes is expected to come from memory: the caches are asked for what is needed next. Zen 4:
    /// 3 to 11% less time from 8 MB on, 1 to 4% more at 5 MB and below.
    pub(crate) far_bytes: usize,
}

impl Blocks {
    /// Whether helper threads take more work than they cost, for an `m` by `n` matrix.
    pub(crate) fn is_worth_helpers(&self, m: usize, n: usize) -> bool {
        m.saturating_mul(n).saturating_mul(m.min(n)) >= self.min_work_for_helpers
    }
}

/// How threads share the rows of a tall matrix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crew {
    /// They do if it has this many times as many rows as columns, and `bytes` in a column.
    pub(crate) ratio: usize,
    pub(crate) bytes: usize,
    /// They share a panel if its columns have this many bytes.
    pub(crate) panel_bytes: usize,
    /// The least rows, and columns, of a part.
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

/// Zen 4, two threads, 8 to 600 columns, AVX2 and AVX-512, f64 and f32, on 2026-11-29: a step that threads do together takes them
/// 0.1 us to begin and to end, and 0.5 us with the lines of the cache that go from one core to the other.
const CREW: Crew =
    Crew { ratio: 8, bytes: 1500 * size_of::<f64>(), panel_bytes: 2500 * size_of::<f64>(), rows: 512, columns: 16 };

/// How a triangular solve with a factored matrix is cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Solve {
    /// B has few columns if it has fewer than this: they are solved where they are. More are solved by rows.
    pub(crate) few: usize,
    /// From this order on B also has few columns if they are up to half of the lanes of a vector, and the columns of T are
    /// contiguous; up to one less, if T has more than `cached` bytes, which is what stays in the L2 cache.
    pub(crate) large: usize,
    pub(crate) cached: usize,
    /// Rows that are solved before the later ones are updated with them, by rows: if the columns of T are contiguous, and if its
    /// rows are.
    pub(crate) block: usize,
    pub(crate) block_of_rows: usize,
    /// Bytes of T that stay in the L2 cache while all columns of B go by.
    pub(crate) block_bytes: usize,
    /// Bytes of the columns of B that are solved at once, which bounds the scratch memory.
    pub(crate) bytes: usize,
    /// Columns of B that a thread takes at once, a multiple of every tile's.
    pub(crate) columns_per_thread: usize,
}

/// Zen 3, f64; f32 was within the noise of its own best. `shared_widths`: Zen 4, f64, two threads, the first block half as wide as the
/// others, on 2026-11-29.
const AVX2_BLOCKS: Blocks = Blocks {
    min_work_for_helpers: 88 * 88 * 88,
    wide_from: 16,
    wide_below: 112,
    wide_width: 64,
    min_order: 80,
    widths: &[(768, 48), (usize::MAX, 96)],
    shared_widths: &[(112, 16), (240, 24), (300, 40), (600, 48), (usize::MAX, 96)],
    min_width: 16,
    far_bytes: 6 << 20,
};

/// A Xeon with AVX-512 (family 6, model 167; L1d 48 KiB, L2 2 MiB a core), f64 and f32, 1 to 100 right-hand sides, orders 32 to
/// 1000, on 2026-11-29. AVX2 has the same numbers. Blocks of all rows took twice the time from order 512 on where the columns of
/// T are contiguous: each element of a row is in another page.
const SOLVE: Solve = Solve {
    few: 4,
    large: 128,
    cached: 2 << 20,
    block: 64,
    block_of_rows: 256,
    block_bytes: 256 << 10,
    bytes: 1 << 20,
    columns_per_thread: 96,
};

/// Zen 3. 8 x 6 elements of C in 12 of 16 registers.
pub(super) const AVX2_F64: Tuning = Tuning {
    shape: Shape { mv: 2, nr: 6, nt: 4, xr: 4, xv: 3, nb: 8, small: 40 },
    mc_tiles: 16,
    kc: 256,
    pack_columns: 32,
    chunk: 48,
    blocks: AVX2_BLOCKS,
    crew: CREW,
    solve: SOLVE,
};

/// Zen 3. 16 x 6 elements of C.
pub(super) const AVX2_F32: Tuning = AVX2_F64;

/// 24 x 8 elements of C in 24 of 32 registers. Zen 4: `nt` of 8 was slower below order 200 (AVX2: 6, too) and as fast above.
pub(super) const AVX512_F64: Tuning =
    Tuning { shape: Shape { mv: 3, nr: 8, nt: 4, xr: 8, xv: 3, nb: 8, small: 40 }, ..AVX2_F64 };

/// 48 x 8 elements of C. Zen 4: panels of 16 columns took 5% more time at orders 64 to 128, 10% for 4000 x 32.
pub(super) const AVX512_F32: Tuning = AVX512_F64;

/// On x86-64 each fused multiply-add is a call of the C library's `fma`: no block size matters, and small kernels do.
#[cfg(target_arch = "x86_64")]
pub(super) const PORTABLE_F64: Tuning =
    Tuning { shape: Shape { mv: 1, nr: 2, nt: 1, xr: 1, xv: 1, nb: 1, small: 0 }, ..AVX2_F64 };
#[cfg(target_arch = "x86_64")]
pub(super) const PORTABLE_F32: Tuning = PORTABLE_F64;

/// For vectors of 16 bytes, as 64-bit Arm has them. Not swept.
#[cfg(not(target_arch = "x86_64"))]
pub(super) const PORTABLE_F64: Tuning =
    Tuning { shape: Shape { mv: 2, nr: 4, nt: 4, xr: 4, xv: 3, nb: 4, small: 40 }, ..AVX2_F64 };
#[cfg(not(target_arch = "x86_64"))]
pub(super) const PORTABLE_F32: Tuning = PORTABLE_F64;
