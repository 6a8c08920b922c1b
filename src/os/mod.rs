//! What server and client ask of the operating system, and nothing else: no wire, no matrix.

mod disposition;
#[cfg(feature = "cli")]
mod mapping;
#[cfg(feature = "cli")]
mod signals;
#[cfg(feature = "cli")]
mod stdio;

#[cfg(feature = "client")]
pub(crate) use disposition::is_ignored;
#[cfg(feature = "cli")]
pub(crate) use mapping::{Mapping, physical_memory};
#[cfg(feature = "cli")]
pub(crate) use signals::end_on_signals;
#[cfg(feature = "cli")]
pub(crate) use stdio::{Input, Output};
