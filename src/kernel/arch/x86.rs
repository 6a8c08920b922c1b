//! A register of x86-64: the methods of [`Vector`](crate::kernel::vector::Vector) and [`Lanes`](crate::kernel::lanes::Lanes),
//! from what an instruction set has for them.

/// A register type: its name, what it holds, and an intrinsic or an expression for each operation.
///
/// A name stands for an intrinsic or a function that takes what the method takes, as raw registers. In an expression the names
/// between the bars are those values. Each runs on a CPU with the instruction set, and where the method takes a pointer or a
/// count, with the promises of its caller.
macro_rules! register {
    (
        $v:ident($register:ident): $lanes:literal $t:ident,
        mask: $mask:ident,
        splat: $splat:ident,
        load: $load:ident,
        load_partial: |$load_from:ident, $load_count:ident| $load_partial:expr,
        store: $store:ident,
        store_partial: |$store_x:ident, $store_to:ident, $store_count:ident| $store_partial:expr,
        sub_mul: $fnmadd:ident,
        add: $add:ident,
        sub: $sub:ident,
        mul: $mul:ident,
        div: $div:ident,
        abs: |$abs_x:ident| $abs:expr,
        and: |$and_x:ident, $and_mask:ident| $and:expr,
        max: $max:ident,
        max_lane: $max_lane:ident,
        eq_mask: |$eq_x:ident, $eq_y:ident| $eq_mask:expr,
        broadcast_lane: |$lane_x:ident, $lane:ident| $broadcast_lane:expr,
        select_prefix: |$prefix_x:ident, $prefix_count:ident, $prefix_rest:ident| $select_prefix:expr,
        select_bits: |$bits_x:ident, $bits:ident, $bits_rest:ident| $select_bits:expr,
        permute: |$permute_x:ident, $permute_rows:ident| $permute:expr,
        flip_sign: |$flip_x:ident, $flip_sign_of:ident| $flip_sign:expr,
        compare: $compare:ident,
        both: |$both_a:ident, $both_b:ident| $both:expr,
        any: |$any_mask:ident| $any:expr,
        select: |$select_mask:ident, $yes:ident, $no:ident| $select:expr,
        with_sign: |$sign_x:ident, $sign:ident| $with_sign:expr,
        store_indices: $to_i32:ident $store_i32:ident,
        transpose: $transpose:ident,
    ) => {
        #[derive(Clone, Copy)]
        pub(in crate::kernel) struct $v($register);

        impl crate::kernel::vector::Vector for $v {
            type T = $t;
            const LANES: usize = $lanes;

            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                // SAFETY: the CPU has the instruction set (the trait's contract).
                $v(unsafe { $splat(x) })
            }
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                // SAFETY: the CPU has the instruction set; the caller vouches for LANES elements at `from`.
                $v(unsafe { $load(from) })
            }
            #[inline(always)]
            unsafe fn load_partial($load_from: *const $t, $load_count: usize) -> Self {
                debug_assert!($load_count <= $lanes);
                // SAFETY: the CPU has the instruction set; no more than the `count` elements that the caller vouches for are
                // read.
                $v(unsafe { $load_partial })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                // SAFETY: the CPU has the instruction set; the caller vouches for LANES elements at `to`.
                unsafe { $store(to, self.0) }
            }
            #[inline(always)]
            unsafe fn store_partial(self, $store_to: *mut $t, $store_count: usize) {
                debug_assert!($store_count <= $lanes);
                let $store_x = self.0;
                // SAFETY: the CPU has the instruction set; no more than the `count` elements that the caller vouches for are
                // written.
                unsafe { $store_partial }
            }
            #[inline(always)]
            unsafe fn sub_mul(self, a: Self, b: Self) -> Self {
                // SAFETY: the CPU has the instruction set (the trait's contract).
                $v(unsafe { $fnmadd(a.0, b.0, self.0) })
            }
            #[inline(always)]
            unsafe fn add(self, b: Self) -> Self {
                // SAFETY: the CPU has the instruction set (the trait's contract).
                $v(unsafe { $add(self.0, b.0) })
            }
            #[inline(always)]
            unsafe fn sub(self, b: Self) -> Self {
                // SAFETY: the CPU has the instruction set (the trait's contract).
                $v(unsafe { $sub(self.0, b.0) })
            }
            #[inline(always)]
            unsafe fn mul(self, b: Self) -> Self {
                // SAFETY: the CPU has the instruction set (the trait's contract).
                $v(unsafe { $mul(self.0, b.0) })
            }
            #[inline(always)]
            unsafe fn div(self, b: Self) -> Self {
                // SAFETY: the CPU has the instruction set (the trait's contract).
                $v(unsafe { $div(self.0, b.0) })
            }
            #[inline(always)]
            unsafe fn abs(self) -> Self {
                let $abs_x = self.0;
                // SAFETY: the CPU has the instruction set (the trait's contract).
                $v(unsafe { $abs })
            }
            #[inline(always)]
            unsafe fn and(self, mask: Self) -> Self {
                let ($and_x, $and_mask) = (self.0, mask.0);
                // SAFETY: the CPU has the instruction set (the trait's contract).
                $v(unsafe { $and })
            }
            #[inline(always)]
            unsafe fn max(self, x: Self) -> Self {
                // If one operand is NaN, the instruction returns the second.
                // SAFETY: the CPU has the instruction set (the trait's contract).
                $v(unsafe { $max(x.0, self.0) })
            }
            #[inline(always)]
            unsafe fn max_lane(self) -> $t {
                // SAFETY: the CPU has the instruction set (the trait's contract).
                unsafe { $max_lane(self.0) }
            }
            #[inline(always)]
            unsafe fn eq_mask(self, x: Self) -> u32 {
                let ($eq_x, $eq_y) = (self.0, x.0);
                // SAFETY: the CPU has the instruction set (the trait's contract).
                unsafe { $eq_mask }
            }
            #[inline(always)]
            unsafe fn broadcast_lane(self, $lane: usize) -> Self {
                let $lane_x = self.0;
                // SAFETY: the CPU has the instruction set (the trait's contract).
                $v(unsafe { $broadcast_lane })
            }
            #[inline(always)]
            unsafe fn select_prefix(self, $prefix_count: usize, rest: Self) -> Self {
                debug_assert!($prefix_count <= $lanes);
                let ($prefix_x, $prefix_rest) = (self.0, rest.0);
                // SAFETY: the CPU has the instruction set; the caller vouches for `count`.
                $v(unsafe { $select_prefix })
            }
            #[inline(always)]
            unsafe fn select_bits(self, $bits: u32, rest: Self) -> Self {
                let ($bits_x, $bits_rest) = (self.0, rest.0);
                // SAFETY: the CPU has the instruction set (the trait's contract).
                $v(unsafe { $select_bits })
            }
            #[inline(always)]
            unsafe fn permute(self, $permute_rows: u64) -> Self {
                let $permute_x = self.0;
                // SAFETY: the CPU has the instruction set (the trait's contract).
                $v(unsafe { $permute })
            }
            #[inline(always)]
            unsafe fn flip_sign(self, sign: Self) -> Self {
                let ($flip_x, $flip_sign_of) = (self.0, sign.0);
                // SAFETY: the CPU has the instruction set (the trait's contract).
                $v(unsafe { $flip_sign })
            }
            #[inline(always)]
            unsafe fn prefetch(at: *const $t) {
                // SAFETY: a prefetch cannot fault, whatever the address.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
            }
            #[inline(always)]
            unsafe fn prefetch_to_l2(at: *const $t) {
                // SAFETY: a prefetch cannot fault, whatever the address.
                unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
            }
        }

        impl crate::kernel::lanes::Lanes for $v {
            type Mask = $mask;

            #[inline(always)]
            unsafe fn equals(self, x: Self) -> $mask {
                // SAFETY: the CPU has the instruction set (the trait's contract).
                unsafe { $compare::<_CMP_EQ_OQ>(self.0, x.0) }
            }
            #[inline(always)]
            unsafe fn is_less(self, x: Self) -> $mask {
                // SAFETY: the CPU has the instruction set (the trait's contract).
                unsafe { $compare::<_CMP_LT_OQ>(self.0, x.0) }
            }
            #[inline(always)]
            #[allow(unused_unsafe, reason = "some masks are integers")]
            unsafe fn both($both_a: $mask, $both_b: $mask) -> $mask {
                // SAFETY: the CPU has the instruction set (the trait's contract).
                unsafe { $both }
            }
            #[inline(always)]
            #[allow(unused_unsafe, reason = "some masks are integers")]
            unsafe fn any($any_mask: $mask) -> bool {
                // SAFETY: the CPU has the instruction set (the trait's contract).
                unsafe { $any }
            }
            #[inline(always)]
            unsafe fn select($select_mask: $mask, yes: Self, no: Self) -> Self {
                let ($yes, $no) = (yes.0, no.0);
                // SAFETY: the CPU has the instruction set (the trait's contract).
                $v(unsafe { $select })
            }
            #[inline(always)]
            unsafe fn with_sign(self, sign: Self) -> Self {
                let ($sign_x, $sign) = (self.0, sign.0);
                // SAFETY: the CPU has the instruction set (the trait's contract).
                $v(unsafe { $with_sign })
            }
            #[inline(always)]
            unsafe fn store_indices(self, to: *mut i32) {
                // SAFETY: the CPU has the instruction set; the caller vouches for LANES elements at `to`.
                unsafe { $store_i32(to.cast(), $to_i32(self.0)) }
            }
            #[inline(always)]
            unsafe fn transpose(block: *mut Self) {
                // SAFETY: the CPU has the instruction set; the caller vouches for LANES registers.
                unsafe { $transpose(&mut *block.cast()) }
            }
        }
    };
}

pub(super) use register;
