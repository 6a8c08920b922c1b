//! ScaLAPACK and BLACS, loaded when the rank runs: the ones that fit its launcher.

use std::error::Error;
use std::ffi::OsStr;
use std::mem::ManuallyDrop;
use std::os::unix::ffi::OsStrExt;

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_LAZY};

use crate::failure::Failure;
use crate::launcher::{Launcher, Mpi};

/// The libraries. They stay loaded until the process ends, since MPI has threads.
pub struct Libraries {
    libraries: Vec<ManuallyDrop<Library>>,
}

impl Mpi {
    /// The names that ScaLAPACK has for it, the first of them those of Debian.
    fn scalapack(self) -> [&'static str; 3] {
        match self {
            Mpi::OpenMpi => ["libscalapack-openmpi.so.2.2", "libscalapack-openmpi.so.2.1", "libscalapack.so"],
            Mpi::Mpich => ["libscalapack-mpich.so.2.2", "libscalapack-mpich.so.2.1", "libscalapack.so"],
        }
    }

    /// The package of Debian that has it.
    fn package(self) -> &'static str {
        match self {
            Mpi::OpenMpi => "libscalapack-openmpi2.2",
            Mpi::Mpich => "libscalapack-mpich2.2",
        }
    }
}

impl Libraries {
    /// Loads the libraries that are named, separated by colons, in that order; or those of the launcher's MPI.
    ///
    /// # Errors
    /// If the system does not find them.
    pub fn open(named: Option<&OsStr>, launcher: &Launcher) -> Result<Self, Failure> {
        if let Some(named) = named {
            let names = named.as_bytes().split(|&byte| byte == b':').map(OsStr::from_bytes);
            let libraries = names.map(|name| {
                open(name).map_err(|error| {
                    let (name, cause) = (name.display(), cause(&error));
                    let text = format!("expected the library {name} of RECFACT_SCALAPACK, got: {cause}");
                    Failure::engine(text)
                })
            });
            return Ok(Libraries { libraries: libraries.collect::<Result<_, _>>()? });
        }
        let names = launcher.mpi.scalapack();
        let found = names.iter().find_map(|name| open(OsStr::new(name)).ok());
        let library = found.ok_or_else(|| {
            Failure::engine(format_args!(
                "expected one of {}, got none of them; install {} (Debian), or name the libraries by RECFACT_SCALAPACK",
                names.join(", "),
                launcher.mpi.package()
            ))
        })?;
        Ok(Libraries { libraries: vec![library] })
    }

    /// The function of a name.
    ///
    /// # Errors
    /// If no library has it.
    ///
    /// # Safety
    /// The function has the type `F`, a function pointer.
    pub unsafe fn find<F: Copy>(&self, name: &str) -> Result<F, Failure> {
        // SAFETY: the caller knows the type, and the libraries are never closed.
        let found = self.libraries.iter().find_map(|library| unsafe { library.get::<F>(name).ok() });
        let function = found.map(|symbol| *symbol);
        function.ok_or_else(|| Failure::engine(format_args!("expected {name} in the libraries of ScaLAPACK, got none")))
    }
}

/// Loads a library with all that it needs. MPI's own plug-ins look for its names among those of the process; the libraries of MKL need
/// each other, so that names are looked up when they are called.
fn open(name: &OsStr) -> Result<ManuallyDrop<Library>, libloading::Error> {
    // SAFETY: the initializers of a library that the operator has installed or named run; they are trusted as those of any library
    // that a program is linked with.
    unsafe { Library::open(Some(name), RTLD_LAZY | RTLD_GLOBAL) }.map(ManuallyDrop::new)
}

/// What the system said.
fn cause(error: &libloading::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// A struct of functions, each with the name of its symbol, and what loads them. `$symbol` makes the name of a symbol from that of
/// its field.
macro_rules! functions {
    ($(#[$meta:meta])* $name:ident $(<$element:ident>)?: $($field:ident($($argument:ty),* $(,)?) $(-> $result:ty)?;)*) => {
        $(#[$meta])*
        pub struct $name $(<$element>)? {
            $(pub $field: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl $(<$element>)? $name $(<$element>)? {
            /// Loads the functions.
            ///
            /// # Errors
            /// If the libraries lack one.
            pub fn load(
                libraries: &$crate::libraries::Libraries,
                symbol: impl Fn(&str) -> String,
            ) -> Result<Self, $crate::failure::Failure> {
                $(
                    // SAFETY: the type is that of the function in the documentation of ScaLAPACK, with its Fortran names: each
                    // argument is a pointer, and lengths of strings follow at the end.
                    let $field = unsafe { libraries.find(&symbol(stringify!($field)))? };
                )*
                Ok($name { $($field),* })
            }
        }
    };
}

pub(crate) use functions;
