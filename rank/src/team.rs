//! All ranks, as a list: what they agree on, and what they tell each other.

use std::ffi::c_int;

use nix::unistd::gethostname;
use recfact_distributed::Fault;

use crate::failure::Failure;
use crate::launcher::Launcher;
use crate::libraries::{Libraries, functions};

/// An integer of Fortran.
pub type Int = c_int;

/// A string of Fortran with one character, and its length.
pub const ONE: usize = 1;
const ALL: *const u8 = c"A".as_ptr().cast();
const ANY_TOPOLOGY: *const u8 = c" ".as_ptr().cast();

/// A function of BLACS for the smallest or the largest number: context, scope, topology, m, n, A, lda, ranks of the results, their leading
/// dimension, row and column of the rank that gets it.
type Extreme<T> = unsafe extern "C" fn(
    *const Int,
    *const u8,
    *const u8,
    *const Int,
    *const Int,
    *mut T,
    *const Int,
    *mut Int,
    *mut Int,
    *const Int,
    *const Int,
    *const Int,
    usize,
    usize,
);

/// A function of BLACS for sums: context, scope, topology, m, n, A, lda, row and column of the rank that gets them.
pub type Sum<T> = unsafe extern "C" fn(
    *const Int,
    *const u8,
    *const u8,
    *const Int,
    *const Int,
    *mut T,
    *const Int,
    *const Int,
    *const Int,
    usize,
    usize,
);

functions! {
    /// BLACS: messages between ranks.
    Blacs:
    blacs_pinfo(*mut Int, *mut Int);
    blacs_get(*const Int, *const Int, *mut Int);
    blacs_gridinit(*mut Int, *const u8, *const Int, *const Int, usize);
    blacs_barrier(*const Int, *const u8, usize);
    blacs_exit(*const Int);
    igamn2d(*const Int, *const u8, *const u8, *const Int, *const Int, *mut Int, *const Int, *mut Int, *mut Int, *const Int, *const Int, *const Int, usize, usize);
    dgamx2d(*const Int, *const u8, *const u8, *const Int, *const Int, *mut f64, *const Int, *mut Int, *mut Int, *const Int, *const Int, *const Int, usize, usize);
    igsum2d(*const Int, *const u8, *const u8, *const Int, *const Int, *mut Int, *const Int, *const Int, *const Int, usize, usize);
    igebs2d(*const Int, *const u8, *const u8, *const Int, *const Int, *const Int, *const Int, usize, usize);
    igebr2d(*const Int, *const u8, *const u8, *const Int, *const Int, *mut Int, *const Int, *const Int, *const Int, usize, usize);
}

/// All ranks, in a row.
pub struct Team {
    pub libraries: Libraries,
    blacs: Blacs,
    context: Int,
    rank: u32,
    ranks: u32,
    /// The name of the host, for messages.
    host: String,
}

impl Team {
    /// Starts MPI, and joins all ranks.
    ///
    /// # Errors
    /// If a function is missing, or if MPI has another number of ranks than the launcher has started: then every one of them would take
    /// itself for the only one, and they would all write the same files.
    pub fn join(libraries: Libraries, launcher: &Launcher) -> Result<Self, Failure> {
        let blacs = Blacs::load(&libraries, |name| format!("{name}_"))?;
        let (mut rank, mut ranks) = (0, 0);
        // SAFETY: both are integers; the first call of BLACS starts MPI.
        unsafe { (blacs.blacs_pinfo)(&mut rank, &mut ranks) };
        if ranks.unsigned_abs() != launcher.ranks {
            return Err(Failure::engine(format_args!(
                "expected {} ranks, as the launcher has started, got {ranks} in MPI; the launcher and the library belong to different MPIs: use mpirun.openmpi with libscalapack-openmpi, mpirun.mpich with libscalapack-mpich",
                launcher.ranks
            )));
        }
        let host = gethostname().map_or_else(|_| "a host".into(), |name| name.to_string_lossy().into_owned());
        let mut team =
            Team { libraries, blacs, context: 0, rank: rank.unsigned_abs(), ranks: ranks.unsigned_abs(), host };
        team.context = team.context(1, team.ranks);
        Ok(team)
    }

    /// The number of this rank, counted from 0.
    pub fn rank(&self) -> u32 {
        self.rank
    }

    /// How many there are.
    pub fn ranks(&self) -> u32 {
        self.ranks
    }

    /// The context in which all ranks are in one row, in their order.
    pub fn row(&self) -> Int {
        self.context
    }

    /// A new context of all ranks, row by row.
    pub fn context(&self, rows: u32, columns: u32) -> Int {
        assert_eq!(rows * columns, self.ranks, "a context has all ranks");
        let mut context = 0;
        // SAFETY: the system context is asked for (0, of any context), and then made a grid; the length of "R" is 1.
        unsafe {
            (self.blacs.blacs_get)(&-1, &0, &mut context);
            (self.blacs.blacs_gridinit)(
                &mut context,
                c"R".as_ptr().cast(),
                &rows.cast_signed(),
                &columns.cast_signed(),
                ONE,
            );
        }
        context
    }

    /// Waits until all ranks are here.
    pub fn barrier(&self) {
        // SAFETY: the context is that of all ranks.
        unsafe { (self.blacs.blacs_barrier)(&self.context, ALL, ONE) };
    }

