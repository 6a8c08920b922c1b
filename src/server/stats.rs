//! What a session has done so far.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use crate::protocol::FrameCommand;

/// A part of the work on a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Phase {
    Reading,
    Computing,
    Writing,
}

/// Counts and times.
#[derive(Debug)]
pub(super) struct Stats {
    version1: u64,
    frames: [u64; FrameCommand::ALL.len()],
    refused: u64,
    /// The time that was spent in each phase.
    spent: [Duration; 3],
    flops: f64,
    /// When the present phase began.
    since: Instant,
}

impl Stats {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Stats { version1: 0, frames: Default::default(), refused: 0, spent: Default::default(), flops: 0.0, since: now }
    }

    /// A request has begun to arrive.
    pub(super) fn begin(&mut self) {
        self.since = Instant::now();
    }

    /// A phase is over, and the next one begins.
    pub(super) fn end(&mut self, phase: Phase) {
        let now = Instant::now();
        self.spent[phase as usize] += now.duration_since(self.since);
        self.since = now;
    }

    pub(super) fn count_version1(&mut self) {
        self.version1 += 1;
    }

    pub(super) fn count_frame(&mut self, command: FrameCommand) {
        // The commands of one kind are counted at the first of them.
        let at = FrameCommand::ALL.iter().position(|known| known.name() == command.name());
        self.frames[at.expect("every command is in the list")] += 1;
    }

    pub(super) fn count_refused(&mut self) {
        self.refused += 1;
    }

    /// Floating-point operations of a factorization or a solution.
    pub(super) fn count_operations(&mut self, flops: f64) {
        self.flops += flops;
    }

    /// Lines `key=value`, as protocol.md lists them.
    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        writeln!(to, "requests_version1={}", self.version1)?;
        let mut last = "";
        for (command, count) in FrameCommand::ALL.iter().zip(self.frames) {
            if command.name() != last {
                writeln!(to, "requests_{}={count}", command.name())?;
            }
            last = command.name();
        }
        writeln!(to, "requests_refused={}", self.refused)?;
        for (name, spent) in ["reading", "computing", "writing"].iter().zip(self.spent) {
            writeln!(to, "seconds_{name}={:.6}", spent.as_secs_f64())?;
        }
        let computing = self.spent[Phase::Computing as usize].as_secs_f64();
        let gflops = if computing > 0.0 { self.flops / computing / 1e9 } else { 0.0 };
        writeln!(to, "gflops={gflops:.3}")
    }
}
