//! Calls that take turns, and how long they take.

use std::time::{Duration, Instant};

/// A sample lasts about this long, or for one call.
const SAMPLE: Duration = Duration::from_micros(200);

/// The most calls of a sample.
const MAX_CALLS: u32 = 1000;

/// The fewest samples of a call.
const MIN_SAMPLES: usize = 5;

/// The median times of calls, in seconds. Calls in a row find warm caches, so each turn has several; in turns, so that a
/// noisy moment of the machine is the same for all. Two calls before the measurement are the first touch of their memory.
///
/// # Errors
/// Those of the calls.
pub(super) fn medians<T: Copy, E>(
    calls: &[T],
    seconds: f64,
    mut call: impl FnMut(T) -> Result<(), E>,
) -> Result<Vec<f64>, E> {
    let mut sample = |what: T, repeats: u32| -> Result<Duration, E> {
        let start = Instant::now();
        (0..repeats).try_for_each(|_| call(what))?;
        Ok(start.elapsed() / repeats)
    };
    let mut repeats = Vec::new();
    for &what in calls {
        sample(what, 1)?;
        let time = sample(what, 1)?.max(Duration::from_nanos(1));
        repeats.push((SAMPLE.as_nanos() / time.as_nanos()).clamp(1, MAX_CALLS.into()) as u32);
    }
    let mut times = vec![Vec::new(); calls.len()];
    let start = Instant::now();
    while times[0].len() < MIN_SAMPLES || start.elapsed().as_secs_f64() < seconds {
        for (at, &what) in calls.iter().enumerate() {
            times[at].push(sample(what, repeats[at])?);
        }
    }
    Ok(times.iter_mut().map(|times| median(times).as_secs_f64()).collect())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
