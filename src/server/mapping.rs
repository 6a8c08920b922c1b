//! The requests MAP and UNMAP.

use std::io::{Read, Write};

use super::error::Cause;
use super::payload::Payload;
use super::state::State;
use crate::protocol::{MAP_BYTES, MapRequest, SEGMENT_BYTES};

/// MAP.
pub(super) fn map(payload: &mut Payload<'_, impl Read, impl Write>, state: &mut State) -> Result<(), Cause> {
    let request = payload.fixed::<MAP_BYTES>()?;
    payload.expect_left(0)?;
    let segment = state.store.segments.map(&MapRequest::parse(&request)?, state.limits.max_bytes)?;
    payload.answer(&[&segment.to_le_bytes()])
}

/// UNMAP.
pub(super) fn unmap(payload: &mut Payload<'_, impl Read, impl Write>, state: &mut State) -> Result<(), Cause> {
    let segment = payload.fixed::<SEGMENT_BYTES>()?;
    payload.expect_left(0)?;
    state.store.segments.unmap(u32::from_le_bytes(segment))?;
    payload.answer(&[])
}
