//! Memory that the client and the server both see: what is mapped and what is refused, where matrices may stand in it,
//! and a client that changes them under the server's hands.

use std::fs::File;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::process::{self, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nix::fcntl::{FallocateFlags, FcntlArg, FdFlag, SealFlag, fallocate, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap};
use nix::unistd::ftruncate;
use testing::frames::*;
use testing::{Float, Kind, Random, bits, matrix, naive_lu};

use crate::frames::Frames;
use crate::harness::*;

/// A memfd, mapped in this process.
struct Segment {
    file: OwnedFd,
    start: *mut u8,
    size: usize,
}

// SAFETY: the memory is reached through the pointer, by whoever has the segment.
unsafe impl Sync for Segment {}

impl Segment {
    fn new(size: usize) -> Self {
        Segment::sealed(size, SealFlag::F_SEAL_SHRINK)
    }

    fn sealed(size: usize, seals: SealFlag) -> Self {
        let file = memfd_create("test", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING).unwrap();
        ftruncate(&file, size as i64).unwrap();
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        let length = NonZeroUsize::new(size).unwrap();
        // SAFETY: a new mapping aliases nothing of this process.
        let start = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, &file, 0) }.unwrap();
        if !seals.contains(SealFlag::F_SEAL_WRITE) {
            fcntl(&file, FcntlArg::F_ADD_SEALS(seals)).unwrap();
        }
        Segment { file, start: start.as_ptr().cast(), size }
    }

    fn write(&self, offset: usize, bytes: &[u8]) {
        assert!(offset + bytes.len() <= self.size);
        // SAFETY: the bytes lie in the mapping.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.add(offset), bytes.len()) };
    }

    fn read(&self, offset: usize, length: usize) -> Vec<u8> {
        assert!(offset + length <= self.size);
        // SAFETY: the bytes lie in the mapping.
        (0..length).map(|at| unsafe { self.start.add(offset + at).read_volatile() }).collect()
    }
}

/// The payload of MAP for a descriptor of this process.
fn map(segment: u32, descriptor: i32, size: usize) -> Vec<u8> {
    map_of(segment, 0, process::id() as i32, descriptor, size as i64)
}

fn map_of(segment: u32, flags: u32, process: i32, descriptor: i32, size: i64) -> Vec<u8> {
    let [a, b] = [segment, flags].map(u32::to_le_bytes);
    let [c, d] = [process, descriptor].map(i32::to_le_bytes);
    frame(0x18, &[&a[..], &b, &c, &d, &size.to_le_bytes()].concat())
}

fn mapped(server: &mut Frames, segment: &Segment) -> u32 {
    let (status, number) = server.ask(&map(0, segment.file.as_raw_fd(), segment.size));
    assert_eq!(status, 0, "{}", String::from_utf8_lossy(&number));
    u32::from_le_bytes(number.try_into().unwrap())
}

/// The child inherits the descriptor under its number.
fn inheriting(command: &mut Command, fd: BorrowedFd<'_>) -> Frames {
    fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
    let server = Frames::spawn(command);
    fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).unwrap();
    server
}

/// Where a test puts a matrix, its factors and its row swaps: each in the payload or at an offset.
#[derive(Debug, Clone, Copy)]
struct Places {
    a: Option<usize>,
    lu: Option<usize>,
    ipiv: Option<usize>,
    /// Elements between two columns, or two rows, of a matrix in the segment.
    pad: usize,
}

/// What stands between the columns, and around the operands.
const FILL: u8 = 0xa5;

