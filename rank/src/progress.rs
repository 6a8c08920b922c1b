//! Lines about how far the job is, from the first rank.

use std::cell::Cell;
use std::time::{Duration, Instant};

use recfact_distributed::{Line, Phase};

use crate::heartbeat::say;
use crate::team::Team;

/// Between two lines.
const INTERVAL: Duration = Duration::from_millis(200);

/// How far the job is.
pub struct Progress {
    is_told: bool,
    /// Floating-point operations of the job.
    total: f64,
    phase: Cell<Phase>,
    done: Cell<f64>,
    next: Cell<Instant>,
}

impl Progress {
    /// Nothing is done of this number of floating-point operations.
    pub fn new(team: &Team, total: f64) -> Self {
        let (phase, next) = (Cell::new(Phase::Reading), Cell::new(Instant::now()));
        Progress { is_told: team.rank() == 0, total, phase, done: Cell::new(0.0), next }
    }

    /// A phase begins, and `done` operations are done.
    pub fn begin(&self, phase: Phase, done: f64) {
        self.phase.set(phase);
        self.done.set(done);
        self.tell();
    }

    /// `done` operations are done.
    pub fn reach(&self, done: f64) {
        self.done.set(done);
        self.remind();
    }

    /// Tells again how far it is, unless a line was written less than [`INTERVAL`] ago.
    pub fn remind(&self) {
        if self.next.get() <= Instant::now() {
            self.tell();
        }
    }

    fn tell(&self) {
        if self.is_told {
            let part = if self.total > 0.0 { (self.done.get() / self.total).clamp(0.0, 1.0) } else { 0.0 };
            say(&Line::Progress { phase: self.phase.get(), done: part });
        }
        self.next.set(Instant::now() + INTERVAL);
    }
}
