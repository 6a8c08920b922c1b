//! The layouts of extended frames, one by one: the first byte of an input chooses which.

use recfact::Pivoting;
use recfact::protocol::{
    BatchKind, BatchOperand, BatchRequest, ElementType, Extent, FactorRequest, Factored, FilesAnswer, FilesKind,
    FilesRequest, FrameCommand, MapRequest, Owner, Place, Refusal, SystemAnswer, SystemKind, SystemOperand,
    SystemRequest, Welcome, is_frame, payload_length,
};
use testing::frames::{
    Batch, FACTOR_BYTES, FILES_FACTOR, FILES_SOLVE, Factor, Files, Map, NARROW_IPIV, NO_PIVOTING, Operand, ROW_MAJOR,
    SINGLE, SYSTEM_BYTES, System,
};

use testing::session_model;

use super::model::Request;

/// What is accepted is what `protocol.md` accepts, has its own bytes back, and no size overflows; a refusal has its status and
/// one line of words.
pub fn frame(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    match which {
        0 => factor(data),
        1 => map(data),
        2 => extent(data),
        3 => welcome(data),
        4 => factored(data),
        6 => batch(data),
        7 => system(data),
        8 => system_answer(data),
        9 => files(data),
        10 => files_answer(data),
        _ => head(data),
    }
}

/// FACTOR, then the limit of the server, if there are bytes for it.
fn factor(data: &[u8]) {
    let Some((bytes, rest)) = data.split_first_chunk::<FACTOR_BYTES>() else { return };
    let max_bytes = rest.first_chunk().map_or(u64::MAX, |limit| u64::from_le_bytes(*limit));
    let expected = expected(&Factor::parse(bytes), max_bytes);
    match (FactorRequest::parse(bytes, max_bytes), expected) {
        (Ok(request), Ok(sizes)) => {
            let again = request.to_bytes();
            // A CPU below zero is none, whatever its number.
            assert_eq!((&again[..24], &again[28..]), (&bytes[..24], &bytes[28..]));
            assert!(request.cpu.is_none() || again == *bytes);
            check(&request, &Factor::parse(bytes), &sizes);
        }
        (Err(refusal), Err(code)) => check_refusal(&refusal, code),
        (request, expected) => panic!("expected {expected:?}, got {request:?}"),
    }
}

/// What `protocol.md` says of the fixed part of a FACTOR.
fn expected(fixed: &Factor, max_bytes: u64) -> Result<Request, u8> {
    if fixed.flags & !0x705 != 0 || fixed.reserved != 0 {
        return Err(6);
    }
    let is_set = |flag: u32| fixed.flags & flag != 0;
    let request = Request { single: is_set(SINGLE), threaded: false, pivoting: !is_set(NO_PIVOTING), m: 0, n: 0 };
    let request = request.of_shape(fixed.m, fixed.n, max_bytes)?;
    if is_set(NARROW_IPIV) && fixed.m >= 1 << 31 {
        return Err(2);
    }
    if fixed.operands.iter().all(Operand::is_description) { Ok(request) } else { Err(7) }
}

fn check(request: &FactorRequest, fixed: &Factor, sizes: &Request) {
    let element = if sizes.single { ElementType::F32 } else { ElementType::F64 };
    let pivoting = if sizes.pivoting { Pivoting::Partial } else { Pivoting::None };
    assert_eq!((request.shape.element(), request.pivoting), (element, pivoting));
    let (is_row_major, is_narrow) = (fixed.flags & ROW_MAJOR != 0, fixed.flags & NARROW_IPIV != 0);
    assert_eq!((request.row_major, request.narrow_ipiv), (is_row_major, is_narrow));
    let in_payload = if fixed.operands[0].place == 1 { sizes.matrix_bytes() } else { 0 };
    assert_eq!(request.payload_bytes() as u128, in_payload);
    let (m, n, size) = (sizes.m, sizes.n, if sizes.single { 4 } else { 8 });
    let a = if is_row_major { [n, m, size] } else { [m, n, size] };
    let ipiv = [sizes.pivots(), 1, if is_narrow { 4 } else { 8 }];
    let extents = [request.a_extent(), request.lu_extent(), request.ipiv_extent()];
    for (Extent { run, count, size, .. }, expected) in extents.into_iter().zip([a, [m, n, size], ipiv]) {
        assert_eq!([run, count, size].map(|size| size as u128), expected);
    }
}

