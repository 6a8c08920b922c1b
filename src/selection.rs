//! The instruction set that a process uses: the best one of its CPU, or the one that the environment names.

use std::env;
use std::sync::OnceLock;

use crate::error::Error;
use crate::kernel::Isa;

/// The environment variable that forces an instruction set.
const VARIABLE: &str = "RECFACT_ISA";

impl Isa {
    /// The one that every factorization of this process uses unless its [`Options`](crate::Options) name another: the
    /// best one, or the one that the environment variable `RECFACT_ISA` names. The variable is read once; an empty one
    /// counts as unset.
    ///
    /// # Errors
    /// [`Error::InstructionSet`] if the variable names none, or one that this CPU lacks.
    ///
    /// ```
    /// assert!(recfact::Isa::in_use()?.is_available());
    /// # Ok::<(), recfact::Error>(())
    /// ```
    pub fn in_use() -> Result<Isa, Error> {
        static ASKED: OnceLock<String> = OnceLock::new();
        static IN_USE: OnceLock<Result<Isa, Error>> = OnceLock::new();
        *IN_USE.get_or_init(|| match env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
            None => Ok(Isa::best()),
            Some(value) => {
                let asked = ASKED.get_or_init(|| value.to_string_lossy().into_owned());
                let named = Isa::available().iter().copied().find(|isa| isa.name() == asked);
                named.ok_or(Error::InstructionSet { asked, available: Isa::available() })
            }
        })
    }
}
