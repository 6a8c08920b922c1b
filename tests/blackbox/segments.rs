//! Memory that the client and the server both see: what cannot be mapped, what is limited, and what stays when a process
//! ends.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use nix::fcntl::{FallocateFlags, FcntlArg, FdFlag, fallocate, fcntl};
use nix::unistd::pipe2;
use testing::Memfd;
use testing::frames::*;
use testing::memfd::SealFlag;

use crate::harness::*;
use crate::modelled::{MAX_BYTES, Modelled};

/// What a server says to a MAP that it refuses; it must answer the next request.
fn refusal(session: &mut Modelled, map: Map) -> String {
    let message = session.refuses(&map.frame(), -8);
    session.ask(&frame(PING, b"still there"));
    message
}

#[test]
fn what_is_no_sealed_memfd_cannot_be_mapped() {
    let folder = tempfile::tempdir().unwrap();
    let regular = File::create_new(folder.path().join("file")).unwrap();
    regular.set_len(8192).unwrap();
    let shm = tempfile::tempfile_in("/dev/shm").unwrap();
    shm.set_len(8192).unwrap();
    let unsealed = Memfd::with_seals(8192, SealFlag::empty());
    let grows_not = Memfd::with_seals(8192, SealFlag::F_SEAL_GROW);
    let (reader, _writer) = pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap();
    let directory = File::open("/").unwrap();
    let devices = ["/dev/zero", "/dev/null"].map(|path| OpenOptions::new().read(true).write(true).open(path).unwrap());
    let mut session = Modelled::start();
    let kind = "expected the descriptor of a memfd";
    for (descriptor, expected) in [
        (reader.as_raw_fd(), kind),
        (directory.as_raw_fd(), kind),
        (devices[0].as_raw_fd(), kind),
        (devices[1].as_raw_fd(), kind),
        (unsealed.descriptor(), "expected a memfd with F_SEAL_SHRINK"),
        (grows_not.descriptor(), "expected a memfd with F_SEAL_SHRINK"),
        (shm.as_raw_fd(), "expected a memfd with F_SEAL_SHRINK"),
    ] {
        assert_eq!(refusal(&mut session, Map::of_this_process(descriptor, 8192)), expected, "{descriptor}");
    }
    // A temporary file has seals if /tmp is in memory. On a disk the system refuses the question.
    let said = refusal(&mut session, Map::of_this_process(regular.as_raw_fd(), 8192));
    assert!(
        said.starts_with("expected a memfd with seals, got: ") || said == "expected a memfd with F_SEAL_SHRINK",
        "{said}"
    );
    session.finish();
}

#[test]
fn a_memfd_that_does_not_fit_the_request_cannot_be_mapped() {
    let mut session = Modelled::start();
    let short = Memfd::new(8191);
    let said = refusal(&mut session, Map::of_this_process(short.descriptor(), 8192));
    assert_eq!(said, "expected a memfd of at least the size that is to be mapped");
    // Sealed against writing, also by the server.
    let constant = Memfd::with_seals(8192, SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_WRITE);
    let said = refusal(&mut session, Map::of_this_process(constant.descriptor(), 8192));
    assert!(said.starts_with("expected ") && said.ends_with("Operation not permitted (os error 1)"), "{said}");
    // Opened for reading only: the server opens the file anew, so that does not matter.
    let memory = Memfd::new(8192);
    let read_only = File::open(format!("/proc/self/fd/{}", memory.descriptor())).unwrap();
    session.model.add_file(read_only.as_raw_fd(), true, vec![0; 8192]);
    session.ask(&Map::of_this_process(read_only.as_raw_fd(), 8192).frame());
    session.finish();
}

#[test]
fn descriptors_and_processes_that_are_not_there_are_refused() {
    let mut session = Modelled::start();
    let memory = Memfd::new(8192);
    let ours = Map::of_this_process(memory.descriptor(), 8192);
    let gone = "expected to open the client's descriptor, got: No such file or directory (os error 2)";
    assert_eq!(refusal(&mut session, Map { descriptor: i32::MAX, ..ours }), gone);
    assert_eq!(refusal(&mut session, Map { process: i32::MAX, ..ours }), gone);
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    assert_eq!(refusal(&mut session, Map { process: child.id() as i32, ..ours }), gone);
    // It has not inherited this one, since that is close-on-exec; and what it has is a pipe.
    let said = refusal(&mut session, Map::inherited(memory.descriptor().max(100), 8192));
    assert_eq!(said, "expected a descriptor that the server has inherited, got: Bad file descriptor (os error 9)");
    for descriptor in 0..3 {
        assert_eq!(refusal(&mut session, Map::inherited(descriptor, 8192)), "expected the descriptor of a memfd");
    }
    session.finish();
}

