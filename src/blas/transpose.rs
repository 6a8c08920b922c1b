//! B <- A^T, in square blocks that the compiler keeps in registers, and tiles of blocks that stay in the L1 cache.
//!
//! It is no kernel: memory is the limit, and vectors of any instruction set take the same time.

use crate::element::Element;
use crate::matrix::{MatrixMut, MatrixRef};

/// Rows and columns of a block. Blocks of 8 do not fit the registers: four times slower. (This and the next: f64 and f32,
/// n = 16 to 1024, a Zen 3, November 2026, `cargo bench --bench kernels --features internals -- transpose`.)
const BLOCK: usize = 4;
/// Rows and columns of a tile. 64 was three times slower at n = 1000, 16 twice as slow.
const TILE: usize = 32;

/// B <- A^T.
///
/// # Panics
/// If A does not have the shape of B^T.
pub(crate) fn transpose<T: Element>(a: MatrixRef<'_, T>, mut b: MatrixMut<'_, T>) {
    let (m, n) = (b.nrows(), b.ncols());
    assert!(a.nrows() == n && a.ncols() == m, "the shapes differ");
    if m == 0 || n == 0 {
        // The other side may be longer than a loop has time for.
        return;
    }
    let (lda, ldb) = (a.lda(), b.lda());
    for jt in (0..n).step_by(TILE) {
        for it in (0..m).step_by(TILE) {
            let (m, n) = (TILE.min(m - it), TILE.min(n - jt));
            // SAFETY: the tile lies in both views, which are borrows of different memory, of which one is mutable.
            unsafe { tile(m, n, a.as_ptr().add(jt + it * lda), lda, b.as_mut_ptr().add(it + jt * ldb), ldb) };
        }
    }
}

/// B <- A^T of a tile: B is `m` by `n`.
///
/// # Safety
/// - The pointers are good for those sizes, and the tiles do not overlap.
unsafe fn tile<T: Element>(m: usize, n: usize, a: *const T, lda: usize, b: *mut T, ldb: usize) {
    let mut j = 0;
    while j < n {
        let mut i = 0;
        while i < m {
            // SAFETY: a block of both tiles, or what is left of it at an edge.
            unsafe {
                let (a, b) = (a.add(j + i * lda), b.add(i + j * ldb));
                if m - i >= BLOCK && n - j >= BLOCK {
                    block(a, lda, b, ldb);
                } else {
                    edge(BLOCK.min(m - i), BLOCK.min(n - j), a, lda, b, ldb);
                }
            }
            i += BLOCK;
        }
        j += BLOCK;
    }
}

/// B <- A^T of what is left of a block: B is `m` by `n`.
///
/// # Safety
/// - The pointers are good for those sizes.
#[inline(never)]
unsafe fn edge<T: Element>(m: usize, n: usize, a: *const T, lda: usize, b: *mut T, ldb: usize) {
    for (j, i) in (0..n).flat_map(|j| (0..m).map(move |i| (j, i))) {
        // SAFETY: an element of both.
        unsafe { *b.add(i + j * ldb) = *a.add(j + i * lda) };
    }
}

/// B <- A^T of a block.
///
/// # Safety
/// - The pointers are good for BLOCK columns of BLOCK elements, `lda` and `ldb` apart.
#[inline(always)]
unsafe fn block<T: Element>(a: *const T, lda: usize, b: *mut T, ldb: usize) {
    // SAFETY: the columns of both blocks.
    unsafe {
        let rows: [[T; BLOCK]; BLOCK] = std::array::from_fn(|i| a.add(i * lda).cast::<[T; BLOCK]>().read());
        let columns: [[T; BLOCK]; BLOCK] = std::array::from_fn(|j| rows.map(|row| row[j]));
        for (j, column) in columns.into_iter().enumerate() {
            b.add(j * ldb).cast::<[T; BLOCK]>().write(column);
        }
    }
}

#[cfg(test)]
mod tests {
    use testing::{Float, Kind, bits, matrix};

    use super::*;

    /// Elements between the columns, so that a write beyond an edge shows itself.
    const PAD: usize = 3;

    fn transposed_is_the_naive_one<T: Element + Float>() {
        let sizes = (0..=19).chain([31, 32, 33, 64, 72, 131]);
        for (m, n) in sizes.clone().flat_map(|m| sizes.clone().map(move |n| (m, n))) {
            let a: Vec<T> = matrix(Kind::NotFinite, n + PAD, m, 1);
            let mut b: Vec<T> = matrix(Kind::NotFinite, m + PAD, n, 2);
            let mut expected = b.clone();
            for (j, i) in (0..n).flat_map(|j| (0..m).map(move |i| (j, i))) {
                expected[i + j * (m + PAD)] = a[j + i * (n + PAD)];
            }
            let view = MatrixRef::from_slice(&a, n, m, n + PAD).unwrap();
            transpose(view, MatrixMut::from_slice(&mut b, m, n, m + PAD).unwrap());
            assert_eq!(bits(&b), bits(&expected), "{m}x{n}");
        }
    }

    #[test]
    fn the_transpose_is_the_naive_one_at_every_edge() {
        transposed_is_the_naive_one::<f64>();
        transposed_is_the_naive_one::<f32>();
    }
}
