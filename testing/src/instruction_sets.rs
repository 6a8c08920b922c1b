//! Which instruction sets a run can test.

use std::io::{self, Write};
use std::sync::Once;

/// The instruction sets that the library has kernels for, as `RECFACT_ISA` names them; each contains the ones before it.
pub const INSTRUCTION_SETS: [&str; 3] = ["portable", "avx2", "avx512"];

/// Those that this CPU has, which a test that touches numbers has to cover.
///
/// The first call says on stderr which ones these are and which ones the CPU lacks. It is written to the descriptor:
/// what the macros print is seen of failing tests only.
#[must_use]
pub fn instruction_sets() -> &'static [&'static str] {
    static SAID: Once = Once::new();
    let available = &(const { &INSTRUCTION_SETS })[..count()];
    SAID.call_once(|| {
        let missing = &INSTRUCTION_SETS[available.len()..];
        let missing = if missing.is_empty() { String::new() } else { format!(", {} not on this CPU", list(missing)) };
        let line = format!("instruction sets: {} tested{missing}\n", list(available));
        io::stderr().write_all(line.as_bytes()).expect("stderr takes a line");
    });
    available
}

/// How many of them this CPU has.
fn count() -> usize {
    #[cfg(target_arch = "x86_64")]
    {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let avx512 = avx2 && is_x86_feature_detected!("avx512f");
        1 + usize::from(avx2) + usize::from(avx512)
    }
    #[cfg(not(target_arch = "x86_64"))]
    1
}

fn list(names: &[&str]) -> String {
    names.join(" and ")
}