/// A command by its last digit, the fixed part of a batch, then the limit of the server, if there are bytes for it.
fn batch(data: &[u8]) {
    let Some((&number, data)) = data.split_first() else { return };
    let kind = BatchKind::ALL[usize::from(number) % BatchKind::ALL.len()];
    let Some((bytes, rest)) = data.split_first_chunk::<{ testing::frames::BATCH_BYTES }>() else { return };
    let max_bytes = rest.first_chunk().map_or(u64::MAX, |limit| u64::from_le_bytes(*limit));
    let fixed = Batch::parse(FrameCommand::Batch(kind).byte(), bytes);
    match (BatchRequest::parse(kind, bytes, max_bytes), session_model::batch_sizes(&fixed, max_bytes)) {
        (Ok(request), Ok(sizes)) => {
            let again = request.to_bytes();
            // A CPU below zero is none, whatever its number.
            assert_eq!((&again[..40], &again[44..]), (&bytes[..40], &bytes[44..]));
            assert!(request.cpu.is_none() || again == *bytes);
            for (operand, expected) in BatchOperand::ALL.into_iter().zip(sizes) {
                if request.place(operand).is_some() {
                    let Extent { run, count, matrices, size, .. } = request.extent(operand);
                    assert_eq!([run, count, matrices, size].map(|number| number as u128), expected, "{operand:?}");
                }
            }
        }
        (Err(refusal), Err(status)) => check_refusal(&refusal, -status as u8),
        (request, expected) => panic!("expected {expected:?}, got {request:?}"),
    }
}

/// A command by its last digit, the fixed part of a system, then the limit of the server, if there are bytes for it.
fn system(data: &[u8]) {
    let Some((&number, data)) = data.split_first() else { return };
    let kind = SystemKind::ALL[usize::from(number) % SystemKind::ALL.len()];
    let Some((bytes, rest)) = data.split_first_chunk::<SYSTEM_BYTES>() else { return };
    let max_bytes = rest.first_chunk().map_or(u64::MAX, |limit| u64::from_le_bytes(*limit));
    let fixed = System::parse(FrameCommand::System(kind).byte(), bytes);
    match (SystemRequest::parse(kind, bytes, max_bytes), session_model::system_sizes(&fixed, max_bytes)) {
        (Ok(request), Ok(sizes)) => {
            let again = request.to_bytes();
            // A CPU below zero is none, whatever its number.
            assert_eq!((&again[..24], &again[28..]), (&bytes[..24], &bytes[28..]));
            assert!(request.cpu.is_none() || again == *bytes);
            for (operand, expected) in SystemOperand::ALL.into_iter().zip(sizes) {
                if request.place(operand).is_some() {
                    let Extent { run, count, size, .. } = request.extent(operand);
                    assert_eq!([run, count, size].map(|number| number as u128), expected, "{operand:?}");
                }
            }
        }
        (Err(refusal), Err(status)) => check_refusal(&refusal, -status as u8),
        (request, expected) => panic!("expected {expected:?}, got {request:?}"),
    }
}

fn system_answer(data: &[u8]) {
    let Some(bytes) = data.first_chunk() else { return };
    let again = SystemAnswer::parse(bytes).to_bytes();
    // Numbers below zero are none; what the field between them says is not read.
    assert_eq!((&again[..8], &again[16..20], &again[24..]), (&bytes[..8], &bytes[16..20], &bytes[24..]));
}

fn map(data: &[u8]) {
    let Some(bytes) = data.first_chunk() else { return };
    let expected = Map::parse(bytes);
    let owner = match expected.flags {
        0 if expected.process > 0 => Some(Owner::Process(expected.process)),
        1 if expected.process == 0 => Some(Owner::Server),
        _ => None,
    };
    let is_good = owner.is_some() && expected.descriptor >= 0 && expected.size > 0;
    match MapRequest::parse(bytes) {
        Ok(request) => {
            assert!(is_good, "{request:?}");
            assert_eq!(request.to_bytes(), *bytes);
            assert_eq!((Some(request.owner), request.descriptor), (owner, expected.descriptor));
            assert_eq!((request.size as i64, request.segment.unwrap_or(0)), (expected.size, expected.segment));
        }
        Err(refusal) => {
            assert!(!is_good, "{refusal}");
            check_refusal(&refusal, 6);
        }
    }
}

