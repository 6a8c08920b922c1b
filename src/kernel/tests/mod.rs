//! Each kernel of each instruction set that this CPU has, against three plain loops, at every edge size.

mod panels;
mod solves;

use testing::{Float, KINDS, Kind, Naive, bits, matrix, naive_lu};

use super::*;
use crate::element::{Element, kernels as table};
use crate::pivoting::Pivoting;

/// Elements between the columns of each block, so that a write beyond an edge shows itself.
const PAD: usize = 3;

/// At least as many columns as any tile has.
const NR: usize = 8;

/// A block of random elements with its leading dimension; `PAD` elements stand below each column.
fn block<T: Float>(m: usize, n: usize, seed: u64) -> (Vec<T>, usize) {
    (matrix(Kind::NotFinite, m + PAD, n, seed), m + PAD)
}

fn kernels<T: Element>() -> impl Iterator<Item = (Isa, &'static Kernels<T>)> {
    Isa::ALL.into_iter().filter_map(|isa| {
        let kernels = table::<T>(isa).ok();
        if kernels.is_none() {
            eprintln!("NOT TESTED, this CPU lacks it: {}", isa.name());
        }
        Some((isa, kernels?))
    })
}

fn gemm_is_the_naive_one<T: Element + Float>() {
    for (isa, kernels) in kernels::<T>() {
        for m in 0..=2 * kernels.mr + 1 {
            for n in 0..=2 * NR + 1 {
                // The next tile is asked for in up to 24 steps.
                for k in [0, 1, 2, 7, 25] {
                    let (a, lda) = block::<T>(m, k, 1);
                    let (b, ldb) = block::<T>(k, n, 2);
                    let (c, ldc) = block::<T>(m, n, 3);
                    let mut expected = c.clone();
                    for (j, i) in (0..n).flat_map(|j| (0..m).map(move |i| (j, i))) {
                        for p in 0..k {
                            let minus = Float::neg(a[i + p * lda]);
                            expected[i + j * ldc] = minus.fma(b[p + j * ldb], expected[i + j * ldc]);
                        }
                    }
                    let mut packed = vec![T::from_f64(f64::NAN); m.next_multiple_of(kernels.mr) * k];
                    // What is asked for need not exist.
                    let rows = [0, 7, 1 << 20, 3, 2];
                    let ahead = Ahead { at: c.as_ptr(), rows: rows.as_ptr(), count: k.min(rows.len()) };
                    let tiles = [
                        Tiles { ptr: a.as_ptr(), tile: kernels.mr, col: lda },
                        Tiles { ptr: packed.as_ptr(), tile: kernels.mr * k, col: kernels.mr },
                    ];
                    // SAFETY: `packed` has whole tiles of `k` columns.
                    unsafe { (kernels.pack)(Pack { m, k, a: a.as_ptr(), lda, to: packed.as_mut_ptr() }) };
                    for tiles in tiles {
                        for far in [false, true] {
                            let mut c = c.clone();
                            let gemm = Gemm { m, n, k, a: tiles, b: b.as_ptr(), ldb, c: c.as_mut_ptr(), ldc };
                            // SAFETY: the blocks have these sizes and leading dimensions.
                            unsafe {
                                match far {
                                    false => (kernels.gemm)(gemm),
                                    true => (kernels.gemm_far)(GemmFar { gemm, ahead }),
                                }
                            }
                            assert_eq!(bits(&c), bits(&expected), "{isa:?} {m}x{n} k={k} far={far}");
                        }
                    }
                }
            }
        }
    }
}

