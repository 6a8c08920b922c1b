//! Numbers as text.

use std::fmt::{Debug, Write};

/// Appends the shortest text that gives the number again: `0.1`, `3`, `1e300`, `NaN`, `-inf`.
pub fn push_shortest(text: &mut String, x: impl Debug) {
    push(text, format_args!("{x:?}"));
    if text.ends_with(".0") {
        text.truncate(text.len() - ".0".len());
    }
}

/// Appends the shortest text of the number rounded to 1 to 17 significant digits.
pub fn push_rounded(text: &mut String, x: f64, digits: u8) {
    if digits >= 17 || !x.is_finite() {
        // 17 digits tell any f64 from its neighbours, so nothing is rounded.
        return push_shortest(text, x);
    }
    let start = text.len();
    push(text, format_args!("{x:.0$e}", usize::from(digits) - 1));
    if digits <= 15 {
        return lay_out(text, start);
    }
    // Of an f64 next to the rounded number more than 15 digits may not be the shortest text.
    match text[start..].parse::<f64>() {
        Ok(rounded) if rounded.is_finite() => {
            text.truncate(start);
            push_shortest(text, rounded);
        }
        _ => {}
    }
}

/// A bound of the length of the text that [`push_rounded`] appends, without looking at the digits.
#[must_use]
pub fn longest_rounded(x: f64, digits: u8) -> usize {
    let digits = usize::from(digits);
    let magnitude = match x.abs() {
        0.01..0.1 => digits + "0.0".len(),
        0.1..1.0 => digits + "0.".len(),
        // Rounded up it may have a digit more before the point.
        1.0..1e3 => (digits + ".".len()).max("1000".len()),
        _ => (digits + ".e-308".len()).max("1234567890123456".len()),
    };
    magnitude + usize::from(x.is_sign_negative())
}

/// Rewrites `-1.50000e-3`, which stands at the end from `start` on, as `{:?}` would: `-0.0015`.
fn lay_out(text: &mut String, start: usize) {
    let (mantissa, exponent) = text[start..].split_once('e').expect("scientific notation");
    let exponent: i32 = exponent.parse().expect("a small whole number");
    let is_negative = mantissa.starts_with('-');
    let mut buffer = [0; 15];
    let mut count = 0;
    for digit in mantissa.bytes().filter(u8::is_ascii_digit) {
        buffer[count] = digit;
        count += 1;
    }
    while count > 1 && buffer[count - 1] == b'0' {
        count -= 1;
    }
    let digits = str::from_utf8(&buffer[..count]).expect("digits");

    text.truncate(start);
    if is_negative {
        text.push('-');
    }
    match exponent {
        -4..0 => {
            text.push_str(&"0.000"[..(1 - exponent) as usize]);
            text.push_str(digits);
        }
        0..16 => {
            let whole = exponent as usize + 1;
            if count > whole {
                push(text, format_args!("{}.{}", &digits[..whole], &digits[whole..]));
            } else {
                push(text, format_args!("{digits:0<whole$}"));
            }
        }
        _ => {
            let point = if count > 1 { "." } else { "" };
            push(text, format_args!("{}{point}{}e{exponent}", &digits[..1], &digits[1..]));
        }
    }
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a String takes any text");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rounded(x: f64, digits: u8) -> String {
        let mut text = String::from("x ");
        push_rounded(&mut text, x, digits);
        text.split_off(2)
    }

    /// What the standard library prints of the rounded number.
    fn expected(x: f64, digits: u8) -> String {
        let rounded: f64 = format!("{x:.0$e}", usize::from(digits) - 1).parse().unwrap();
        let text = format!("{rounded:?}");
        text.strip_suffix(".0").unwrap_or(&text).to_owned()
    }

    #[test]
    fn numbers_are_written_in_the_shortest_form() {
        for (x, digits, text) in [
            (0.0, 6, "0"),
            (-0.0, 6, "-0"),
            (2.0 / 3.0, 6, "0.666667"),
            (0.1, 17, "0.1"),
            (0.1, 16, "0.1"),
            (-1234.5, 2, "-1200"),
            (99.95, 3, "100"),
            (1e-4, 1, "0.0001"),
            (9.99e-5, 2, "0.0001"),
            (1.5e-5, 6, "1.5e-5"),
            (9.99e15, 2, "1e16"),
            (f64::NEG_INFINITY, 3, "-inf"),
            (f64::NAN, 3, "NaN"),
            // Rounded up it is no f64 any more.
            (f64::MAX, 2, "1.8e308"),
            (f64::MAX, 16, "1.797693134862316e308"),
        ] {
            assert_eq!(rounded(x, digits), text);
        }
    }

    proptest! {
        #[test]
        fn rounding_agrees_with_the_standard_library(bits: u64, power in -8..20, digits in 1..=17_u8) {
            let (any, near_one) = (f64::from_bits(bits), (bits as i64) as f64 / 9.3e18 * 10_f64.powi(power));
            for x in [any, near_one] {
                prop_assume!(!x.is_finite() || x.abs() < 1e308);
                let text = rounded(x, digits);
                prop_assert!(text.len() <= longest_rounded(x, digits), "{}", text);
                prop_assert_eq!(text, if x.is_finite() { expected(x, digits) } else { expected(x, 17) });
            }
        }
    }
}
