//! What this machine has: implementations of MPI with their ScaLAPACK, and the program of a rank.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use testing::npy::Npy;
use testing::process::report;
use testing::{Kind, matrix, ranks};

use crate::folder::{Folder, said};

pub const EXECUTABLE: &str = env!("CARGO_BIN_EXE_recfact_server");
const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| ranks::program(SCRATCH));

/// What each implementation lacks on this machine.
static LACKS: LazyLock<[Option<String>; 2]> = LazyLock::new(|| Mpi::ALL.map(Mpi::find_lack));

static TURN: Mutex<()> = Mutex::new(());

/// One launcher at a time: ranks that wait for each other keep processors busy.
pub fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An implementation of MPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mpi {
    Open,
    Mpich,
}

impl Mpi {
    pub const ALL: [Mpi; 2] = [Mpi::Open, Mpi::Mpich];

    /// Its launcher.
    pub fn mpirun(self) -> &'static str {
        ["mpirun.openmpi", "mpirun.mpich"][self as usize]
    }

    /// Its ScaLAPACK.
    pub fn scalapack(self) -> &'static str {
        ["libscalapack-openmpi.so.2.2", "libscalapack-mpich.so.2.2"][self as usize]
    }

    /// The packages of Debian that have them.
    fn packages(self) -> &'static str {
        ["openmpi-bin, libscalapack-openmpi2.2", "mpich, libscalapack-mpich2.2"][self as usize]
    }

    /// A launcher with a number of ranks: any with OpenMPI, up to 2 with MPICH, whose ranks keep a processor busy while
    /// they wait.
    pub fn as_installed(self, ranks: u32) -> String {
        assert!(self == Mpi::Open || ranks <= 2);
        let mpirun = self.mpirun();
        format!("{mpirun} -bind-to none -n {ranks}")
    }

    /// The same for tests that start many of them. OpenMPI does not look for the network of a supercomputer first,
    /// which takes 0.2 s.
    pub fn ranks(self, ranks: u32) -> String {
        let quick = if self == Mpi::Open { " --mca pml ob1" } else { "" };
        self.as_installed(ranks) + quick
    }

    /// Whether it is there; else says what is not tested.
    pub fn is_there(self, what: &str) -> bool {
        let lack = LACKS[self as usize].as_ref();
        if let Some(lack) = lack {
            eprintln!("NOT TESTED, {lack} (Debian: {}): {what}", self.packages());
        }
        lack.is_none()
    }

    /// Those that are there; says what is not tested with the others.
    pub fn present(what: &str) -> Vec<Mpi> {
        Mpi::ALL.into_iter().filter(|mpi| mpi.is_there(what)).collect()
    }

    /// Has a rank factor a matrix. Whatever fails because something is not installed is a lack, and nothing else is.
    fn find_lack(self) -> Option<String> {
        let folder = Folder::new();
        folder.save("a.npy", &Npy::of(true, &[1, 1], &[1.0]));
        let output = folder.run(&mut folder.command("factor", &self.as_installed(1), "a.npy -o f"));
        if output.status.success() {
            return None;
        }
        let (said, mpirun) = (said(&output), self.mpirun());
        if said.contains(&format!("expected to start the launcher {mpirun}, got: No such file")) {
            return Some(format!("there is no {mpirun}"));
        }
        assert!(said.contains("expected one of libscalapack"), "{mpirun} -n 1: {}", report(&output));
        Some(format!("{mpirun} has no ScaLAPACK"))
    }
}

/// Gives a command what its launchers need: the program of a rank; OpenMPI may run as root, and with more ranks than
/// processors.
pub fn prepare(command: &mut Command) {
    command.env("RECFACT_RANK", &*PROGRAM);
    for variable in ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "OMPI_MCA_rmaps_base_oversubscribe"] {
        command.env(variable, "1");
    }
    for variable in ["RECFACT_SCALAPACK", "RECFACT_ISA", "RECFACT_NUM_THREADS", "OPENBLAS_NUM_THREADS"] {
        command.env_remove(variable);
    }
}

/// The order of [`large`].
const LARGE: usize = 4000;

/// The file of a matrix that keeps ranks busy for many seconds, if they have it in blocks of one row and one column.
pub fn large() -> &'static Path {
    static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
        let file = Path::new(SCRATCH).join("distributed-large.npy");
        let a: Vec<f64> = matrix(Kind::Uniform, LARGE, LARGE, 1);
        let bytes = Npy::of(true, &[LARGE, LARGE], &a).to_bytes();
        if fs::metadata(&file).map_or(0, |file| file.len()) != bytes.len() as u64 {
            let unfinished = file.with_extension(std::process::id().to_string());
            fs::write(&unfinished, bytes).unwrap();
            fs::rename(unfinished, &file).unwrap();
        }
        file
    });
    &FILE
}
