//! The instruction set that a process uses: the best one of its CPU, or the one that the environment names.

use std::env;
use std::sync::OnceLock;

use crate::error::Error;
use crate::kernel::{Isa, Microarchitecture, prefers_avx2};

/// The environment variable that forces an instruction set.
const VARIABLE: &str = "RECFACT_ISA";

impl Isa {
    /// The one that this process uses unless its [`Options`](crate::Options) name another: the best one, or the one that the
    /// environment variable `RECFACT_ISA` names. If neither names one, small matrices are factored by a narrower one where that
    /// takes less time. The variable is read once; an empty one counts as unset.
    ///
    /// # Errors
    /// [`Error::InstructionSet`] if the variable names none, or one that this CPU lacks.
    ///
    /// ```
    /// assert!(recfact::Isa::in_use()?.is_available());
    /// # Ok::<(), recfact::Error>(())
    /// ```
    pub fn in_use() -> Result<Isa, Error> {
        Ok(choice()?.isa)
    }

    /// The one that factors matrices of `m` rows in the least time, or the one that the environment names. `bytes` is the size of an
    /// element.
    ///
    /// # Errors
    /// As for [`Isa::in_use`].
    pub(crate) fn for_rows(m: usize, bytes: usize) -> Result<Isa, Error> {
        let Choice { isa, cpu } = choice()?;
        Ok(if cpu.is_some_and(|cpu| prefers_avx2(cpu, m, bytes)) { Isa::Avx2 } else { isa })
    }
}

/// What a process uses.
#[derive(Debug, Clone, Copy)]
struct Choice {
    isa: Isa,
    /// The CPU, if AVX2's kernels may be the better ones for some matrices.
    cpu: Option<Microarchitecture>,
}

/// The choice of this process, which is made once.
fn choice() -> Result<Choice, Error> {
    static ASKED: OnceLock<String> = OnceLock::new();
    static CHOICE: OnceLock<Result<Choice, Error>> = OnceLock::new();
    *CHOICE.get_or_init(|| match env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        None => {
            let isa = Isa::best();
            Ok(Choice { isa, cpu: (isa == Isa::Avx512).then(Microarchitecture::of_this_cpu) })
        }
        Some(value) => {
            let asked = ASKED.get_or_init(|| value.to_string_lossy().into_owned());
            let named = Isa::available().iter().copied().find(|isa| isa.name() == asked);
            let isa = named.ok_or(Error::InstructionSet { asked, available: Isa::available() })?;
            Ok(Choice { isa, cpu: None })
        }
    })
}
