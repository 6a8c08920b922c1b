//! A number of threads on the command line.

use std::num::NonZeroUsize;

/// Parses it.
pub(super) fn parse(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| match text.parse::<usize>() {
        Ok(_) => "expected at least 1 thread",
        Err(_) => "expected a number of threads",
    })
}
