//! What the launcher has told this rank, in its environment.

use std::env;

use recfact_distributed::RANK_VARIABLES;

use crate::failure::Failure;

/// The implementation of MPI that a launcher belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mpi {
    OpenMpi,
    /// MPICH, or one that is compatible with it, as Intel's.
    Mpich,
}

/// A launcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Launcher {
    pub mpi: Mpi,
    pub rank: u32,
    pub ranks: u32,
}

/// To which MPI the variables of a launcher belong.
const MPIS: [Mpi; RANK_VARIABLES.len()] = [Mpi::OpenMpi, Mpi::Mpich, Mpi::OpenMpi];

impl Launcher {
    /// The launcher of this process.
    ///
    /// # Errors
    /// If none has started it.
    pub fn of_this_rank() -> Result<Self, Failure> {
        Self::find(|name| env::var(name).ok()?.parse().ok()).ok_or_else(|| {
            let names: Vec<_> = RANK_VARIABLES.iter().map(|(ranks, rank)| format!("{ranks} and {rank}")).collect();
            Failure::engine(format_args!(
                "expected to be started by mpirun, mpiexec or srun, which set {}, got none of them; is the launcher one of MPI?",
                names.join(", or ")
            ))
        })
    }

    fn find(variable: impl Fn(&str) -> Option<u32>) -> Option<Self> {
        RANK_VARIABLES.iter().zip(MPIS).find_map(|(&(size, number), mpi)| {
            let (ranks, rank) = (variable(size)?, variable(number)?);
            (rank < ranks).then_some(Launcher { mpi, rank, ranks })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_launcher_is_known_by_the_variables_that_it_sets() {
        let find = |set: &[(&str, u32)]| Launcher::find(|name| Some(set.iter().find(|(known, _)| *known == name)?.1));
        let expected = |mpi| Some(Launcher { mpi, rank: 1, ranks: 4 });
        assert_eq!(find(&[("OMPI_COMM_WORLD_SIZE", 4), ("OMPI_COMM_WORLD_RANK", 1)]), expected(Mpi::OpenMpi));
        assert_eq!(find(&[("PMI_SIZE", 4), ("PMI_RANK", 1), ("SLURM_NTASKS", 4)]), expected(Mpi::Mpich));
        assert_eq!(find(&[("SLURM_NTASKS", 4), ("PMIX_RANK", 1)]), expected(Mpi::OpenMpi));
        assert_eq!(find(&[("SLURM_NTASKS", 4)]), None);
        assert_eq!(find(&[("PMI_SIZE", 4), ("PMI_RANK", 4)]), None);
    }
}
