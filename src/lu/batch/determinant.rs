//! A product of pivots that neither overflows nor underflows.

use crate::element::Element;
use crate::kernel::Scalar;
use crate::lu::ipiv::count_swaps;
use crate::matrix::MatrixRef;

/// A determinant, `mantissa` times two to the power of `exponent`. The magnitude of the mantissa is at least 0.5 and less than
/// 1; or the determinant is the mantissa, if that is zero, infinite or NaN, and the exponent is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Determinant {
    /// See above.
    pub mantissa: f64,
    /// See above.
    pub exponent: i64,
}

impl Determinant {
    /// That of an empty matrix.
    pub const ONE: Determinant = Determinant { mantissa: 0.5, exponent: 1 };

    /// The determinant as one number: infinite if it is too large, zero if it is too small.
    #[must_use]
    pub fn value(self) -> f64 {
        // By two factors, since the power of two may be no number where the product is one.
        let exponent = self.exponent.clamp(-2200, 2200) as i32;
        let first = exponent.clamp(-1000, 1000);
        let second = (exponent - first).clamp(-1000, 1000);
        let rest = exponent - first - second;
        // Rounding to a number below the smallest normal one happens once, in the last product that is not exact.
        self.mantissa * power_of_two(first) * power_of_two(second) * power_of_two(rest)
    }

    /// The product of pivots, negated for an odd number of swaps; zero if one of them is, whatever the others are. The order
    /// of the pivots decides the bits.
    pub(in crate::lu) fn of<T: Scalar>(pivots: impl Iterator<Item = T>, swaps: usize) -> Self {
        // Far from the ends of the range a product has the bits of that of the mantissas.
        let is_in_the_middle = |x: f64| (1e-120..1e120).contains(&x.abs());
        let start = if swaps.is_multiple_of(2) { 1.0 } else { -1.0 };
        let (product, exponent) = pivots.fold((start, 0), |(product, exponent), pivot| {
            let pivot = pivot.to_f64();
            if is_in_the_middle(product) && is_in_the_middle(pivot) {
                return (product * pivot, exponent);
            }
            let det = Determinant::from(product).shifted(exponent).times(pivot);
            (det.mantissa, det.exponent)
        });
        Determinant::from(product).shifted(exponent)
    }

    /// The determinant of a square matrix from its factors and row swaps.
    pub(crate) fn of_factors<T: Element>(lu: MatrixRef<'_, T>, ipiv: &[i64]) -> Self {
        Determinant::of((0..lu.ncols()).map(|k| lu.col(k)[k]), count_swaps(ipiv))
    }

    /// The product with a power of two.
    fn shifted(self, exponent: i64) -> Self {
        let is_regular = self.mantissa.abs() < 1.0 && self.mantissa != 0.0;
        Determinant { exponent: if is_regular { self.exponent + exponent } else { 0 }, ..self }
    }

    /// The product with a number; zero if one of them is, whatever the other is.
    fn times(self, x: f64) -> Self {
        let factor = Determinant::from(x);
        if self.mantissa == 0.0 || factor.mantissa == 0.0 {
            return Determinant { mantissa: 0.0, exponent: 0 };
        }
        Determinant::from(self.mantissa * factor.mantissa).shifted(self.exponent + factor.exponent)
    }
}

impl From<f64> for Determinant {
    fn from(x: f64) -> Self {
        const BITS: u32 = f64::MANTISSA_DIGITS - 1;
        const HALF: u64 = 0.5_f64.to_bits() >> BITS;
        let split = |x: f64, exponent: i64| {
            let bits = x.to_bits();
            let biased = (bits >> BITS & 0x7ff) as i64;
            let mantissa = f64::from_bits(bits & !(0x7ff << BITS) | HALF << BITS);
            Determinant { mantissa, exponent: biased - HALF as i64 + exponent }
        };
        if x == 0.0 || !x.is_finite() {
            Determinant { mantissa: x, exponent: 0 }
        } else if x.abs() < f64::MIN_POSITIVE {
            split(x * power_of_two(64), -64)
        } else {
            split(x, 0)
        }
    }
}

/// 2^k, for a k from -1022 to 1023.
fn power_of_two(k: i32) -> f64 {
    f64::from_bits(((k + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_number_comes_back(x in any::<f64>()) {
            let det = Determinant::from(x);
            prop_assert_eq!(det.value().to_bits(), x.to_bits());
            prop_assert!(x == 0.0 || !x.is_finite() || (0.5..1.0).contains(&det.mantissa.abs()));
        }

        #[test]
        fn the_product_has_the_bits_of_that_of_the_mantissas(
            pivots in proptest::collection::vec(prop_oneof![any::<f64>(), -2.0..2.0_f64, Just(0.0), Just(1e119)], 0..30),
        ) {
            let expected = pivots.iter().fold(Determinant::ONE, |det, &pivot| det.times(pivot));
            let det = Determinant::of(pivots.into_iter(), 0);
            prop_assert_eq!(
                (det.mantissa.to_bits(), det.exponent, det.mantissa.is_nan()),
                (if det.mantissa.is_nan() { det.mantissa } else { expected.mantissa }.to_bits(), expected.exponent, expected.mantissa.is_nan())
            );
        }

        #[test]
        fn small_integers_have_their_product(numbers in proptest::collection::vec(-9_i32..10, 0..12), swaps in 0_usize..4) {
            let sign = if swaps % 2 == 0 { 1.0 } else { -1.0 };
            let product: f64 = numbers.iter().map(|&x| f64::from(x)).product();
            let det = Determinant::of(numbers.iter().map(|&x| f64::from(x)), swaps);
            prop_assert_eq!(det.value(), sign * product);
        }
    }

    #[test]
    fn products_beyond_the_range_of_numbers_come_back_into_it() {
        let pivots = [f64::MAX, f64::MAX, f64::MIN_POSITIVE, f64::from_bits(1), f64::MIN_POSITIVE, f64::MAX];
        let det = Determinant::of(pivots.into_iter(), 1);
        let exact = 1024 * 3 - 1022 * 2 - 1074;
        assert!(det.mantissa < -0.49 && (det.exponent - exact).abs() <= 1, "{det:?}");
        for x in [f64::INFINITY, f64::NAN, 0.0] {
            let det = Determinant::of([2.0, x, 3.0].into_iter(), 0);
            assert_eq!((det.mantissa.to_bits(), det.exponent), (x.to_bits(), 0));
        }
        for pivots in [[0.0, f64::INFINITY], [f64::NAN, 0.0], [-0.0, -1.0]] {
            let det = Determinant::of(pivots.into_iter(), 1);
            assert_eq!((det.mantissa.to_bits(), det.exponent), (0, 0), "{pivots:?}");
        }
    }
}
