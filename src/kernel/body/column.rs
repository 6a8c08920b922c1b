//! Columns of a block in registers: `MV` vectors, of which the last may be filled in part. The kernels that keep
//! such columns in registers share how they get there and back.

use crate::kernel::scalar::Scalar;
use crate::kernel::vector::Vector;

/// How many lanes of vector `v` of a column stand before `row`: with the number of rows of the column, the lanes that it
/// fills.
#[inline(always)]
pub(super) fn lanes_before<V: Vector>(row: usize, v: usize) -> usize {
    row.saturating_sub(v * V::LANES).min(V::LANES)
}

/// A column of `MV * LANES` rows.
///
/// # Safety
/// - The CPU has the vectors' instruction set.
/// - `from` is valid for reads of `MV * LANES` elements.
#[inline(always)]
pub(super) unsafe fn load<V: Vector, const MV: usize>(from: *const V::T) -> [V; MV] {
    // SAFETY: the caller's CPU has the instruction set.
    let mut x = [unsafe { V::splat(V::T::ZERO) }; MV];
    for (v, x) in x.iter_mut().enumerate() {
        // SAFETY: vector v < MV of the column, which the caller vouches for.
        *x = unsafe { V::load(from.add(v * V::LANES)) };
    }
    x
}

/// The first `m` rows of a column, zeros below.
///
/// # Safety
/// - The CPU has the vectors' instruction set.
/// - `from` is valid for reads of `m` elements.
#[inline(always)]
pub(super) unsafe fn load_partial<V: Vector, const MV: usize>(from: *const V::T, m: usize) -> [V; MV] {
    // SAFETY: the caller's CPU has the instruction set.
    let mut x = [unsafe { V::splat(V::T::ZERO) }; MV];
    for (v, x) in x.iter_mut().enumerate() {
        // SAFETY: no row from m on is read, so a vector beyond the column reads nothing; its address is only computed.
        *x = unsafe { V::load_partial(from.wrapping_add(v * V::LANES), lanes_before::<V>(m, v)) };
    }
    x
}

/// A column of MV vectors; with `EDGE` there are `last` rows of the last one, and zeros below.
///
/// # Safety
/// - The CPU has the vectors' instruction set.
/// - `from` is valid for reads of those rows.
#[inline(always)]
pub(super) unsafe fn load_to<V: Vector, const MV: usize, const EDGE: bool>(from: *const V::T, last: usize) -> [V; MV] {
    // SAFETY: the caller's CPU has the instruction set.
    let mut x = [unsafe { V::splat(V::T::ZERO) }; MV];
    for (v, x) in x.iter_mut().enumerate() {
        // SAFETY: vector v < MV of the column, or what there is of it, for which the caller vouches.
        unsafe {
            let from = from.add(v * V::LANES);
            *x = if EDGE && v == MV - 1 { V::load_partial(from, last) } else { V::load(from) };
        }
    }
    x
}

/// acc <- acc - a b, where a is a column of MV vectors as [`load_to`] reads it, and b a row of NC elements, `ldb` apart.
///
/// # Safety
/// - The CPU has the vectors' instruction set.
/// - `a` is valid for reads of that column, `b` of that row.
#[inline(always)]
pub(super) unsafe fn sub_outer<V: Vector, const MV: usize, const NC: usize, const EDGE: bool>(
    acc: &mut [[V; MV]; NC],
    last: usize,
    a: *const V::T,
    b: *const V::T,
    ldb: usize,
) {
    // SAFETY: the caller's CPU has the instruction set, and what it vouches for.
    unsafe {
        let a = load_to::<V, MV, EDGE>(a, last);
        for (j, acc) in acc.iter_mut().enumerate() {
            let b = V::splat(*b.add(j * ldb));
            for (acc, &a) in acc.iter_mut().zip(&a) {
                *acc = acc.sub_mul(a, b);
            }
        }
    }
}

/// Writes a column of `MV * LANES` rows.
///
/// # Safety
/// - The CPU has the vectors' instruction set.
/// - `to` is valid for writes of `MV * LANES` elements.
#[inline(always)]
pub(super) unsafe fn store<V: Vector, const MV: usize>(x: &[V; MV], to: *mut V::T) {
    for (v, x) in x.iter().enumerate() {
        // SAFETY: vector v < MV of the column, which the caller vouches for.
        unsafe { x.store(to.add(v * V::LANES)) };
    }
}

/// Writes the first `m` rows of a column.
///
/// # Safety
/// - The CPU has the vectors' instruction set.
/// - `to` is valid for writes of `m` elements.
#[inline(always)]
pub(super) unsafe fn store_partial<V: Vector, const MV: usize>(x: &[V; MV], to: *mut V::T, m: usize) {
    for (v, x) in x.iter().enumerate() {
        // SAFETY: no row from m on is written, so a vector beyond the column writes nothing; its address is only computed.
        unsafe { x.store_partial(to.wrapping_add(v * V::LANES), lanes_before::<V>(m, v)) };
    }
}

/// Writes a column of MV vectors; with `EDGE`, `last` rows of the last one.
///
/// # Safety
/// - The CPU has the vectors' instruction set.
/// - `to` is valid for writes of those rows.
#[inline(always)]
pub(super) unsafe fn store_to<V: Vector, const MV: usize, const EDGE: bool>(x: &[V; MV], to: *mut V::T, last: usize) {
    for (v, x) in x.iter().enumerate() {
        // SAFETY: vector v < MV of the column, or what there is of it, for which the caller vouches.
        unsafe {
            let to = to.add(v * V::LANES);
            if EDGE && v == MV - 1 { x.store_partial(to, last) } else { x.store(to) }
        }
    }
}
