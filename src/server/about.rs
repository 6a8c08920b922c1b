//! The requests about the server and the session: HELLO, PING, STATS.

use std::io::{Read, Write};
use std::process;

use super::error::Cause;
use super::payload::{Payload, Text};
use super::state::State;
use super::stats::Phase;
use crate::os::resident_memory;
use crate::protocol::{HELLO_BYTES, PROTOCOL_VERSION, Refusal, Welcome};

/// Says who this is. The version and the name of the client change nothing.
pub(super) fn hello(payload: &mut Payload<'_, impl Read, impl Write>, state: &State) -> Result<(), Cause> {
    payload.fixed::<HELLO_BYTES>()?;
    payload.skip()?;
    let files = if state.limits.engine.is_some() { Welcome::FILES | Welcome::FILES_BITS_OF_GRID } else { 0 };
    let welcome = Welcome {
        version: PROTOCOL_VERSION,
        features: Welcome::FACTOR | Welcome::MAP | Welcome::BATCH | Welcome::SYSTEM | files,
        max_bytes: state.limits.max_bytes,
        threads: u32::try_from(state.limits.threads).unwrap_or(u32::MAX),
    };
    let lines = Text::of(|text| {
        writeln!(text, "version={}", env!("CARGO_PKG_VERSION"))?;
        writeln!(text, "isa={}", state.isa.name())?;
        writeln!(text, "pid={}", process::id())?;
        writeln!(text, "bits=library")
    });
    payload.answer(&[&welcome.to_bytes(), lines.bytes()])
}

/// Sends the payload back.
pub(super) fn ping(payload: &mut Payload<'_, impl Read, impl Write>, state: &mut State) -> Result<(), Cause> {
    let (length, max) = (payload.left(), state.limits.max_bytes);
    let Some(bytes) = usize::try_from(length).ok().filter(|_| length <= max) else {
        return Err(Refusal::PingTooLong { length, max }.into());
    };
    let echo = state.store.workspace.reserve(bytes)?;
    payload.fill(echo)?;
    state.stats.end(Phase::Reading);
    payload.answer(&[echo])
}

/// Says what the session has done.
pub(super) fn stats(payload: &mut Payload<'_, impl Read, impl Write>, state: &State) -> Result<(), Cause> {
    payload.expect_left(0)?;
    let (bytes_in, bytes_out) = payload.traffic();
    let segments = &state.store.segments;
    let lines = Text::of(|text| {
        state.stats.write(text)?;
        writeln!(text, "bytes_in={bytes_in}")?;
        writeln!(text, "bytes_out={bytes_out}")?;
        if let Some((now, peak)) = resident_memory() {
            writeln!(text, "memory_bytes={now}")?;
            writeln!(text, "memory_peak_bytes={peak}")?;
        }
        writeln!(text, "kept_factors={}", state.store.kept.count())?;
        writeln!(text, "kept_bytes={}", state.store.kept.bytes())?;
        writeln!(text, "segments={}", segments.count())?;
        writeln!(text, "segment_bytes={}", segments.bytes())
    });
    payload.answer(&[lines.bytes()])
}
