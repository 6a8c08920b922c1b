//! Calls of the operating system that the server and the client need. This module knows no wire and no matrix.

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
