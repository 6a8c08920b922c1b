//! The fixed part of the answer to a system.

use byteorder::{ByteOrder, LittleEndian};

use super::optional::{read_optional, write_optional};

/// Bytes of an answer's payload before the results.
pub const ANSWER_BYTES: usize = 48;

/// The fixed part of an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SystemAnswer {
    /// LAPACK's `info`.
    pub info: i64,
    /// The CPU on which the server runs, if it says so.
    pub cpu: Option<u32>,
    /// The handle of the factors, if they are kept.
    pub handle: Option<u32>,
    /// The steps that the solution took in mixed precision; `None` if A was factored in its own.
    pub mixed_steps: Option<u32>,
    /// The reciprocal condition number, if it was asked for, else 0.
    pub rcond: f64,
    /// The determinant, a mantissa and an exponent of two, if it was asked for, else zeros.
    pub det: (f64, i64),
}

impl SystemAnswer {
    /// Reads an answer.
    #[must_use]
    pub fn parse(bytes: &[u8; ANSWER_BYTES]) -> Self {
        SystemAnswer {
            info: LittleEndian::read_i64(bytes),
            cpu: read_optional(&bytes[8..]),
            handle: Some(LittleEndian::read_u32(&bytes[16..])).filter(|&handle| handle != 0),
            mixed_steps: read_optional(&bytes[20..]),
            rcond: LittleEndian::read_f64(&bytes[24..]),
            det: (LittleEndian::read_f64(&bytes[32..]), LittleEndian::read_i64(&bytes[40..])),
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; ANSWER_BYTES] {
        let mut bytes = [0; ANSWER_BYTES];
        LittleEndian::write_i64(&mut bytes, self.info);
        write_optional(&mut bytes[8..], self.cpu);
        LittleEndian::write_u32(&mut bytes[16..], self.handle.unwrap_or(0));
        write_optional(&mut bytes[20..], self.mixed_steps);
        LittleEndian::write_f64(&mut bytes[24..], self.rcond);
        LittleEndian::write_f64(&mut bytes[32..], self.det.0);
        LittleEndian::write_i64(&mut bytes[40..], self.det.1);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_answer_comes_back(info: i64, handle: u32, steps in -1..100_i32, rcond in 0.0..1.0_f64, exponent: i64) {
            let answer = SystemAnswer {
                info,
                cpu: Some(3),
                handle: Some(handle).filter(|&handle| handle != 0),
                mixed_steps: u32::try_from(steps).ok(),
                rcond,
                det: (rcond, exponent),
            };
            prop_assert_eq!(SystemAnswer::parse(&answer.to_bytes()), answer);
        }
    }
}
