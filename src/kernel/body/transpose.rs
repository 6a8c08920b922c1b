//! B <- A^T, in square blocks that the compiler keeps in registers, and tiles of blocks that stay in the L1 cache.

use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::Transposition;

/// Rows and columns of a block. Blocks of 8 do not fit the registers of AVX2: four times slower. (This and the next: of f64
/// and f32, n = 16 to 1024, AVX2 of a Zen 3, November 2026, `cargo bench --bench kernels --features internals -- transpose`.)
const BLOCK: usize = 4;
/// Rows and columns of a tile. 64 was three times slower at n = 1000, 16 twice as slow.
const TILE: usize = 32;

/// B <- A^T.
///
/// # Safety
/// - As [`Transposition`] says.
#[inline(always)]
pub(in crate::kernel) unsafe fn transpose<T: Scalar>(arguments: Transposition<T>) {
    let Transposition { m, n, a, lda, b, ldb } = arguments;
    for jt in (0..n).step_by(TILE) {
        for it in (0..m).step_by(TILE) {
            let (m, n) = (TILE.min(m - it), TILE.min(n - jt));
            // SAFETY: the tile lies in both matrices.
            unsafe { tile(Transposition { m, n, a: a.add(jt + it * lda), lda, b: b.add(it + jt * ldb), ldb }) };
        }
    }
}

/// B <- A^T of a tile.
///
/// # Safety
/// - As [`Transposition`] says.
#[inline(always)]
unsafe fn tile<T: Scalar>(Transposition { m, n, a, lda, b, ldb }: Transposition<T>) {
    let (whole_m, whole_n) = (m - m % BLOCK, n - n % BLOCK);
    // SAFETY: blocks and single elements of both matrices.
    unsafe {
        for j in (0..whole_n).step_by(BLOCK) {
            for i in (0..whole_m).step_by(BLOCK) {
                block(a.add(j + i * lda), lda, b.add(i + j * ldb), ldb);
            }
        }
        for j in 0..n {
            let first = if j < whole_n { whole_m } else { 0 };
            for i in first..m {
                *b.add(i + j * ldb) = *a.add(j + i * lda);
            }
        }
    }
}

/// B <- A^T of a block.
///
/// # Safety
/// - The pointers are good for BLOCK columns of BLOCK elements, `lda` and `ldb` apart.
#[inline(always)]
unsafe fn block<T: Scalar>(a: *const T, lda: usize, b: *mut T, ldb: usize) {
    // SAFETY: the columns of both blocks.
    unsafe {
        let rows: [[T; BLOCK]; BLOCK] = std::array::from_fn(|i| a.add(i * lda).cast::<[T; BLOCK]>().read());
        let columns: [[T; BLOCK]; BLOCK] = std::array::from_fn(|j| rows.map(|row| row[j]));
        for (j, column) in columns.into_iter().enumerate() {
            b.add(j * ldb).cast::<[T; BLOCK]>().write(column);
        }
    }
}
