//! X <- T^-1 X for a few columns, one column of T after the other: the rest of X is updated as soon as a row is known.

use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::Trsv;
use crate::kernel::vector::Vector;

/// The largest triangle.
pub(crate) const MAX_ORDER: usize = 128;

/// Columns of X that are solved at once, where there are as many: each waits for its own elements.
const COLUMNS: usize = 2;

/// X <- T^-1 X.
///
/// # Safety
/// - As [`Trsv`] says.
/// - The CPU has the vectors' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn trsv<V: Vector>(mut arguments: Trsv<V::T>) {
    while arguments.nrhs > 0 {
        // SAFETY: as many columns as each call takes.
        let done = unsafe {
            if arguments.nrhs >= COLUMNS {
                columns::<V, COLUMNS>(arguments);
                COLUMNS
            } else {
                columns::<V, 1>(arguments);
                1
            }
        };
        arguments.x = arguments.x.wrapping_add(done * arguments.ldx);
        arguments.nrhs -= done;
    }
}

/// The first C columns of X.
///
/// # Safety
/// - As for [`trsv`]; there are as many columns.
#[inline(always)]
unsafe fn columns<V: Vector, const C: usize>(arguments: Trsv<V::T>) {
    let Trsv { n, upper, t, ldt, x, ldx, .. } = arguments;
    // A copy in which every access is to a whole vector at the same place, so that what was stored can be loaded at once.
    let mut copies = [[V::T::ZERO; MAX_ORDER]; C];
    for (j, copy) in copies.iter_mut().enumerate() {
        // SAFETY: n elements of column j.
        unsafe { std::ptr::copy_nonoverlapping(x.add(j * ldx), copy.as_mut_ptr(), n) };
    }
    for step in 0..n {
        let k = if upper { n - 1 - step } else { step };
        // SAFETY: column k of T. Vectors begin at multiples of LANES below n, which is at most MAX_ORDER.
        unsafe {
            let column = t.add(k * ldt);
            let mut known = [V::splat(V::T::ZERO); C];
            for (known, copy) in known.iter_mut().zip(&mut copies) {
                if upper {
                    copy[k] = copy[k].div(*column.add(k));
                }
                *known = V::splat(copy[k]);
            }
            let at = k / V::LANES * V::LANES;
            let (first, end) = if upper { (0, k) } else { (at, n) };
            let mut i = first;
            while i < end {
                let count = V::LANES.min(n - i);
                let column =
                    if count == V::LANES { V::load(column.add(i)) } else { V::load_partial(column.add(i), count) };
                for (known, copy) in known.iter().zip(&mut copies) {
                    let x = copy.as_mut_ptr().add(i);
                    let old = V::load(x);
                    let new = old.sub_mul(column, *known);
                    match (i == at, upper) {
                        (false, _) => new.store(x),
                        // The elements that are known stay.
                        (true, true) => new.select_prefix(k - at, old).store(x),
                        (true, false) => old.select_prefix(k + 1 - at, new).store(x),
                    }
                }
                i += V::LANES;
            }
        }
    }
    for (j, copy) in copies.iter().enumerate() {
        // SAFETY: n elements of column j.
        unsafe { std::ptr::copy_nonoverlapping(copy.as_ptr(), x.add(j * ldx), n) };
    }
}