fn check<T: Float>(server: &mut Frames, segment: &Segment, flags: u32, m: usize, n: usize, places: Places) {
    let what = format!("{m} x {n}, flags {flags:#x}, {places:?}, {} bytes", size_of::<T>());
    let (size, narrow) = (size_of::<T>(), flags & NARROW != 0);
    let a: Vec<T> = matrix(Kind::Ties, m, n, (m * 64 + n) as u64);
    let naive = naive_lu(&a, m, n, flags & NO_PIVOTING == 0);
    let (run, sent) = if flags & ROW_MAJOR == 0 { (m, a.clone()) } else { (n, by_rows(&a, m, n)) };
    let in_place = places.a.is_some() && places.a == places.lu;
    let (lda, ldlu) =
        if in_place { (m.max(n) + places.pad, m.max(n) + places.pad) } else { (run + places.pad, m + places.pad) };
    segment.write(0, &vec![FILL; segment.size]);
    let mut request = Factor { cpu: 0, ..Factor::new(flags, m, n) };
    if let Some(offset) = places.a {
        for (j, column) in sent.chunks(run.max(1)).enumerate() {
            let bytes: Vec<u8> = column.iter().flat_map(|x| x.le_bytes()).collect();
            segment.write(offset + j * lda * size, &bytes);
        }
        request.operands[0] = in_segment(1, offset as u64, lda as u64);
    }
    if let Some(offset) = places.lu {
        request.operands[1] = in_segment(1, offset as u64, ldlu as u64);
    }
    if let Some(offset) = places.ipiv {
        request.operands[2] = in_segment(1, offset as u64, 0);
    }
    let before = segment.read(0, segment.size);
    let sent = request.frame(if places.a.is_none() { &sent } else { &[] });
    server.0.send(&sent);
    let inline =
        [places.lu.map_or(m * n * size, |_| 0), places.ipiv.map_or(m.min(n) * if narrow { 4 } else { 8 }, |_| 0)];
    let answer = server.0.receive(32 + inline[0] + inline[1]);
    assert_eq!(answer[..16], [0_i64, 16 + (inline[0] + inline[1]) as i64].map(i64::to_le_bytes).concat(), "{what}");
    assert_eq!(answer[16..24], naive.info.to_le_bytes(), "{what}");

    // Everything but the results is as it was.
    let mut expected = before;
    let lu: Vec<u8> = naive.lu.iter().flat_map(|x| x.le_bytes()).collect();
    let ipiv = swaps(&naive.ipiv, narrow);
    match places.lu {
        Some(offset) => {
            for (j, column) in lu.chunks((m * size).max(1)).enumerate() {
                expected[offset + j * ldlu * size..][..column.len()].copy_from_slice(column);
            }
        }
        None => assert!(answer[32..][..inline[0]] == lu, "{what}"),
    }
    match places.ipiv {
        Some(offset) => expected[offset..][..ipiv.len()].copy_from_slice(&ipiv),
        None => assert_eq!(answer[32 + inline[0]..], ipiv, "{what}"),
    }
    assert!(segment.read(0, segment.size) == expected, "{what}");
}

#[test]
fn a_matrix_may_stand_anywhere_and_its_factors_have_the_naive_bits() {
    let segment = Segment::new(1 << 18);
    let (there, elsewhere, swaps) = (Some(4096), Some(131_072), Some(64));
    for isa in testing::instruction_sets() {
        let mut server = inheriting(command(&[]).env("RECFACT_ISA", isa), segment.file.as_fd());
        let inherited = map_of(0, 1, 0, segment.file.as_raw_fd(), segment.size as i64);
        assert_eq!(server.ask(&inherited), (0, 1_u32.to_le_bytes().to_vec()));
        for (m, n) in [(0, 2), (1, 1), (1, 5), (5, 1), (7, 7), (12, 30), (30, 12), (66, 66), (80, 70)] {
            for flags in [0, NARROW, ROW_MAJOR | CHECK_FINITE | NARROW, ROW_MAJOR | NO_PIVOTING] {
                for (a, lu) in [(there, there), (there, elsewhere), (there, None), (None, there), (None, None)] {
                    for (ipiv, pad) in [(swaps, 0), (None, 3)] {
                        let places = Places { a, lu, ipiv, pad };
                        check::<f64>(&mut server, &segment, flags, m, n, places);
                        check::<f32>(&mut server, &segment, flags | F32, m, n, places);
                    }
                }
            }
        }
        server.finish();
    }
}

#[test]
fn only_a_sealed_memfd_that_is_long_enough_is_mapped() {
    let mut server = Frames::start(&["--max-bytes", "1000000"]);
    let mut refuses = |descriptor: BorrowedFd<'_>, size: usize, words: &str| {
        server.refuses(&map(0, descriptor.as_raw_fd(), size), -8, words);
    };
    let good = Segment::new(8192);
    refuses(good.file.as_fd(), 8193, "expected a memfd of at least the size that is to be mapped");
    let growing = Segment::sealed(8192, SealFlag::F_SEAL_GROW);
    refuses(growing.file.as_fd(), 8192, "expected a memfd with F_SEAL_SHRINK");
    let unsealed = memfd_create("test", MFdFlags::MFD_CLOEXEC).unwrap();
    ftruncate(&unsealed, 8192).unwrap();
    refuses(unsealed.as_fd(), 8192, "expected a memfd with F_SEAL_SHRINK");
    let read_only = memfd_create("test", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING).unwrap();
    ftruncate(&read_only, 8192).unwrap();
    fcntl(&read_only, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_WRITE)).unwrap();
    let words = "expected to map the memfd for reading and writing, got: Operation not permitted (os error 1)";
    refuses(read_only.as_fd(), 8192, words);

    let folder = tempfile::tempdir().unwrap();
    let regular = File::create_new(folder.path().join("file")).unwrap();
    regular.set_len(8192).unwrap();
    refuses(regular.as_fd(), 8192, "expected a memfd with seals, got: Invalid argument (os error 22)");
    refuses(File::open(folder.path()).unwrap().as_fd(), 8192, "expected the descriptor of a memfd");
    refuses(std::io::pipe().unwrap().0.as_fd(), 8192, "expected the descriptor of a memfd");
    refuses(File::open("/dev/zero").unwrap().as_fd(), 8192, "expected the descriptor of a memfd");
    let gone = "expected to open the client's descriptor, got: No such file or directory (os error 2)";
    server.refuses(&map(0, 4000, 8192), -8, gone);
    server.refuses(&map_of(0, 0, i32::MAX, 3, 8192), -8, gone);
    assert_eq!(server.stats()["segments"], 0.0);
    server.finish();
}

