//! FILES_FACTOR and FILES_SOLVE: matrices in files, computed by the ranks of the engine that the operator has named.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::num::NonZeroU32;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use recfact_distributed::{Answer, EngineError, Fault, Job, Observer, Phase, ProcessGrid};

use super::error::Cause;
use super::payload::Payload;
use super::state::State;
use super::stats::Phase as StatsPhase;
use crate::lu::{Monitor, flops};
use crate::protocol::{
    ENGINE_FAILED, FILES_BYTES, FilesAnswer, FilesKind, FilesRequest, OUT_OF_MEMORY, Refusal, UNUSABLE_FILE,
};

/// Progress is counted in this many parts.
const PARTS: f64 = 1e12;

/// Answers one of them.
pub(super) fn answer(
    kind: FilesKind,
    payload: &mut Payload<'_, impl Read, impl Write>,
    state: &mut State,
) -> Result<(), Cause> {
    let request = FilesRequest::parse(kind, &payload.fixed::<FILES_BYTES>()?)?;
    payload.expect_left(request.payload_bytes())?;
    let job = job(&request, payload)?;
    let Some(engine) = &state.limits.engine else { return Err(Refusal::NoEngine.into()) };
    state.stats.end(StatsPhase::Reading);
    // The ranks use all processors that their launcher gives them.
    state.placement.let_go();
    let done = state.watch.during(state.request, PARTS, |monitor| engine.run(&job, &mut Watched(monitor)));
    state.stats.end(StatsPhase::Computing);
    let done = done.map_err(cause)?;
    state.stats.count_operations(flops(done.m as usize, done.n as usize));
    payload.answer(&[&answered(&done).to_bytes()])
}

/// Reads the names of the files.
fn job(request: &FilesRequest, payload: &mut Payload<'_, impl Read, impl Write>) -> Result<Job, Cause> {
    let mut names: [PathBuf; 4] = Default::default();
    for (name, bytes) in names.iter_mut().zip(request.name_bytes) {
        let mut text = vec![0; bytes as usize];
        payload.fill(&mut text)?;
        *name = OsString::from_vec(text).into();
    }
    let [a, b, out, factors] = names;
    let is_there = |name: &PathBuf| !name.as_os_str().is_empty();
    Ok(Job {
        b: Some(b).filter(is_there),
        factors: Some(factors).filter(is_there),
        transpose: request.transposed,
        refine: request.steps > 0,
        grid: request.grid.map(|[rows, columns]| ProcessGrid { rows, columns }),
        block: NonZeroU32::new(request.block),
        ..Job::new(&a, None, &out)
    })
}

/// Whoever watches the session watches the ranks.
struct Watched<'m>(&'m Monitor);

impl Observer for Watched<'_> {
    fn is_cancelled(&mut self) -> bool {
        self.0.is_cancelled()
    }

    fn progress(&mut self, _: Phase, done: f64) {
        self.0.set_done((PARTS * done) as u64);
    }
}

fn answered(done: &Answer) -> FilesAnswer {
    FilesAnswer {
        info: done.info,
        sizes: [done.m, done.n, done.nrhs],
        bits: done.bits,
        grid: [done.grid.rows, done.grid.columns],
        block: done.block,
        steps: done.steps,
        figures: [done.seconds, done.factor_seconds, done.gflops, done.rcond, done.backward_error],
    }
}

fn cause(error: EngineError) -> Cause {
    match error {
        EngineError::Cancelled => Refusal::Cancelled.into(),
        EngineError::Failed { fault, text } => {
            let code = match fault {
                Fault::File => UNUSABLE_FILE,
                Fault::Memory => OUT_OF_MEMORY,
                Fault::Engine => ENGINE_FAILED,
            };
            Cause::Engine { code, text }
        }
    }
}
