//! A progress bar for work that takes long, for a person who would see nothing else.
//!
//! (The crate `indicatif` does more, and would be a tenth of the executable.)

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Work that ends sooner shows no bar.
const DELAY: Duration = Duration::from_millis(500);

/// Between two pictures of the bar.
const INTERVAL: Duration = Duration::from_millis(100);

/// Characters of the bar.
const BAR: usize = 40;

/// Goes to the start of the line and clears it (ECMA-48: carriage return, erase in line).
const CLEAR: &str = "\r\x1b[K";

/// How far the work on a matrix is. The bar stands on stderr, and only if that is a terminal and stdout is not.
pub(super) struct Progress {
    /// The matrix, counted from 1.
    number: usize,
    rows: usize,
    done: usize,
    /// When the bar is drawn next; `None` if nobody would see it, or be disturbed by it.
    next: Option<Instant>,
    is_shown: bool,
}

impl Progress {
    /// Begins work on the rows of a matrix.
    pub(super) fn new(number: usize, rows: usize) -> Self {
        let is_wanted = io::stderr().is_terminal() && !io::stdout().is_terminal();
        Progress { number, rows, done: 0, next: is_wanted.then(|| Instant::now() + DELAY), is_shown: false }
    }

    /// A row is done.
    pub(super) fn step(&mut self) {
        self.done += 1;
        let now = Instant::now();
        if self.next.is_some_and(|next| next <= now) {
            let full = (BAR as f64 * self.done as f64 / self.rows as f64) as usize;
            draw(&format!("{CLEAR}matrix {}: [{:BAR$}]", self.number, "=".repeat(full.min(BAR))));
            (self.next, self.is_shown) = (Some(now + INTERVAL), true);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown {
            draw(CLEAR);
        }
    }
}

/// A terminal that takes nothing changes nothing.
fn draw(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