#[test]
fn segments_are_counted_replaced_and_forgotten() {
    let mut server = Frames::start(&["--max-bytes", "1000000"]);
    let segment = Segment::new(1 << 20);
    for number in 1..=16 {
        assert_eq!(server.ask(&map(0, segment.file.as_raw_fd(), 4096)), (0, u32::to_le_bytes(number).to_vec()));
    }
    let words = "expected at most 16 segments, got another; UNMAP one first";
    server.refuses(&map(0, segment.file.as_raw_fd(), 4096), -8, words);
    let stats = server.stats();
    assert_eq!((stats["segments"], stats["segment_bytes"]), (16.0, 65536.0));
    for number in 2..=16_u32 {
        assert_eq!(server.ask(&frame(0x19, &number.to_le_bytes())), (0, vec![]));
        server.refuses(
            &frame(0x19, &number.to_le_bytes()),
            -8,
            &format!("expected the number of a segment, got {number}"),
        );
    }
    // Segment 1 grows, and its old memory does not count.
    assert_eq!(server.ask(&map(1, segment.file.as_raw_fd(), 1 << 20)), (0, vec![1, 0, 0, 0]));
    let large = Segment::new(3 << 20);
    let sum = "expected segments of at most 3048576 bytes together, got 4194304; --max-bytes sets the limit";
    server.refuses(&map(0, large.file.as_raw_fd(), 3 << 20), -3, sum);
    let places = Places { a: Some(0), lu: Some(0), ipiv: Some(1 << 19), pad: 0 };
    check::<f64>(&mut server, &segment, 0, 100, 100, places);
    let stats = server.stats();
    assert_eq!((stats["segments"], stats["segment_bytes"]), (1.0, 1048576.0));
    server.finish();
}

#[test]
fn operands_must_lie_in_their_segment_and_apart() {
    let segment = Segment::new(8192);
    let mut server = Frames::start(&[]);
    assert_eq!(mapped(&mut server, &segment), 1);
    let good = [in_segment(1, 0, 8), in_segment(1, 1024, 8), in_segment(1, 4096, 0)];
    let with = |at: usize, operand| {
        let mut request = Factor { operands: good, ..Factor::new(0, 8, 8) };
        request.operands[at] = operand;
        request.frame::<f64>(&[])
    };
    assert_eq!(server.ask(&with(0, good[0])).0, 0);
    let outside = |offset: u64| {
        format!("expected all elements in the segment of 8192 bytes, got some outside from offset {offset}")
    };
    for offset in [8192 - 511, 8192, u64::MAX, u64::MAX - 511, 1 << 63] {
        server.refuses(&with(0, in_segment(1, offset, 8)), -7, &format!("A: {}", outside(offset)));
    }
    for ld in [1 << 61, u64::MAX, 1000] {
        server.refuses(&with(0, in_segment(1, 0, ld)), -7, &format!("A: {}", outside(0)));
    }
    let words =
        "the place of ipiv: expected all elements in the segment of 8192 bytes, got some outside from offset 8136";
    server.refuses(&with(2, in_segment(1, 8136, 0)), -7, words);
    server.refuses(&with(0, in_segment(1, 0, 7)), -7, "A: expected a leading dimension of at least 8, got 7");
    server.refuses(&with(0, in_segment(1, 4, 8)), -7, "A: expected an offset that is a multiple of 8, got 4");
    let overlap = "expected memory of its own, got that of";
    for operand in [in_segment(1, 8, 8), in_segment(1, 0, 9)] {
        server.refuses(&with(1, operand), -7, &format!("the place of L and U: {overlap} A"));
    }
    server.refuses(
        &with(2, in_segment(1, 1024 + 504, 0)),
        -7,
        &format!("the place of ipiv: {overlap} the place of L and U"),
    );
    server.refuses(&with(2, in_segment(1, 504, 0)), -7, &format!("the place of ipiv: {overlap} A"));
    server.refuses(&with(1, in_segment(2, 0, 8)), -8, "expected the number of a segment, got 2");
    server.finish();
}

