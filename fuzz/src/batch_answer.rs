//! What `protocol.md` makes of the bytes that answer a batch, written down a second time.

use testing::frames::{BATCH_FACTOR, BATCH_ROLES, Batch, LU_ROW_MAJOR, NARROW_IPIV, NO_PIVOTING, Operand, ROW_MAJOR};
use testing::session_model::batch_sizes;

use super::mapped::{self, Greeting};
use super::model::{numbers, split_i64};
use super::response::{Outcome, Server};

/// Operands by number.
pub const A: usize = 0;
pub const LU: usize = 1;
pub const IPIV: usize = 2;
pub const B: usize = 3;
pub const X: usize = 4;
pub const INFO: usize = 5;
pub const RCOND: usize = 6;

/// The bytes of operands, by their number.
pub type Bytes = [Vec<u8>; 8];

/// The results in an answer.
pub enum Results<'a> {
    /// There are none, and the client returns this.
    None(Outcome),
    /// They end too early, and the client returns this.
    Cut(Outcome),
    /// All are there.
    Whole {
        /// Those that are wanted.
        bytes: Bytes,
        /// Whether a computation can have them.
        is_good: bool,
        /// What comes after them.
        rest: &'a [u8],
    },
}

/// What each operand is to a command.
pub fn roles(command: u8) -> [u8; 8] {
    *BATCH_ROLES[usize::from(command - BATCH_FACTOR)]
}

/// As many zeros as each result has bytes.
pub fn zeros(batch: &Batch) -> Bytes {
    let sizes = batch_sizes(batch, u64::MAX).expect("a good request");
    std::array::from_fn(|at| {
        let is_result = roles(batch.command)[at] != b'i' && batch.operands[at] != Operand::ABSENT;
        vec![0; if is_result { sizes[at].iter().product::<u128>() as usize } else { 0 }]
    })
}

/// The results in the answers to HELLO, to MAP if that was asked, and to a batch. If the batch is in mapped memory, which
/// nobody writes, they are the inputs that were there, and zeros.
pub fn results<'a>(batch: &Batch, inputs: &Bytes, server: &Server, answer: &'a [u8]) -> Results<'a> {
    read(batch, inputs, server, answer).unwrap_or_else(Results::None)
}

fn read<'a>(batch: &Batch, inputs: &Bytes, server: &Server, answer: &'a [u8]) -> Result<Results<'a>, Outcome> {
    let (max_bytes, is_mapped, rest) = greeting(server, answer, 2)?;
    batch_sizes(batch, max_bytes).map_err(|status| Outcome::RefusedWithWords(-status))?;
    let mut bytes = zeros(batch);
    let length = if is_mapped { 0 } else { bytes.iter().map(Vec::len).sum() };
    let (fixed, got, mut rest) = mapped::computed(server, rest, 16)?;
    let (singular, _) = split_i64(fixed).expect("the fixed part");
    let max_singular = bytes[INFO].len() as i64 / 8;
    if got != length as u64 || !(0..=max_singular).contains(&singular) {
        return Err(Outcome::OutOfStep);
    }
    if is_mapped {
        let is_set = |flag| batch.flags & flag != 0;
        if is_set(ROW_MAJOR) == is_set(LU_ROW_MAJOR) && !bytes[LU].is_empty() {
            bytes[LU].clone_from(&inputs[A]);
        }
        if roles(batch.command)[B] == b'i' {
            bytes[X].clone_from(&inputs[B]);
        }
    } else {
        for operand in &mut bytes {
            let Some((result, after)) = rest.split_at_checked(operand.len()) else {
                return Ok(Results::Cut(server.too_short()));
            };
            operand.copy_from_slice(result);
            rest = after;
        }
    }
    let is_good = is_good_info(batch, &bytes[INFO], singular) && are_good_rows(batch, &bytes[IPIV]);
    Ok(Results::Whole { bytes, is_good, rest })
}

/// The limit of the server, which must have this feature, and whether it has mapped memory.
pub fn greeting<'a>(server: &Server, answer: &'a [u8], feature: u8) -> Result<(u64, bool, &'a [u8]), Outcome> {
    let greeting = if server.is_asked {
        mapped::greeting(server, answer)?
    } else {
        Greeting { welcome: None, is_mapped: false, rest: answer }
    };
    let (welcome, rest) = match greeting.welcome {
        Some(welcome) => (Some(welcome), greeting.rest),
        None => match mapped::hello(server, greeting.rest) {
            Err(Outcome::Version1) => return Err(Outcome::Lacks { has_ended: true }),
            hello => hello?,
        },
    };
    match welcome.filter(|welcome| welcome.has(feature)) {
        Some(welcome) => Ok((welcome.max_bytes, greeting.is_mapped, rest)),
        None => Err(Outcome::Lacks { has_ended: false }),
    }
}

/// Whether these `info` are those of a batch with `singular` singular matrices.
fn is_good_info(batch: &Batch, info: &[u8], singular: i64) -> bool {
    let [_, m, n, _] = batch.sizes;
    let range = if batch.flags & NO_PIVOTING == 0 { 0..=m.min(n) } else { -m.min(n)..=0 };
    let info = numbers(info);
    info.iter().all(|info| range.contains(info)) && info.iter().filter(|&&info| info != 0).count() as i64 == singular
}

/// Whether row k is swapped with a row of its matrix that is not above it.
fn are_good_rows(batch: &Batch, ipiv: &[u8]) -> bool {
    let [_, m, n, _] = batch.sizes;
    let rows = if batch.flags & NARROW_IPIV == 0 {
        numbers(ipiv)
    } else {
        ipiv.chunks_exact(4).map(|row| i64::from(i32::from_le_bytes(row.try_into().expect("4 bytes"))) + 1).collect()
    };
    rows.into_iter().zip((1..=m.min(n)).cycle()).all(|(row, k)| (k..=m).contains(&row))
}
