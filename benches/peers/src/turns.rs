//! The peers take turns, so that whatever slows the machine down slows all of them.

use std::time::{Duration, Instant};

use crate::Args;

/// How long each peer has its turn.
#[derive(Clone, Copy)]
pub struct Turn {
    budget: Duration,
    rest: Duration,
    calls: usize,
    time: Duration,
}

impl Turn {
    /// The threads of some peers spin long after their work is done (MKL: 200 ms), so that the next peer must wait; and
    /// its own threads must be awake before its best time counts.
    pub fn new(args: &Args) -> Self {
        let budget = Duration::from_secs_f64(args.seconds);
        match args.threads {
            1 => Turn { budget, rest: Duration::ZERO, calls: 1, time: Duration::ZERO },
            _ => Turn { budget, rest: Duration::from_millis(250), calls: 4, time: Duration::from_millis(50) },
        }
    }

    /// The best time of each peer. `run` takes a peer and whether this is its first call, and returns the time of its work.
    pub fn best_times<P>(self, peers: &mut [P], mut run: impl FnMut(&mut P, bool) -> Duration) -> Vec<Duration> {
        let mut best = vec![Duration::MAX; peers.len()];
        let begin = Instant::now();
        let mut rounds = 0;
        while rounds < 3 || begin.elapsed() < self.budget {
            for (peer, best) in peers.iter_mut().zip(&mut best) {
                std::thread::sleep(self.rest);
                let begin = Instant::now();
                let mut calls = 0;
                while calls < self.calls || begin.elapsed() < self.time {
                    *best = (*best).min(run(peer, rounds + calls == 0));
                    calls += 1;
                }
            }
            rounds += 1;
        }
        best
    }
}

/// Copies of something that are worked on one after the other under one clock, since one takes too little time for it. Each
/// starts at a cache line.
pub struct Copies<T> {
    count: usize,
    stride: usize,
    start: usize,
    memory: Vec<T>,
}

/// Bytes of copies.
const COPIES_BYTES: usize = 16 << 10;

impl<T: Copy + Default> Copies<T> {
    /// Memory for copies of `len` elements.
    pub fn new(len: usize) -> Self {
        let count = (COPIES_BYTES / (len * size_of::<T>()).max(1)).clamp(1, 64);
        let line = 64 / size_of::<T>();
        let stride = len.next_multiple_of(line).max(line);
        let memory = vec![T::default(); stride * count + line];
        Copies { count, stride, start: memory.as_ptr().align_offset(64), memory }
    }

    /// Makes copies of `from`, and returns the time of `work` for one of them.
    pub fn time(&mut self, from: &[T], mut work: impl FnMut(&mut [T])) -> Duration {
        let mut each = |f: &mut dyn FnMut(&mut [T])| {
            self.memory[self.start..]
                .chunks_mut(self.stride)
                .take(self.count)
                .for_each(|copy| f(&mut copy[..from.len()]));
        };
        each(&mut |copy| copy.copy_from_slice(from));
        let clock = Instant::now();
        each(&mut work);
        clock.elapsed().div_f64(self.count as f64)
    }

    /// The first copy.
    pub fn first(&mut self, len: usize) -> &mut [T] {
        &mut self.memory[self.start..][..len]
    }
}