    /// The smallest number of all ranks; none of them is negative.
    pub fn min(&self, number: Int) -> Int {
        // SAFETY: the function is that of integers.
        unsafe { self.extreme(self.blacs.igamn2d, number) }
    }

    /// The largest number of all ranks; none of them is negative.
    pub fn max(&self, number: f64) -> f64 {
        // SAFETY: the function is that of doubles.
        unsafe { self.extreme(self.blacs.dgamx2d, number) }
    }

    /// The smallest or the largest number of all ranks.
    ///
    /// # Safety
    /// The function is one of BLACS for this type.
    unsafe fn extreme<T>(&self, function: Extreme<T>, number: T) -> T {
        let (mut extreme, mut unused) = (number, [0; 2]);
        let [row, column] = &mut unused;
        let (context, one, none) = (&self.context, &1, &-1);
        // SAFETY: one number; no ranks of it are wanted (-1), and every rank gets it (-1, -1).
        unsafe {
            function(context, ALL, ANY_TOPOLOGY, one, one, &mut extreme, one, row, column, none, none, none, ONE, ONE);
        }
        extreme
    }

    /// The sums of the numbers of all ranks, one by one.
    pub fn sum(&self, numbers: &mut [Int]) {
        // SAFETY: the function is that of integers.
        unsafe { self.sum_by(self.blacs.igsum2d, numbers) }
    }

    /// The same for any type, in pieces that can be counted.
    ///
    /// # Safety
    /// The function is one of BLACS for this type.
    pub unsafe fn sum_by<T>(&self, function: Sum<T>, numbers: &mut [T]) {
        const PIECE: usize = 1 << 20;
        let (context, one, none) = (&self.context, &1, &-1);
        for piece in numbers.chunks_mut(PIECE) {
            let count = &(piece.len() as Int);
            // SAFETY: as many numbers as are said, in one column; every rank gets the sums.
            unsafe {
                function(context, ALL, ANY_TOPOLOGY, count, one, piece.as_mut_ptr(), count, none, none, ONE, ONE);
            }
        }
    }

    /// Gives every rank the numbers of one.
    pub fn broadcast(&self, from: u32, numbers: &mut [Int]) {
        let count = Int::try_from(numbers.len()).expect("a list that can be counted");
        let (lda, from_column) = (count.max(1), from.cast_signed());
        // SAFETY: as many integers as are said, in one column, on every rank; the ranks are in row 0.
        unsafe {
            if self.rank == from {
                let numbers = numbers.as_ptr();
                (self.blacs.igebs2d)(&self.context, ALL, ANY_TOPOLOGY, &count, &1, numbers, &lda, ONE, ONE);
            } else {
                let numbers = numbers.as_mut_ptr();
                (self.blacs.igebr2d)(
                    &self.context,
                    ALL,
                    ANY_TOPOLOGY,
                    &count,
                    &1,
                    numbers,
                    &lda,
                    &0,
                    &from_column,
                    ONE,
                    ONE,
                );
            }
        }
    }

    /// The end of a step that may have failed on some ranks: it has failed on all of them if it has on one, with the words of the
    /// first that it failed on.
    ///
    /// # Errors
    /// That failure.
    pub fn agree<T>(&self, step: Result<T, Failure>) -> Result<T, Failure> {
        let failing = self.min(if step.is_err() { self.rank.cast_signed() } else { Int::MAX });
        if failing == Int::MAX {
            return step;
        }
        let first = failing.unsigned_abs();
        let own = step.err().map_or_else(Vec::new, |failure| {
            let place = format!("rank {} of {} on {}", self.rank, self.ranks, self.host);
            packed(&failure.at(place))
        });
        let mut length = [own.len() as Int];
        self.broadcast(first, &mut length);
        let mut words = own;
        words.resize(length[0].unsigned_abs() as usize, 0);
        self.broadcast(first, &mut words);
        Err(unpacked(&words))
    }

    /// Ends MPI.
    pub fn leave(&self) {
        // SAFETY: 0 says that MPI is to be ended.
        unsafe { (self.blacs.blacs_exit)(&0) };
    }
}

/// A failure as numbers: its kind, then its bytes.
fn packed(failure: &Failure) -> Vec<Int> {
    let kind = Fault::ALL.iter().position(|&fault| fault == failure.fault).expect("a kind of the list");
    [kind as Int].into_iter().chain(failure.text.bytes().map(Int::from)).collect()
}

/// The failure that these numbers are.
fn unpacked(numbers: &[Int]) -> Failure {
    let (kind, text) = numbers.split_first().map_or((0, &[][..]), |(kind, text)| (*kind as usize, text));
    let bytes: Vec<u8> = text.iter().map(|&byte| byte as u8).collect();
    let fault = Fault::ALL.get(kind).copied().unwrap_or(Fault::Engine);
    Failure { fault, text: String::from_utf8_lossy(&bytes).into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_comes_back_from_numbers() {
        for fault in Fault::ALL {
            let failure = Failure { fault, text: "rank 0 of 2 on h\u{f6}st: no".into() };
            assert_eq!(unpacked(&packed(&failure)), failure);
        }
    }
}