/// A server that runs as another user may not look into this process.
#[test]
fn without_permission_nothing_is_mapped() {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        eprintln!("NOT TESTED, it takes root to start a server as another user: permission to map");
        return;
    }
    // Another user may have no way to the executable where it was built.
    let folder = tempfile::Builder::new().prefix("recfact").tempdir_in("/tmp").unwrap();
    let copy = folder.path().join("recfact_server");
    fs::copy(executable(), &copy).unwrap();
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = Command::new(copy);
    command.uid(65_534).gid(65_534).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = Server::spawn(&mut command);
    let memory = Memfd::new(8192);
    let answer = server.ask_frame(&Map::of_this_process(memory.descriptor(), 8192).frame());
    let said = String::from_utf8_lossy(&answer[16..]);
    assert_eq!(said, "expected to open the client's descriptor, got: Permission denied (os error 13)");
    assert_eq!(answer[..8], (-8_i64).to_le_bytes());
    assert_eq!(server.ask_frame(&frame(PING, b"?"))[16..], *b"?");
    assert!(server.finish().0.success());
}

/// A server that inherits a memfd under the number that it has here.
fn heir(memory: &Memfd) -> Server {
    let descriptor = memory.descriptor();
    let mut command = command(&[]);
    let inherit = move || {
        // SAFETY: the descriptor is open for as long as the caller's borrow, which outlives the start.
        let borrowed = unsafe { std::os::fd::BorrowedFd::borrow_raw(descriptor) };
        fcntl(borrowed, FcntlArg::F_SETFD(FdFlag::empty())).map(drop).map_err(io::Error::from)
    };
    // SAFETY: between fork and exec it makes one system call and allocates nothing.
    unsafe { command.pre_exec(inherit) };
    Server::spawn(&mut command)
}

#[test]
fn an_inherited_descriptor_is_mapped_and_needs_no_permission() {
    let memory = Memfd::new(4096);
    let mut server = heir(&memory);
    memory.write(0, &[4.0_f64, 6.0, 3.0, 3.0].map(f64::to_le_bytes).concat());
    assert_eq!(server.ask_frame(&Map::inherited(memory.descriptor(), 4096).frame())[16..], [1, 0, 0, 0]);
    let place = Operand::in_segment(1, 0, 2);
    let operands = [place, place, Operand::in_segment(1, 64, 0)];
    server.ask_frame(&Factor { operands, ..Factor::in_payload(NARROW_IPIV, 2, 2) }.frame::<f64>(&[]));
    assert_eq!(memory.read(0, 32), [6.0, 4.0 / 6.0, 3.0, 1.0].map(f64::to_le_bytes).concat());
    assert_eq!(memory.read(64, 8), [1, 0, 0, 0, 1, 0, 0, 0]);
    assert!(server.finish().0.success());
}

#[test]
fn the_number_of_segments_and_their_sum_are_limited() {
    let mut session = Modelled::start();
    let memory = Memfd::new(4096);
    for number in 1..=16 {
        assert_eq!(session.map(&memory, vec![0; 4096]), number);
    }
    let map = Map::of_this_process(memory.descriptor(), 4096);
    assert_eq!(refusal(&mut session, map), "expected at most 16 segments, got another; UNMAP one first");
    session.ask(&frame(UNMAP, &7_u32.to_le_bytes()));
    assert_eq!(session.refuses(&frame(UNMAP, &7_u32.to_le_bytes()), -8), "expected the number of a segment, got 7");
    assert_eq!(session.map(&memory, vec![0; 4096]), 7, "the first number that is free");
    for segment in [0, 17, u32::MAX] {
        let said = session.refuses(&frame(UNMAP, &segment.to_le_bytes()), -8);
        assert_eq!(said, format!("expected the number of a segment, got {segment}"));
    }
    for segment in [17, u32::MAX] {
        assert_eq!(
            refusal(&mut session, Map { segment, ..map }),
            format!("expected the number of a segment, got {segment}")
        );
    }
    // Twice the limit and 1 MiB for all; what a replaced segment has had does not count.
    let max = 2 * MAX_BYTES as usize + (1 << 20);
    let large = Memfd::new(max);
    session.model.add_file(large.descriptor(), true, vec![0; max]);
    let first = Map { segment: 1, ..Map::of_this_process(large.descriptor(), (max - 15 * 4096) as i64) };
    session.ask(&first.frame());
    let said = session.refuses(&Map { size: first.size + 1, ..first }.frame(), -3);
    let bytes = max + 1;
    assert_eq!(
        said,
        format!("expected segments of at most {max} bytes together, got {bytes}; --max-bytes sets the limit")
    );
    session.refuses(&Map { size: i64::MAX, ..first }.frame(), -3);
    session.finish();
}

