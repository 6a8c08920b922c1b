//! Calls of the operating system that the server and the client need. This module knows no wire and no matrix.

mod cpu;
mod descriptor;
mod disposition;
#[cfg(feature = "cli")]
mod mapping;
#[cfg(feature = "cli")]
mod placement;
#[cfg(feature = "client")]
mod segment;
mod shared;
#[cfg(feature = "cli")]
mod signals;
#[cfg(feature = "cli")]
mod stdio;

pub(crate) use cpu::current_cpu;
pub(crate) use descriptor::above_stderr;
#[cfg(feature = "client")]
pub(crate) use disposition::{catches, is_ignored};
#[cfg(feature = "cli")]
pub(crate) use mapping::{Mapping, physical_memory, resident_memory};
#[cfg(feature = "cli")]
pub(crate) use placement::Placement;
#[cfg(feature = "client")]
pub(crate) use segment::{Segment, let_inherit};
#[cfg(feature = "cli")]
pub(crate) use shared::{SharedMemory, Unmappable, inherited, of_process};
#[cfg(feature = "cli")]
pub(crate) use signals::{end_by, end_on_signals, end_signal, on_sigusr1};
#[cfg(feature = "cli")]
pub(crate) use stdio::{Input, Output};
