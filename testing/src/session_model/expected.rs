//! What comes out of a session, and whether it is as expected.

use crate::image::Image;

/// How a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By the exit command or the end of the input.
    Good,
    /// A request of version 1 was refused with this code.
    Refused(u8),
    /// The input ended in a head.
    InHead,
    /// The input ended in a matrix.
    InMatrix,
    /// The input ended in a payload.
    InPayload,
    /// A payload was too long to be skipped.
    TooLong,
}

impl End {
    /// Checks what comes out last.
    ///
    /// # Panics
    /// If it is not as expected.
    pub fn check(self, output: &[u8]) {
        match self {
            End::Refused(code) => assert_eq!(output, (i64::MIN + i64::from(code)).to_le_bytes(), "the refusal"),
            End::TooLong => assert_eq!(Expected::Refused(-10).check(output, 0), output.len(), "the end"),
            _ => assert!(output.is_empty(), "{} bytes of output that answer nothing", output.len()),
        }
    }

    /// The exit status of the executable.
    #[must_use]
    pub fn status(self) -> u8 {
        match self {
            End::Good => 0,
            End::Refused(code) => code,
            End::InHead => 5,
            End::InMatrix | End::InPayload => 6,
            End::TooLong => 10,
        }
    }

    /// Whether the place of the error is that where the request begins; else it is the end of the input.
    #[must_use]
    pub fn is_at_start(self) -> bool {
        matches!(self, End::Refused(_) | End::TooLong)
    }
}

/// The key whose value [`Expected::check`] knows.
pub(super) const BYTES_OUT: &str = "bytes_out";

/// An answer.
#[derive(Debug, Clone)]
pub enum Expected {
    /// To a request of version 1.
    Version1(Image),
    /// Status 0, and this payload.
    Data(Image),
    /// Status 0, these bytes, and lines `key=value`; a value that is not told is not empty.
    Text {
        /// What comes before the lines.
        fixed: Vec<u8>,
        /// The lines in their order.
        lines: Vec<(&'static str, Option<String>)>,
    },
    /// This status and a message.
    Refused(i64),
}

impl Expected {
    /// Checks the answer with which this output begins, and before which there were `before` bytes. Returns how many bytes
    /// it has.
    ///
    /// # Panics
    /// If it is not as expected.
    #[must_use]
    pub fn check(&self, output: &[u8], before: u64) -> usize {
        if let Expected::Version1(image) = self {
            let answer = output.get(..image.len()).expect("a whole answer");
            assert_eq!(image.mismatch(answer), None, "the first byte of the answer that is wrong");
            return image.len();
        }
        let (status, length, payload) = split(output);
        let message = || String::from_utf8_lossy(payload);
        assert_eq!(status, if let Expected::Refused(status) = self { *status } else { 0 }, "{}", message());
        match self {
            Expected::Version1(_) => {}
            Expected::Data(image) => {
                assert_eq!(image.mismatch(payload), None, "the first byte of the payload that is wrong");
            }
            Expected::Text { fixed, lines } => {
                let text = payload.strip_prefix(&fixed[..]).unwrap_or_else(|| panic!("{fixed:?}: {payload:?}"));
                check_lines(text, lines, before);
            }
            Expected::Refused(_) => {
                let text = std::str::from_utf8(payload).expect("a message in UTF-8");
                assert!(text.contains("expected ") && !text.contains(char::is_control), "{text:?}");
            }
        }
        16 + length
    }
}

/// The status of an extended frame's answer, the length of the payload, the payload.
fn split(output: &[u8]) -> (i64, usize, &[u8]) {
    let (status, rest) = output.split_first_chunk().expect("a status");
    let (length, rest) = rest.split_first_chunk().expect("a length");
    let length = u64::from_le_bytes(*length) as usize;
    (i64::from_le_bytes(*status), length, rest.get(..length).expect("a whole payload"))
}

fn check_lines(text: &[u8], expected: &[(&str, Option<String>)], before: u64) {
    let text = std::str::from_utf8(text).expect("lines in UTF-8");
    assert!(text.ends_with('\n'), "{text:?}");
    let lines = text.lines().map(|line| line.split_once('=').expect("key=value"));
    for ((key, value), (expected_key, expected)) in lines.clone().zip(expected) {
        assert_eq!(key, *expected_key, "{text}");
        let before = (key == BYTES_OUT).then(|| before.to_string());
        match before.as_ref().or(expected.as_ref()) {
            Some(expected) => assert_eq!(value, expected, "{key}\n{text}"),
            None => assert!(!value.is_empty(), "{key}\n{text}"),
        }
    }
    assert_eq!(lines.count(), expected.len(), "{text}");
}
