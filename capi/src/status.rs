//! What a call returns: a number for each reason to refuse it, and the message for that number.

use std::ffi::{CStr, c_int};

use library::Error;

/// Why a call was refused: `recfact_status` of the header without its success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum Status {
    NullPointer = 1,
    NegativeSize = 2,
    LeadingDimension = 3,
    Overflow = 4,
    Flag = 5,
    Pivot = 6,
    InstructionSet = 7,
    Misaligned = 8,
    NotFinite = 9,
    OutOfMemory = 10,
    Stride = 11,
}

/// The message for each number, from 0 on.
const MESSAGES: [&CStr; 12] = [
    c"success",
    c"expected arrays with elements, info and other results not to be NULL",
    c"expected count, m, n, nrhs, max_steps, anorm and threads to be at least 0",
    c"expected each leading dimension to be at least the number of rows, or of columns if the matrix is row-major",
    c"expected arrays whose size fits the address space, and rows whose numbers fit those of the pivots",
    c"expected pivoting to be 0 or 1, trans 'N', 'T' or 'C', norm '1', 'O' or 'I', and flags to have no unknown bit",
    c"expected ipiv to name rows of the matrix, counted from 1",
    c"expected the environment variable RECFACT_ISA to be an instruction set of this CPU",
    c"expected arrays aligned to their elements",
    c"expected a matrix of finite numbers, got one with a NaN or an infinity",
    c"expected memory for row swaps, for columns or for a matrix, got none from the system",
    c"expected the matrices of a batch not to overlap: a stride of at least the elements of a matrix",
];

/// The message for any number.
pub(crate) fn message(status: c_int) -> &'static CStr {
    usize::try_from(status).ok().and_then(|at| MESSAGES.get(at)).copied().unwrap_or(c"no status of recfact")
}

impl Status {
    /// The number that C sees.
    pub(crate) fn code(result: Result<(), Status>) -> c_int {
        result.err().map_or(0, |status| status as c_int)
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::InstructionSet { .. } => Status::InstructionSet,
            Error::Pivot { .. } => Status::Pivot,
            Error::LeadingDimension { .. } => Status::LeadingDimension,
            Error::NotFinite => Status::NotFinite,
            Error::OutOfMemory { .. } => Status::OutOfMemory,
            Error::Stride { .. } => Status::Stride,
            // Every other error is caught by the checks of the C arguments.
            _ => unreachable!("{error}"),
        }
    }
}