/// The description of the matrices of an operand, the length and the number of their runs, the bytes of the segment, and if
/// there are bytes for it the number of matrices.
fn extent(data: &[u8]) {
    let Some((bytes, rest)) = data.split_first_chunk() else { return };
    let operand = Operand::parse(bytes);
    let place = match (Place::parse(bytes, "A"), Place::parse_matrices(bytes, "A")) {
        (single, Ok(place)) => {
            assert!(operand.is_description_of_matrices());
            assert_eq!(single.is_ok(), operand.is_description());
            place
        }
        (Ok(place), Err(refusal)) => panic!("{place:?}, {refusal}"),
        (Err(_), Err(refusal)) => {
            assert!(!operand.is_description_of_matrices(), "{refusal}");
            return check_refusal(&refusal, 7);
        }
    };
    assert_eq!(place.to_bytes(), *bytes);
    let (Place::Segment { offset, ld, distance, .. }, Some(sizes)) = (place, rest.first_chunk::<24>()) else { return };
    let u64_at = |bytes: &[u8]| bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let [run, count, segment] = [0, 8, 16].map(|at| u64_at(&sizes[at..]).expect("8 bytes"));
    let matrices = u64_at(&rest[24..]).unwrap_or(1);
    let size = 4 << (sizes[23] & 1);
    // As a request has them: in bytes all matrices are a number below 2^63.
    let elements = (u128::from(run) * u128::from(count)).saturating_mul(matrices.into());
    if elements.saturating_mul(size as u128) >= 1 << 63 || segment >= 1 << 63 {
        return;
    }
    let [run, count, matrices] = [run, count, matrices].map(|number| number as usize);
    let extent = Extent { name: "A", run, count, matrices, size };
    let is_empty = run == 0 || count == 0 || matrices == 0;
    let one = if is_empty { 0 } else { (count as u128 - 1) * if count > 1 { u128::from(ld) } else { 0 } + run as u128 };
    let last = if matrices > 1 { u128::from(distance).saturating_mul(matrices as u128 - 1) } else { 0 };
    let end = last.saturating_add(one).saturating_mul(size as u128).saturating_add(offset.into());
    let is_apart = (count < 2 || ld >= run as u64) && (matrices < 2 || u128::from(distance) >= one);
    let is_good = is_empty || is_apart && offset.is_multiple_of(size as u64) && end <= segment.into();
    match extent.range(offset, ld, distance, segment as usize) {
        Ok(range) => {
            assert!(is_good, "{range:?}");
            let expected = if is_empty { 0..0 } else { u128::from(offset)..end };
            assert_eq!(range.start as u128..range.end as u128, expected);
        }
        Err(refusal) => {
            assert!(!is_good, "{refusal}");
            check_refusal(&refusal, 7);
        }
    }
}

fn welcome(data: &[u8]) {
    let Some(bytes) = data.first_chunk() else { return };
    let welcome = Welcome::parse(bytes);
    assert_eq!(welcome.is_some(), bytes.starts_with(b"RECFACT\0"));
    assert!(welcome.is_none_or(|welcome| welcome.to_bytes() == *bytes));
}

fn factored(data: &[u8]) {
    let Some(bytes) = data.first_chunk() else { return };
    let factored = Factored::parse(bytes);
    let again = factored.to_bytes();
    assert_eq!((&again[..8], &again[12..]), (&bytes[..8], &bytes[12..]));
    assert_eq!(factored.cpu.is_some(), bytes[11] < 0x80);
    assert!(factored.cpu.is_none() || again == *bytes);
}

/// FILES_FACTOR or FILES_SOLVE, as the first byte says, without the names.
fn files(data: &[u8]) {
    let Some((which, rest)) = data.split_first() else { return };
    let (Some(bytes), Some(fixed)) = (rest.first_chunk(), Files::parse(rest)) else { return };
    let (kind, command) =
        if which % 2 == 0 { (FilesKind::Factor, FILES_FACTOR) } else { (FilesKind::Solve, FILES_SOLVE) };
    match FilesRequest::parse(kind, bytes) {
        Ok(request) => {
            assert!(fixed.is_good(command));
            assert_eq!((request.to_bytes(), request.payload_bytes()), (*bytes, fixed.name_bytes()));
        }
        Err(refusal) => {
            assert!(!fixed.is_good(command), "{refusal}");
            check_refusal(&refusal, 6);
        }
    }
}

fn files_answer(data: &[u8]) {
    let Some(bytes) = data.first_chunk() else { return };
    let again = FilesAnswer::parse(bytes).to_bytes();
    assert_eq!((&again[..52], &again[56..]), (&bytes[..52], &bytes[56..]));
}

/// A command, a length, a limit.
fn head(data: &[u8]) {
    let Some((&[byte, ref length @ ..], rest)) = data.split_first_chunk::<9>() else { return };
    let max_bytes = rest.first_chunk().map_or(u64::MAX, |limit| u64::from_le_bytes(*limit));
    let command = FrameCommand::from_byte(byte);
    assert!(command.is_none_or(|command| is_frame(byte) && command.byte() == byte));
    assert_eq!(command.is_some(), FrameCommand::ALL.iter().any(|command| command.byte() == byte));
    let length = u64::from_le_bytes(*length);
    match payload_length(length.to_le_bytes(), max_bytes) {
        Ok(got) => assert_eq!(got, length),
        Err(refusal) => {
            assert!(length > 1 << 30 && u128::from(length) > u128::from(max_bytes) + (64 << 10), "{refusal}");
            check_refusal(&refusal, 10);
        }
    }
    if let Some(command) = command {
        assert_eq!(command.head(length as usize), data[..9]);
    }
}

fn check_refusal(refusal: &Refusal, code: u8) {
    assert_eq!((refusal.code(), refusal.status()), (code, -i64::from(code)), "{refusal}");
    let message = refusal.to_string();
    assert!(message.contains("expected ") && !message.contains(char::is_control), "{message}");
}
