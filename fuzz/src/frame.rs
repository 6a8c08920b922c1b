//! The payloads of extended frames: FACTOR, MAP, the answer to HELLO, and where an operand is in a segment.

use recfact::protocol::{
    Extent, FACTOR_BYTES, FactorRequest, Factored, MAP_BYTES, MapRequest, OPERAND_BYTES, Place, WELCOME_BYTES, Welcome,
    payload_length,
};

use super::model::{numbers, split_i64};

/// What is accepted has its own bytes back, and means what 128-bit arithmetic says. The first byte chooses the parser.
pub fn frame(data: &[u8]) {
    let Some((&kind, data)) = data.split_first() else { return };
    match kind % 4 {
        0 => data.first_chunk().into_iter().for_each(factor),
        1 => data.first_chunk().into_iter().for_each(map),
        2 => data.first_chunk().into_iter().for_each(welcome),
        _ => operand(data),
    }
}

fn factor(bytes: &[u8; FACTOR_BYTES]) {
    let Ok(request) = FactorRequest::parse(bytes, 1 << 40) else { return };
    let mut again = request.to_bytes();
    // Any number below zero says that the CPU is not known.
    if request.cpu.is_none() {
        again[24..28].copy_from_slice(&bytes[24..28]);
    }
    assert_eq!(&again, bytes);
    assert!(request.shape.matrix_bytes() <= 1 << 40);
    for extent in [request.a_extent(), request.lu_extent()] {
        assert_eq!(extent.run * extent.count * extent.size, request.shape.matrix_bytes());
    }
    let answer = Factored { info: 7, cpu: request.cpu, spin: request.threads };
    assert_eq!(Factored::parse(&answer.to_bytes()), answer);
}

fn map(bytes: &[u8; MAP_BYTES]) {
    let Ok(request) = MapRequest::parse(bytes) else { return };
    assert_eq!(&request.to_bytes(), bytes);
    assert!(request.descriptor >= 0 && request.size > 0);
}

fn welcome(bytes: &[u8; WELCOME_BYTES]) {
    if let Some(welcome) = Welcome::parse(bytes) {
        assert_eq!(&welcome.to_bytes(), bytes);
    }
}

/// 32 bytes of a description, then the rows, columns, size of the segment, and a length.
fn operand(data: &[u8]) {
    let Some((bytes, data)) = data.split_first_chunk::<OPERAND_BYTES>() else { return };
    let place = Place::parse(bytes, "A");
    if let Ok(place) = place {
        assert_eq!(&place.to_bytes(), bytes);
    }
    let Some((length, _)) = split_i64(data) else { return };
    let limit = 1 << 20;
    assert_eq!(payload_length(length.to_le_bytes(), limit).is_ok(), (length as u64) <= 1 << 30);
    let (Ok(Place::Segment { offset, ld, .. }), [_, run, count, segment, ..]) = (place, &numbers(data)[..]) else {
        return;
    };
    let [run, count, segment] = [run, count, segment].map(|&number| number as u64 as usize & (usize::MAX >> 16));
    for size in [4, 8] {
        let extent = Extent { name: "A", run, count, size };
        let last = if count > 1 { (count as u128 - 1) * u128::from(ld) } else { 0 };
        let end = u128::from(offset) + (last + run as u128) * size as u128;
        let is_empty = run == 0 || count == 0;
        let is_good = end <= segment as u128 && (count < 2 || ld >= run as u64) && offset % size as u64 == 0;
        let range = extent.range(offset, ld, segment);
        assert_eq!(range.is_ok(), is_empty || is_good, "{extent:?}");
        if let (Ok(range), false) = (range, is_empty) {
            assert_eq!((range.start as u64, range.end as u128), (offset, end));
        }
    }
}
