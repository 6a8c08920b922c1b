//! A progress bar for work that takes long, for a person who would see nothing else.
//!
//! (The crate `indicatif` does more, and would be a tenth of the executable.)

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Work that ends sooner shows no bar.
pub(super) const DELAY: Duration = Duration::from_millis(500);

/// Between two pictures of the bar.
const INTERVAL: Duration = Duration::from_millis(100);

/// Characters of the bar.
const BAR: usize = 40;

/// Goes to the start of the line and clears it (ECMA-48: carriage return, erase in line).
pub(super) const CLEAR: &str = "\r\x1b[K";

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
        Progress { number, rows, done: 0, next: is_wanted().then(|| Instant::now() + DELAY), is_shown: false }
    }

    /// A row is done.
    pub(super) fn step(&mut self) {
        self.done += 1;
        let now = Instant::now();
        if self.next.is_some_and(|next| next <= now) {
            draw(&picture(format_args!("matrix {}", self.number), self.done as f64 / self.rows as f64));
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

/// Whether somebody would see the bar, and not be disturbed by it.
pub(super) fn is_wanted() -> bool {
    io::stderr().is_terminal() && !io::stdout().is_terminal()
}

/// The bar for work of which `done` is done, from 0 to 1.
pub(super) fn picture(label: fmt::Arguments<'_>, done: f64) -> String {
    let full = (BAR as f64 * done) as usize;
    format!("{CLEAR}{label}: [{:BAR$}]", "=".repeat(full.min(BAR)))
}

/// A terminal that takes nothing changes nothing.
pub(super) fn draw(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