#[test]
fn a_segment_grows_and_what_is_in_it_stays() {
    let mut session = Modelled::start();
    let memory = Memfd::new(4096);
    session.map(&memory, vec![1; 4096]);
    memory.0.set_len(64 << 10).unwrap();
    let place = Operand::in_segment(1, 8192, 30);
    let factor = Factor { operands: [place, place, Operand::PAYLOAD], ..Factor::in_payload(0, 30, 30) };
    session.refuses(&factor.frame::<f64>(&[]), -7);
    session.model.add_file(memory.descriptor(), true, [vec![1; 4096], vec![0; 60 << 10]].concat());
    let map = Map { segment: 1, ..Map::of_this_process(memory.descriptor(), 64 << 10) };
    session.ask(&map.frame());
    session.ask(&factor.frame::<f64>(&[]));
    session.check_memory(&memory);
    // A size that the file does not have changes nothing.
    session.refuses(&Map { size: 65_537, ..map }.frame(), -8);
    session.ask(&factor.frame::<f64>(&[]));
    // The memory of another file, and a smaller one.
    let other = Memfd::new(8193);
    session.model.add_file(other.descriptor(), true, vec![0; 8193]);
    session.ask(&Map { segment: 1, ..Map::of_this_process(other.descriptor(), 8193) }.frame());
    session.refuses(&factor.frame::<f64>(&[]), -7);
    session.ask(&frame(STATS, &[]));
    session.finish();
}

#[test]
fn two_servers_see_the_same_segment() {
    let memory = Memfd::new(4096);
    let [mut first, mut second] = [0, 1].map(|_| Modelled::start());
    first.map(&memory, vec![0; 4096]);
    let a: Vec<u8> = (0..9).flat_map(|at| f64::from(at * at % 7).to_le_bytes()).collect();
    first.write(&memory, 0, &a);
    let place = Operand::in_segment(1, 0, 3);
    let operands = [place, place, Operand::in_segment(1, 72, 0)];
    let factor = Factor { operands, ..Factor::in_payload(0, 3, 3) }.frame::<f64>(&[]);
    first.ask(&factor);
    first.check_memory(&memory);
    // The second one factors the factors.
    second.map(&memory, memory.read(0, 4096));
    second.ask(&factor);
    second.check_memory(&memory);
    first.finish();
    second.ask(&factor);
    second.check_memory(&memory);
    second.finish();
}

#[test]
fn a_hole_reads_as_zeros_and_a_file_cannot_shrink() {
    let mut session = Modelled::start();
    let memory = Memfd::new(64 << 10);
    session.map(&memory, vec![0x3f; 64 << 10]);
    assert_eq!(memory.0.set_len(100).unwrap_err().raw_os_error(), Some(nix::libc::EPERM));
    let flags = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
    fallocate(&memory.0, flags, 4096, 32 << 10).unwrap();
    session.model.write(memory.descriptor(), 4096, &vec![0; 32 << 10]);
    for offset in [0, 4096, 20_000, 30_000] {
        let place = Operand::in_segment(1, offset, 60);
        let operands = [place, place, Operand::in_segment(1, 60_000, 0)];
        session.ask(&Factor { operands, ..Factor::in_payload(0, 60, 60) }.frame::<f64>(&[]));
        session.check_memory(&memory);
    }
    session.finish();
}

/// Whether any process has the memfd of this name open or mapped.
fn is_held(name: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    let processes =
        processes.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().parse::<u32>().is_ok()));
    processes.into_iter().any(|process| {
        let is_open = |fd: io::Result<fs::DirEntry>| fs::read_link(fd.ok()?.path()).ok();
        let open = fs::read_dir(process.join("fd")).into_iter().flatten().filter_map(is_open);
        let is_mapped = fs::read_to_string(process.join("maps")).is_ok_and(|maps| maps.contains(name));
        is_mapped || open.into_iter().any(|path| path.to_string_lossy().contains(name))
    })
}

/// A client in Python that maps memory of this name and then waits for ever. Its server ends when it is killed.
fn client(name: &str) -> Child {
    let program = format!(
        "import os, fcntl, struct, subprocess, time\n\
         fd = os.memfd_create('{name}', os.MFD_ALLOW_SEALING)\n\
         os.ftruncate(fd, 1 << 20)\n\
         fcntl.fcntl(fd, 1033, 2)\n\
         server = subprocess.Popen(['{}'], stdin=-1, stdout=-1, pass_fds=[fd])\n\
         server.stdin.write(struct.pack('<BqIIiiq', 0x18, 24, 0, 1, 0, fd, 1 << 20))\n\
         server.stdin.flush()\n\
         print(server.pid, server.stdout.read(20)[16], flush=True)\n\
         time.sleep(600)\n",
        executable().display()
    );
    Command::new("python3").args(["-c", &program]).stdout(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_client_that_is_killed_leaves_no_server_and_no_memory() {
    let name = format!("recfact-killed-{}", std::process::id());
    let mut client = client(&name);
    let mut line = String::new();
    io::BufRead::read_line(&mut io::BufReader::new(client.stdout.take().unwrap()), &mut line).unwrap();
    let (server, segment) = line.trim().split_once(' ').unwrap();
    assert_eq!(segment, "1");
    let maps = fs::read_to_string(format!("/proc/{server}/maps")).unwrap();
    assert!(maps.contains(&name) && is_held(&name), "{maps}");
    client.kill().unwrap();
    client.wait().unwrap();
    for _ in 0..500 {
        if !is_held(&name) {
            return;
        }
        sleep(Duration::from_millis(20));
    }
    panic!("after ten seconds a process still has the memory");
}
