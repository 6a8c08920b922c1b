//! Which instruction sets there are kernels for, which of them this CPU has, and which one is in use.

use std::env;
use std::sync::OnceLock;

use crate::error::Error;

/// The environment variable that forces an instruction set.
pub(crate) const VARIABLE: &str = "RECFACT_ISA";

/// An instruction set that there are kernels for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// Whatever the compiler's baseline for the target offers.
    Portable,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512F.
    Avx512,
}

impl Isa {
    /// Every instruction set there are kernels for, the fastest last.
    pub const ALL: [Isa; 3] = [Isa::Portable, Isa::Avx2, Isa::Avx512];

    /// Whether this CPU has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Isa::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => Isa::Avx2.is_available() && is_x86_feature_detected!("avx512f"),
            #[cfg(not(target_arch = "x86_64"))]
            Isa::Avx2 | Isa::Avx512 => false,
        }
    }

    /// The fastest one that this CPU has.
    #[must_use]
    pub fn best() -> Isa {
        Isa::ALL.into_iter().rev().find(|isa| isa.is_available()).unwrap_or(Isa::Portable)
    }

    /// The one that every factorization of this process uses: the best one, unless the environment variable
    /// `RECFACT_ISA` names another. It is looked up once.
    ///
    /// # Errors
    /// [`Error::InstructionSet`] where the variable names none, or one that this CPU has not.
    ///
    /// ```
    /// assert!(recfact::Isa::in_use()?.is_available());
    /// # Ok::<(), recfact::Error>(())
    /// ```
    pub fn in_use() -> Result<Isa, Error> {
        static IN_USE: OnceLock<Result<Isa, Error>> = OnceLock::new();
        *IN_USE.get_or_init(|| match env::var_os(VARIABLE) {
            None => Ok(Isa::best()),
            Some(name) => {
                let named = Isa::ALL.into_iter().find(|isa| name == isa.name() && isa.is_available());
                named.ok_or(Error::InstructionSet)
            }
        })
    }

    /// Its name: `portable`, `avx2`, `avx512`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Isa::Portable => "portable",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
        }
    }
}
