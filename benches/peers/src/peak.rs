//! The most that the processor's multipliers can do: fused multiply-adds in registers, as many as there are.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use recfact::Isa;

use crate::peer::Element;

/// GFLOP/s of fused multiply-adds in registers, on so many threads at once: the best of many short runs.
pub fn gflops<T: Element>(threads: usize) -> f64 {
    let single = size_of::<T>() == 4;
    let run = move || match Isa::best() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the CPU has the instruction set.
        Isa::Avx512 => unsafe { if single { x86::avx512_f32() } else { x86::avx512_f64() } },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Isa::Avx2 => unsafe { if single { x86::avx2_f32() } else { x86::avx2_f64() } },
        _ => f64::NAN,
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        workers.into_iter().map(|worker| worker.join().expect("the measurement ends")).sum()
    })
}

/// The best rate of a function that does so many operations.
#[allow(dead_code)] // unused where there is no kernel to measure
fn best(flops: f64, mut run: impl FnMut()) -> f64 {
    let begin = Instant::now();
    let mut seconds = f64::INFINITY;
    while begin.elapsed().as_secs_f64() < 0.3 {
        let clock = Instant::now();
        run();
        seconds = seconds.min(clock.elapsed().as_secs_f64());
    }
    flops / seconds * 1e-9
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::*;
    use std::arch::x86_64::*;

    const STEPS: usize = 20_000;

    macro_rules! peak {
        ($name:ident, $feature:literal, $v:ty, $splat:ident, $fma:ident, $lanes:literal, $chains:literal) => {
            #[target_feature(enable = $feature)]
            pub fn $name() -> f64 {
                let (a, b) = ($splat(black_box(1.0)), $splat(black_box(1e-9)));
                best((2 * $lanes * $chains * STEPS) as f64, || {
                    let mut acc: [$v; $chains] = [b; $chains];
                    for _ in 0..STEPS {
                        for x in &mut acc {
                            *x = $fma(*x, a, b);
                        }
                    }
                    black_box(acc);
                })
            }
        };
    }

    peak!(avx2_f64, "avx2,fma", __m256d, _mm256_set1_pd, _mm256_fmadd_pd, 4, 12);
    peak!(avx2_f32, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps, 8, 12);
    peak!(avx512_f64, "avx512f", __m512d, _mm512_set1_pd, _mm512_fmadd_pd, 8, 12);
    peak!(avx512_f32, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps, 16, 12);
}
