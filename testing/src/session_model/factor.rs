//! FACTOR: where its operands are, and what it makes of them.

use super::operands::{Extent, Found, PAYLOAD};
use super::{BAD_OPERAND, Expected, MALFORMED, NOT_FINITE, Session, Stop};
use crate::frames::{FACTOR_BYTES, Factor, MUST_BE_FINITE, NARROW_IPIV, NO_PIVOTING, Operand, ROW_MAJOR, SINGLE};
use crate::image::Image;
use crate::oracle::{Float, naive_lu};
use crate::version1::Request;

impl Session {
    pub(super) fn factor(&mut self, payload: &[u8]) -> Result<Expected, Stop> {
        let fixed = Factor::parse(payload.get(..FACTOR_BYTES).ok_or(MALFORMED)?);
        let is_set = |flag: u32| fixed.flags & flag != 0;
        if fixed.flags & !0x705 != 0 || fixed.reserved != 0 {
            return Err(MALFORMED);
        }
        let request = Request { single: is_set(SINGLE), threaded: false, pivoting: !is_set(NO_PIVOTING), m: 0, n: 0 };
        let request = request.of_shape(fixed.m, fixed.n, self.max_bytes);
        let request = request.map_err(|code| Stop::Status(-i64::from(code)))?;
        if is_set(NARROW_IPIV) && fixed.m >= 1 << 31 {
            return Err(Stop::Status(-2));
        }
        if !fixed.operands.iter().all(Operand::is_description) {
            return Err(BAD_OPERAND);
        }
        let in_payload = if fixed.operands[0].place == PAYLOAD { request.matrix_bytes() } else { 0 };
        if payload.len() as u128 != FACTOR_BYTES as u128 + in_payload {
            return Err(MALFORMED);
        }
        let elements = &payload[FACTOR_BYTES..];
        if request.single {
            self.factor_elements::<f32>(&fixed, &request, elements)
        } else {
            self.factor_elements::<f64>(&fixed, &request, elements)
        }
    }

    fn factor_elements<T: Float>(
        &mut self,
        fixed: &Factor,
        request: &Request,
        payload: &[u8],
    ) -> Result<Expected, Stop> {
        let extents = extents::<T>(fixed, request);
        let same_place = fixed.operands[0] == fixed.operands[1];
        let [a, lu, ipiv] = self.find(&fixed.operands, &extents, |other, at| same_place && (other, at) == (0, 1))?;

        let matrix = self.read::<T>(fixed, extents[0], a.as_ref(), payload)?;
        if fixed.flags & MUST_BE_FINITE != 0 && matrix.iter().any(|&x| !x.into().is_finite()) {
            if let (Some(lu), false) = (lu, same_place) {
                let image = self.image(&lu);
                let elements = extents[1].elements(&lu);
                elements.for_each(|at| image.forget(at, size_of::<T>()));
            }
            return Err(NOT_FINITE);
        }
        let naive = naive_lu(&matrix, request.m as usize, request.n as usize, request.pivoting);

        let mut answer = Image::from(naive.info.to_le_bytes().to_vec());
        // The server tells its CPU to a client that tells its own; it does not look for the next request.
        answer.extend(&(-1_i32).to_le_bytes());
        if fixed.cpu >= 0 {
            answer.forget(8, 4);
        }
        answer.extend(&0_u32.to_le_bytes());
        match lu {
            None => naive.lu.iter().for_each(|&x| answer.extend_element(x)),
            Some(lu) => {
                let image = self.image(&lu);
                let elements = extents[1].elements(&lu);
                elements.zip(&naive.lu).for_each(|(at, &x)| image.write_element(at, x));
            }
        }
        let swaps: Vec<u8> = if fixed.flags & NARROW_IPIV != 0 {
            naive.ipiv.iter().flat_map(|&row| (row as i32 - 1).to_le_bytes()).collect()
        } else {
            naive.ipiv.iter().flat_map(|row| row.to_le_bytes()).collect()
        };
        match ipiv {
            None => answer.extend(&swaps),
            Some(ipiv) => self.image(&ipiv).write(ipiv.range.start, &swaps),
        }
        Ok(Expected::Data(answer))
    }

    /// A by columns.
    fn read<T: Float>(
        &self,
        fixed: &Factor,
        extent: Extent,
        found: Option<&Found>,
        payload: &[u8],
    ) -> Result<Vec<T>, Stop> {
        let elements: Option<Vec<T>> = match found {
            None => Some(payload.chunks_exact(size_of::<T>()).map(T::from_le).collect()),
            Some(found) => {
                let image = self.file(found.descriptor);
                extent.elements(found).map(|at| image.element(at)).collect()
            }
        };
        let elements = elements.ok_or(Stop::Unpredictable)?;
        if fixed.flags & ROW_MAJOR == 0 || elements.is_empty() {
            return Ok(elements);
        }
        let (m, n) = (fixed.m as usize, fixed.n as usize);
        Ok((0..n).flat_map(|j| (0..m).map(move |i| i * n + j)).map(|at| elements[at]).collect())
    }
}

/// How A, the factors and the row swaps lie in memory.
fn extents<T: Float>(fixed: &Factor, request: &Request) -> [Extent; 3] {
    let (m, n, size) = (request.m, request.n, size_of::<T>() as u128);
    let (run, count) = if fixed.flags & ROW_MAJOR == 0 { (m, n) } else { (n, m) };
    let integer = if fixed.flags & NARROW_IPIV == 0 { 8 } else { 4 };
    [
        Extent { run, count, matrices: 1, size },
        Extent { run: m, count: n, matrices: 1, size },
        Extent { run: request.pivots(), count: 1, matrices: 1, size: integer },
    ]
}
