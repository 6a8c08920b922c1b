//! What the kernels are written in: a register of elements.
//!
//! The bodies are generic over [`Vector`], so that each stands once for all instruction sets; `arch/` says what the
//! operations are on each of them. All methods are `#[inline(always)]`, so that they are compiled for the instruction set
//! of the function that they end up in.

use super::scalar::Scalar;

/// Bytes of a cache line.
pub(crate) const LINE: usize = 64;

/// `LANES` elements in a register.
///
/// # Safety
/// - Every method needs a CPU with the instruction set of the implementation.
/// - Methods that take a pointer or a count have more conditions, which stand there. No pointer needs to be aligned.
pub(crate) trait Vector: Copy {
    /// The type of an element.
    type T: Scalar;
    /// Elements in a register.
    const LANES: usize;

    /// All lanes `x`.
    unsafe fn splat(x: Self::T) -> Self;
    /// `LANES` elements from memory.
    ///
    /// # Safety
    /// - `from` is valid for reads of `LANES` elements.
    unsafe fn load(from: *const Self::T) -> Self;
    /// The first `count` lanes from memory, zero in the others. Nothing else is read.
    ///
    /// # Safety
    /// - `count <= LANES`.
    /// - `from` is valid for reads of `count` elements.
    unsafe fn load_partial(from: *const Self::T, count: usize) -> Self;
    /// `LANES` elements to memory.
    ///
    /// # Safety
    /// - `to` is valid for writes of `LANES` elements.
    unsafe fn store(self, to: *mut Self::T);
    /// The first `count` lanes to memory. Nothing else is written.
    ///
    /// # Safety
    /// - `count <= LANES`.
    /// - `to` is valid for writes of `count` elements.
    unsafe fn store_partial(self, to: *mut Self::T, count: usize);
    /// `self - a * b`, rounded once.
    unsafe fn sub_mul(self, a: Self, b: Self) -> Self;
    /// `self + b`.
    unsafe fn add(self, b: Self) -> Self;
    /// `self - b`.
    unsafe fn sub(self, b: Self) -> Self;
    /// `self * b`.
    unsafe fn mul(self, b: Self) -> Self;
    /// `self / b`.
    unsafe fn div(self, b: Self) -> Self;
    /// `|self|`.
    unsafe fn abs(self) -> Self;
    /// The bits of `self` that are set in `mask`.
    unsafe fn and(self, mask: Self) -> Self;
    /// The larger of each pair; `self` where `x` is NaN. `self` is never NaN.
    unsafe fn max(self, x: Self) -> Self;
    /// The largest lane. The lanes are magnitudes: none is negative or NaN.
    unsafe fn max_lane(self) -> Self::T;
    /// One bit per lane, the lowest for the first: whether the lane equals that of `x`.
    unsafe fn eq_mask(self, x: Self) -> u32;
    /// All lanes `self[lane]`.
    ///
    /// # Safety
    /// - `lane < LANES`.
    unsafe fn broadcast_lane(self, lane: usize) -> Self;
    /// The first `count` lanes of `self`, the others of `rest`.
    ///
    /// # Safety
    /// - `count <= LANES`.
    unsafe fn select_prefix(self, count: usize, rest: Self) -> Self;
    /// The lanes of `self` whose bit is set, the lowest for the first; the others of `rest`.
    unsafe fn select_bits(self, bits: u32, rest: Self) -> Self;
    /// Lane i is `self[rows[i]]`, where `rows` are the bytes of a number, the lowest first. Lanes from 8 on may be anything.
    ///
    /// # Safety
    /// - The bytes are less than LANES, as many as there are lanes.
    unsafe fn permute(self, rows: u64) -> Self;
    /// `self`, negated where `sign` is negative.
    unsafe fn flip_sign(self, sign: Self) -> Self;
    /// Asks for the cache line at an address, which need not be valid.
    unsafe fn prefetch(at: *const Self::T);
    /// The same, for the L2 cache.
    unsafe fn prefetch_to_l2(at: *const Self::T);
}