/// Pages that were given back read as zeros; a second server may map the same memory.
#[test]
fn a_hole_in_a_segment_and_a_second_server_are_no_reason_to_crash() {
    let segment = Segment::new(1 << 20);
    let mut servers = [Frames::start(&[]), Frames::start(&[])];
    for server in &mut servers {
        mapped(server, &segment);
        segment.write(0, &[1; 8 * 100 * 100]);
        let hole = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
        fallocate(&segment.file, hole, 0, 1 << 20).unwrap();
        let operands = [in_segment(1, 0, 100), in_segment(1, 0, 100), in_segment(1, 1 << 19, 0)];
        let (status, answer) = server.ask(&Factor { operands, ..Factor::new(0, 100, 100) }.frame::<f64>(&[]));
        assert_eq!((status, &answer[..8]), (0, &1_i64.to_le_bytes()[..]), "every pivot is zero");
    }
    servers.into_iter().for_each(Frames::finish);
}

/// Factors a matrix many times while another thread writes into it whatever it likes.
fn scribbled(server: &mut Frames, turns: usize, isa: &str) {
    let segment = Segment::new(1 << 20);
    mapped(server, &segment);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let segment = &segment;
        let done = &done;
        scope.spawn(move || {
            let (segment, mut random): (&Segment, _) = (segment, Random::new(9));
            let special = [f64::NAN, f64::INFINITY, 0.0, -0.0, 1.0, f64::MIN_POSITIVE / 8.0, f64::MAX, -1e-300];
            while !done.load(Ordering::Relaxed) {
                let at = random.below((1 << 19) / 8);
                // SAFETY: an element of the matrix; the server is to bear with it.
                unsafe { segment.start.cast::<f64>().add(at).write_volatile(special[random.below(8)]) };
            }
        });
        let mut random = Random::new(5);
        for turn in 0..turns {
            let sizes = [1, 3, 8, 9, 16, 33, 64, 65, 100, 130, 200, 240];
            let [m, n] = [0; 2].map(|_| sizes[random.below(sizes.len())]);
            let flags = [0, ROW_MAJOR, CHECK_FINITE, NO_PIVOTING][random.below(4)];
            let place = if turn % 2 == 0 { 0 } else { 1 << 19 };
            let ld = if place == 0 { m.max(n) } else { m } as u64;
            let lda = if place == 0 {
                ld
            } else if flags == ROW_MAJOR {
                n as u64
            } else {
                m as u64
            };
            let operands = [in_segment(1, 0, lda), in_segment(1, place, ld), in_payload()];
            let request = Factor { operands, threads: (turn % 3) as u32, ..Factor::new(flags, m, n) };
            let (status, answer) = server.ask(&request.frame::<f64>(&[]));
            if status == -9 {
                continue;
            }
            assert_eq!(status, 0, "{isa} {m} x {n}");
            let ipiv = answer[16..].chunks(8).map(|row| i64::from_le_bytes(row.try_into().unwrap()));
            for (i, row) in ipiv.enumerate() {
                assert!((i as i64 + 1..=m as i64).contains(&row), "{isa} {m} x {n}: ipiv({}) = {row}", i + 1);
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    // The server is as it was.
    let a: Vec<f64> = matrix(Kind::Uniform, 90, 80, 1);
    let response = expected(0, 90, 80, &a);
    assert!(server.0.ask(&request(0, 90, 80, &a), response.len()) == response);
    assert_eq!(bits(&a), bits(&matrix::<f64>(Kind::Uniform, 90, 80, 1)));
}

#[test]
fn a_matrix_that_changes_while_it_is_factored_harms_nobody() {
    for isa in testing::instruction_sets() {
        let mut server = Frames::spawn(command(&[]).env("RECFACT_ISA", isa));
        scribbled(&mut server, 3000, isa);
        server.finish();
    }
}

#[test]
fn valgrind_finds_no_bad_access_to_a_matrix_that_changes() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("NOT TESTED, valgrind is not installed: a matrix that changes while it is factored");
        return;
    }
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--error-exitcode=99"]).arg(executable()).env("RECFACT_ISA", "portable");
    valgrind.stdin(process::Stdio::piped()).stdout(process::Stdio::piped()).stderr(process::Stdio::piped());
    let mut server = Frames::spawn(&mut valgrind);
    scribbled(&mut server, 40, "portable under valgrind");
    server.finish();
}