fn trsm_is_the_naive_one<T: Element + Float>() {
    for (isa, kernels) in kernels::<T>() {
        for m in 0..=kernels.mr {
            for n in 0..=2 * NR + 1 {
                for k in [0, 1, 5] {
                    let (l, ldl) = block::<T>(m, k + m, 4);
                    let (mut b, ldb) = block::<T>(k + m, n, 5);
                    let (mut x, ldx) = block::<T>(m, n, 6);
                    let (mut expected, mut expected_x) = (b.clone(), x.clone());
                    for (j, i) in (0..n).flat_map(|j| (0..m).map(move |i| (j, i))) {
                        let at = k + i + j * ldb;
                        for p in 0..k + i {
                            expected[at] = Float::neg(l[i + p * ldl]).fma(expected[p + j * ldb], expected[at]);
                        }
                        expected_x[i + j * ldx] = expected[at];
                    }
                    let mut in_place = b.clone();
                    // SAFETY: the blocks have these sizes and leading dimensions.
                    unsafe {
                        let (l, to) = (l.as_ptr(), in_place.as_mut_ptr());
                        (kernels.trsm_unit)(Trsm { m, n, k, l, ldl, b: to, ldb, x: to.wrapping_add(k), ldx: ldb });
                        (kernels.trsm_unit)(Trsm { m, n, k, l, ldl, b: b.as_mut_ptr(), ldb, x: x.as_mut_ptr(), ldx });
                    }
                    assert_eq!(bits(&in_place), bits(&expected), "{isa:?} {m}x{n} k={k}, in place");
                    assert_eq!(bits(&b), bits(&expected), "{isa:?} {m}x{n} k={k}");
                    assert_eq!(bits(&x), bits(&expected_x), "{isa:?} {m}x{n} k={k}");
                }
            }
        }
    }
}

fn residual_is_the_naive_one<T: Element + Float>() {
    let add = |x: T, y: T| <T as Float>::ONE.fma(x, y);
    let sub = |x: T, y: T| <T as Float>::ONE.fma(x, Float::neg(y));
    for (isa, kernels) in kernels::<T>() {
        for (m, n) in (0..=2 * kernels.lanes + 1).flat_map(|m| (0..=9).map(move |n| (m, n))) {
            for kind in [Kind::Uniform, Kind::NotFinite] {
                let (a, lda): (Vec<T>, usize) = (matrix(kind, m + PAD, n, 1), m + PAD);
                let (x, sums): (Vec<T>, Vec<T>) = (matrix(kind, n, 1, 2), matrix(Kind::Uniform, m + PAD, 3, 3));
                let mut expected = sums.clone();
                for (k, i) in (0..n).flat_map(|k| (0..m).map(move |i| (k, i))) {
                    let (a, x, sum) = (a[i + k * lda], x[k], expected[i]);
                    let product = Float::mul(a, x);
                    let error = Float::neg(a).fma(x, product);
                    let difference = sub(sum, product);
                    let taken = sub(sum, difference);
                    let rounding = add(sub(sum, add(difference, taken)), sub(taken, product));
                    expected[i] = difference;
                    expected[lda + i] = add(expected[lda + i], add(rounding, error));
                    expected[2 * lda + i] = Float::abs(a).fma(Float::abs(x), expected[2 * lda + i]);
                }
                let mut sums = sums.clone();
                let (high, rest) = sums.split_at_mut(lda);
                let (low, s) = rest.split_at_mut(lda);
                let [high, low, s] = [high, low, s].map(<[T]>::as_mut_ptr);
                // SAFETY: A has these sizes, and the three sums have m elements each.
                unsafe { (kernels.residual)(Residual { m, n, a: a.as_ptr(), lda, x: x.as_ptr(), high, low, s }) };
                assert_eq!(bits(&sums), bits(&expected), "{isa:?} {m}x{n} {kind:?}");
            }
        }
    }
}

#[test]
fn residual_is_the_naive_one_at_every_edge() {
    residual_is_the_naive_one::<f64>();
    residual_is_the_naive_one::<f32>();
}

fn one_element_that_is_not_finite_is_found<T: Element + Float>() {
    let special = [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(T::from_f64);
    for (isa, kernels) in kernels::<T>() {
        for len in 0..=6 * kernels.lanes + 1 {
            // What stands behind the elements is not read.
            let mut x: Vec<T> = matrix(Kind::Subnormal, len, 1, 1);
            x.extend([T::from_f64(f64::NAN); 3]);
            x[..len.min(2)].fill(T::from_f64(f64::from(f32::MAX)));
            // SAFETY: x has more elements.
            let all_finite = |x: &[T]| unsafe { (kernels.all_finite)(Elements { len, x: x.as_ptr() }) };
            assert!(all_finite(&x), "{isa:?} {len}");
            for (at, special) in (0..len).flat_map(|at| special.map(|special| (at, special))) {
                let finite = std::mem::replace(&mut x[at], special);
                assert!(!all_finite(&x), "{isa:?} {len} {at} {special:?}");
                x[at] = finite;
            }
        }
    }
}

/// A matrix whose column 0 alternates between NaN and zero, NaN in row `first`: no magnitude in it is larger than zero.
fn without_pivot<T: Float>(m: usize, n: usize, first: usize) -> Vec<T> {
    let mut a: Vec<T> = matrix(Kind::Uniform, m, n, (m * 100 + n) as u64);
    for (i, x) in a[..m].iter_mut().enumerate() {
        *x = T::from_f64(if i % 2 == first { f64::NAN } else { 0.0 });
    }
    a
}

/// P A = L U of an m by n matrix by a kernel, for matrices of several kinds; what stands between the columns stays.
fn factors_are_the_naive_ones<T: Element + Float>(
    [m, n]: [usize; 2],
    pivoting: bool,
    name: &str,
    kernel: impl Fn(*mut T, usize, *mut i64) -> usize,
) {
    let kinds = [Kind::Uniform, Kind::Ties, Kind::DuplicateRows, Kind::NotFinite, Kind::Subnormal];
    let mut matrices: Vec<(String, Vec<T>)> =
        kinds.iter().map(|&kind| (format!("{kind:?}"), matrix(kind, m, n, (m * 100 + n) as u64))).collect();
    if n > 0 {
        matrices.extend([0, 1].map(|first| (format!("NaN and zeros, {first}"), without_pivot(m, n, first))));
    }
    for (kind, a) in matrices {
        let naive = naive_lu(&a, m, n, pivoting);
        // The first element is not aligned to vectors.
        let (lda, padding) = (m + PAD, T::from_f64(-777.25));
        let mut memory = vec![padding; 1 + lda * n];
        for j in 0..n {
            memory[1 + j * lda..][..m].copy_from_slice(&a[j * m..][..m]);
        }
        let mut ipiv = vec![0; m.min(n)];
        let info = kernel(memory[1..].as_mut_ptr(), lda, ipiv.as_mut_ptr()) as i64;
        let what = format!("{name} {m}x{n} {kind}");
        assert_eq!((info, ipiv), (naive.info.abs(), naive.ipiv), "{what}");
        for j in 0..n {
            let column = &memory[1 + j * lda..][..lda];
            assert_eq!(bits(&column[..m]), bits(&naive.lu[j * m..][..m]), "column {j}: {what}");
            assert!(column[m..].iter().all(|&x| x == padding), "padding of column {j}: {what}");
        }
    }
}

fn small_factors_are_the_naive_ones<T: Element + Float>() {
    for (isa, kernels) in kernels::<T>() {
        for (m, n) in (1..=kernels.small).flat_map(|m| (1..=kernels.small).map(move |n| (m, n))) {
            let mut work = vec![T::from_f64(f64::NAN); WORK];
            let work = work.as_mut_ptr();
            let kernel = |a: *mut T, lda, ipiv: *mut i64| {
                // SAFETY: the test's matrix and pivots have these sizes, `work` has its own.
                unsafe { (kernels.factor_small)(Small { m, n, a, lda, ipiv, work }) }
            };
            factors_are_the_naive_ones([m, n], true, &format!("{isa:?} small"), kernel);
        }
    }
}

/// A matrix for each lane, each of another kind, and what the oracle makes of them.
fn group<T: Element + Float>(count: usize, m: usize, n: usize) -> (Vec<T>, Vec<Naive<T>>) {
    let kinds = KINDS.into_iter().cycle().skip(m + n).zip(1..).take(count);
    let matrices: Vec<Vec<T>> = kinds.map(|(kind, seed)| matrix(kind, m, n, seed)).collect();
    let naive = matrices.iter().map(|a| naive_lu(a, m, n, true)).collect();
    (matrices.concat(), naive)
}

/// Interleaves matrices, factors them by a kernel and copies them back, column-major or row-major.
fn groups_are_the_naive_ones<T: Element + Float>(
    kernels: &BatchKernels<T>,
    [m, n, ld]: [usize; 3],
    kernel: unsafe fn(Group<T>),
    name: &str,
) {
    let lanes = kernels.lanes;
    let steps = m.min(n);
    let vectors = (ld + lanes) * (n + lanes);
    for (count, by_rows) in [(lanes, false), (lanes, true), (1, false), (lanes.div_ceil(2), true)] {
        let (a, naive) = group::<T>(count, m, n);
        let mut a = if by_rows { a.chunks(m * n).flat_map(|a| transposed(a, m, n)).collect() } else { a };
        let mut work = vec![T::from_f64(0.0); lanes * vectors];
        let (mut ipiv, mut info) = (vec![0; lanes * steps], vec![0; lanes]);
        let (length, lines, step, next) = if by_rows { (n, m, ld, 1) } else { (m, n, 1, ld) };
        let (stride, work) = (m * n, work.as_mut_ptr());
        let copy = Lines {
            matrices: count,
            skipped: 0,
            stride,
            length,
            lines,
            a: a.as_mut_ptr(),
            lda: length,
            work,
            step,
            next,
        };
        // SAFETY: the matrices and the work memory have these sizes.
        unsafe {
            (kernels.interleave)(copy);
            let (ipiv, info, next) = (ipiv.as_mut_ptr(), info.as_mut_ptr(), std::ptr::null());
            kernel(Group { m, n, steps: m.min(n), work, ipiv, info, next, ahead: 2 });
            (kernels.deinterleave)(copy);
        }
        for (lane, (a, naive)) in a.chunks(stride).zip(&naive).enumerate() {
            let case =
                format!("{name} {m} x {n}, lane {lane} of {count}, {}", if by_rows { "rows" } else { "columns" });
            let a = if by_rows { transposed(a, n, m) } else { a.to_vec() };
            let ipiv: Vec<_> = (0..steps).map(|k| i64::from(ipiv[k * lanes + lane])).collect();
            assert_eq!((&ipiv, i64::from(info[lane])), (&naive.ipiv, naive.info), "{case}");
            assert_eq!(bits(&a), bits(&naive.lu), "{case}");
        }
    }
}

/// The n x m transpose of an m x n matrix, column-major.
fn transposed<T: Copy>(a: &[T], m: usize, n: usize) -> Vec<T> {
    (0..m).flat_map(|i| (0..n).map(move |j| a[i + j * m])).collect()
}

fn batches_are_the_naive_ones<T: Element + Float>() {
    for (isa, kernels) in kernels::<T>().filter_map(|(isa, kernels)| Some((isa, kernels.batch?))) {
        for &(rows, kernel) in kernels.factor {
            for (m, n) in (1..=rows).flat_map(|m| (1..=20).map(move |n| (m, n))) {
                groups_are_the_naive_ones(kernels, [m, n, rows], kernel, &format!("{isa:?} batches of {rows} rows"));
            }
        }
    }
}

#[test]
fn batches_are_the_naive_ones_at_every_edge() {
    batches_are_the_naive_ones::<f64>();
    batches_are_the_naive_ones::<f32>();
}

#[test]
fn small_factors_are_the_naive_ones_at_every_edge() {
    small_factors_are_the_naive_ones::<f64>();
    small_factors_are_the_naive_ones::<f32>();
}

#[test]
fn gemm_is_the_naive_one_at_every_edge() {
    gemm_is_the_naive_one::<f64>();
    gemm_is_the_naive_one::<f32>();
}

#[test]
fn trsm_is_the_naive_one_at_every_edge() {
    trsm_is_the_naive_one::<f64>();
    trsm_is_the_naive_one::<f32>();
}

#[test]
fn one_element_that_is_not_finite_is_found_at_every_place() {
    one_element_that_is_not_finite_is_found::<f64>();
    one_element_that_is_not_finite_is_found::<f32>();
}

#[test]
fn the_best_instruction_set_is_one_this_cpu_has() {
    assert!(Isa::best().is_available());
    assert!(Isa::Portable.is_available());
    let available = Isa::ALL.into_iter().filter(|isa| isa.is_available()).count();
    assert_eq!((kernels::<f64>().count(), kernels::<f32>().count()), (available, available));
}
