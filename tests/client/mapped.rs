//! Matrices in memory that client and server both see: when it is used, what it costs, and that nothing of it is left.

use std::fs;
use std::num::NonZeroUsize;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use recfact::client::{Client, Error, Transport};
use recfact::{Lu, Options};
use testing::process::{status_kib, this_program};

use crate::allocations::allocations;
use crate::harness::*;

/// The numbers of the memory files of this library that a process has open or mapped.
fn memory_files(process: &str) -> Vec<u64> {
    let folder = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    let open = folder.filter(|entry| fs::read_link(entry.path()).is_ok_and(|to| is_ours(&to.to_string_lossy())));
    let open = open.filter_map(|entry| Some(fs::metadata(entry.path()).ok()?.ino()));
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap_or_default();
    let mapped =
        maps.lines().filter(|line| is_ours(line)).filter_map(|line| line.split_whitespace().nth(4)?.parse().ok());
    open.chain(mapped).collect()
}

fn is_ours(name: &str) -> bool {
    name.contains("/memfd:recfact")
}

/// Where this process has mapped its only segment: the first address, and bytes.
fn mapping() -> Option<(usize, usize)> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let (range, _) = maps.lines().find(|line| is_ours(line))?.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let [start, end] = [start, end].map(|address| usize::from_str_radix(address, 16).unwrap());
    Some((start, end - start))
}

#[test]
fn memory_is_used_unless_the_builder_forbids_it() {
    let client = client();
    assert_eq!(client.transport(), Transport::Undecided);
    assert!(works(&client));
    assert_eq!(client.transport(), Transport::Mapped);
    let client = builder().mapped(false).spawn().unwrap();
    assert!(works(&client));
    let transport = client.transport();
    assert!(
        matches!(transport, Transport::Pipes { .. }) && transport.to_string().contains("mapped(false)"),
        "{transport}"
    );
}

#[test]
fn a_server_outlives_the_requests_that_it_would_refuse() {
    let client = builder().args(["--max-bytes", "1000"]).spawn().unwrap();
    let server = client.server_id();
    for (m, n) in [(12, 11), (2000, 1000)] {
        let (mut a, mut ipiv) = (random::<f64>(m, n), vec![-7; m.min(n)]);
        let error = client.lu_in_place(&mut a, &mut ipiv, &Options::default()).unwrap_err();
        let message = format!(
            "expected a matrix of at most 1000 bytes, got {m} x {n} of {} bytes; --max-bytes sets the limit",
            8 * m * n
        );
        assert!(matches!(&error, Error::Refused { code: 3, message: Some(got), .. } if *got == message), "{error}");
        assert!(error.to_string().ends_with(&format!("larger than the server's limit: {message}")), "{error}");
        assert_eq!((error.exit_code(), error.stderr_line()), (None, None));
        assert!(a == random(m, n) && ipiv.iter().all(|&row| row == -7), "nothing was written");
        assert!(works(&client));
        assert_eq!((client.server_id(), client.transport()), (server, Transport::Mapped));
    }
    // One without elements may have sides that are not numbers of the protocol.
    let view = recfact::MatrixRef::<f64>::from_slice(&[], 0, usize::MAX, 1).unwrap();
    assert!(matches!(client.lu(view, &Options::default()), Err(Error::Refused { code: 2, message: Some(_), .. })));
    assert!(works(&client));
    assert_eq!(client.server_id(), server);
}

/// A program that refuses its first start as a server of version 1 does, and is a server from the second on. Each start
/// leaves a line.
struct OldServer(tempfile::TempDir);

impl OldServer {
    fn new() -> Self {
        OldServer(tempfile::tempdir().unwrap())
    }

    fn script(&self) -> String {
        let starts = self.0.path().join("starts");
        let starts = starts.display();
        format!(
            "echo >>{starts}; [ $(wc -l <{starts}) -gt 1 ] && exec {EXECUTABLE}; head -c 1 >/dev/null; \
             printf '\\001\\000\\000\\000\\000\\000\\000\\200'; echo 'got 0x10' >&2; exit 1"
        )
    }

    fn starts(&self) -> usize {
        fs::read(self.0.path().join("starts")).map_or(0, |lines| lines.len())
    }

    fn child(&self) -> std::process::Child {
        let mut shell = Command::new("sh");
        shell.args(["-c", &self.script()]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        shell.spawn().unwrap()
    }
}

/// How a client of an old server works.
fn old_fashioned() -> Transport {
    Transport::Pipes { reason: "the server knows no other frames".into() }
}

#[test]
fn a_server_that_ends_at_hello_is_replaced_and_gets_version_1_frames() {
    for restart in [true, false] {
        let old = OldServer::new();
        let client = script(&old.script()).mapped(true).restart(restart).spawn().unwrap();
        let first = client.server_id();
        assert!(works(&client) && works(&client));
        assert_eq!((client.transport(), old.starts()), (old_fashioned(), 2));
        assert_ne!(client.server_id(), first);
        murder(client.server_id().unwrap());
        assert_eq!(works(&client), restart);
        assert_eq!((client.transport(), old.starts()), (old_fashioned(), if restart { 3 } else { 2 }));
    }
}

#[test]
fn an_adopted_server_is_asked_only_if_it_may_be_replaced_or_must_be_new() {
    for builder in [builder(), builder().restart(false).mapped(true)] {
        let client = builder.adopt(child()).unwrap();
        let server = client.server_id();
        assert!(works(&client));
        assert_eq!(
            (client.transport(), client.server_id()),
            (Transport::Mapped, server),
            "by process id and descriptor"
        );
    }
    let client = Client::adopt(child()).unwrap();
    assert!(works(&client));
    assert!(client.transport().to_string().ends_with("may not be replaced is not asked for more"));

    let old = OldServer::new();
    let client = builder().adopt(old.child()).unwrap();
    assert!(works(&client), "another one is started");
    assert_eq!((client.transport(), old.starts()), (old_fashioned(), 1));

    let old = OldServer::new();
    let client = builder().restart(false).mapped(true).adopt(old.child()).unwrap();
    let error = client.lu(&small().0, &Options::default()).unwrap_err();
    assert_eq!((error.exit_code(), error.stderr_line()), (Some(1), Some("got 0x10")));
    assert!(error.to_string().contains("use them with Builder::mapped(false)"), "{error}");
    assert!(matches!(client.lu(&small().0, &Options::default()), Err(Error::Gone)));
}

#[test]
fn a_matrix_for_which_there_is_no_memory_goes_through_the_pipes() {
    if alone("mapped::a_matrix_for_which_there_is_no_memory_goes_through_the_pipes").is_some() {
        return;
    }
    // The system would send SIGXFSZ as well, which ends a program.
    setrlimit(Resource::RLIMIT_FSIZE, 1 << 20, 1 << 20).unwrap();
    let client = client();
    let server = client.server_id();
    for (n, fits) in [(300, true), (500, false), (20, true), (500, false), (310, true)] {
        let a = random::<f64>(n, n);
        assert_eq!(client.lu(&a, &Options::default()).unwrap(), Lu::new(a, &Options::default()).unwrap());
        let reason = "expected a longer memfd, got: File too large (os error 27)".into();
        let expected = if fits { Transport::Mapped } else { Transport::Pipes { reason } };
        assert_eq!((client.transport(), client.server_id()), (expected, server), "{n}");
    }
    setrlimit(Resource::RLIMIT_FSIZE, 0, 1 << 20).unwrap();
    let client = self::client();
    assert!(works(&client));
    assert!(client.transport().to_string().contains("File too large"), "{}", client.transport());
}

#[test]
fn ten_thousand_requests_of_mixed_sizes_leave_no_memory_and_no_descriptor() {
    if alone("mapped::ten_thousand_requests_of_mixed_sizes_leave_no_memory_and_no_descriptor").is_some() {
        return;
    }
    let client = client();
    let server = client.server_id().unwrap().to_string();
    let owned = || {
        let memory = ["self", &server].map(|process| status_kib(process, "VmRSS"));
        let descriptors = ["self", &server].map(|process| fs::read_dir(format!("/proc/{process}/fd")).unwrap().count());
        (memory, descriptors)
    };
    let matrices: Vec<_> = [(1, 1), (7, 5), (30, 40), (64, 64), (3, 2000)].map(|(m, n)| random::<f64>(m, n)).into();
    let (large, single) = (random::<f64>(700, 600), random::<f32>(50, 50));
    let round = |rounds: usize| {
        for at in 0..rounds {
            let a = if at % 200 == 0 { &large } else { &matrices[at % matrices.len()] };
            client.lu(a, &Options::default()).unwrap();
            client.lu(&single, &Options::default()).unwrap();
        }
    };
    round(500);
    let (memory, descriptors) = owned();
    round(4500);
    let (memory_after, descriptors_after) = owned();
    assert_eq!((descriptors_after, client.transport()), (descriptors, Transport::Mapped));
    for (before, after) in memory.into_iter().zip(memory_after) {
        assert!(after < before + 2048, "{memory:?} KiB, then {memory_after:?}");
    }
}

#[test]
fn the_memory_of_a_large_matrix_is_given_back_when_smaller_ones_follow() {
    if alone("mapped::the_memory_of_a_large_matrix_is_given_back_when_smaller_ones_follow").is_some() {
        return;
    }
    let client = client();
    let server = client.server_id().unwrap().to_string();
    let shared = || ["self", &server].map(|process| status_kib(process, "RssShmem"));
    for _ in 0..2 {
        client.lu(&random::<f64>(1500, 1500), &Options::default()).unwrap();
        assert!(shared().into_iter().all(|kib| (18_000..20_000).contains(&kib)), "{:?}", shared());
        assert!((0..32).all(|_| works(&client)));
        assert!(shared().into_iter().all(|kib| kib < 1000), "{:?}", shared());
        let file = fs::read_dir("/proc/self/fd").unwrap().flatten().map(|entry| entry.path());
        let file = file.filter(|path| fs::read_link(path).is_ok_and(|to| is_ours(&to.to_string_lossy())));
        let blocks: Vec<u64> = file.map(|path| fs::metadata(path).unwrap().blocks() * 512).collect();
        assert_eq!(blocks, [1 << 16], "pages that neither process has mapped are free as well");
    }
}

#[test]
fn a_call_allocates_its_result_and_nothing_else() {
    let client = client();
    let (mut a, mut ipiv) = (random::<f64>(40, 30), vec![0; 30]);
    let options = Options::default();
    client.lu_in_place(&mut a, &mut ipiv, &options).unwrap();
    let in_place = allocations(|| client.lu_in_place(&mut a, &mut ipiv, &options).unwrap());
    let result = allocations(|| client.lu(&a, &options).unwrap());
    assert_eq!((in_place, result), (0, 2), "the factors and the row swaps");
}

#[test]
fn a_server_killed_while_it_factors_in_shared_memory_leaves_the_matrix_as_it_was() {
    let client = client();
    for n in [3, 500] {
        assert!(works(&client));
        let server = client.server_id().unwrap();
        signal(server, Signal::SIGSTOP);
        let mut a = random::<f64>(n, n);
        let error = std::thread::scope(|scope| {
            let call = scope.spawn(|| client.lu_in_place(&mut a, &mut vec![0; n], &Options::default()).unwrap_err());
            sleep(Duration::from_millis(30));
            signal(server, Signal::SIGKILL);
            call.join().unwrap()
        });
        assert!(matches!(error, Error::Died { .. }), "{error}");
        assert!(a == random(n, n));
        assert_eq!((client.transport(), state(server)), (Transport::Mapped, None));
    }
    assert!(works(&client));
}

#[test]
fn a_time_out_ends_the_server_and_its_memory() {
    if alone("mapped::a_time_out_ends_the_server_and_its_memory").is_some() {
        return;
    }
    let client = builder().timeout(Duration::from_millis(500)).spawn().unwrap();
    assert!((0..20).any(|_| works(&client)), "a loaded machine may take long for one call, but not for all");
    assert_eq!(memory_files("self").len(), 2, "open and mapped");
    signal(client.server_id().unwrap(), Signal::SIGSTOP);
    let mut a = random::<f64>(4, 4);
    let error = client.lu_in_place(&mut a, &mut [0; 4], &Options::default()).unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }) && a == random(4, 4), "{error}");
    assert_eq!((client.server_id(), memory_files("self").len()), (None, 0));
}

#[test]
fn a_forked_child_has_no_mapping_of_its_parent_and_unmaps_nothing() {
    if alone("mapped::a_forked_child_has_no_mapping_of_its_parent_and_unmaps_nothing").is_some() {
        return;
    }
    let client = client();
    assert!(works(&client));
    let mut client = Some(client);
    let (start, bytes) = mapping().unwrap();
    in_a_child(|| {
        let free = mapping().is_none();
        // Something else at the address, which must live on when the child's copy of the client is dropped.
        let size = NonZeroUsize::new(bytes).unwrap();
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_FIXED_NOREPLACE;
        // SAFETY: the address is free; if it is not, the call fails.
        let other = unsafe { mmap_anonymous(NonZeroUsize::new(start), size, protection, flags) }.unwrap().cast::<u8>();
        // SAFETY: the first byte of the mapping.
        unsafe { other.write(7) };
        client.take();
        // SAFETY: as above. Without the mapping the process would end.
        free && unsafe { other.read() } == 7
    });
    let client = client.unwrap();
    in_a_child(|| works(&client) && client.transport() == Transport::Mapped && memory_files("self").len() == 2);
    assert!(works(&client));
    assert_eq!(mapping(), Some((start, bytes)));
}

#[test]
fn no_other_child_gets_the_descriptor() {
    if alone("mapped::no_other_child_gets_the_descriptor").is_some() {
        return;
    }
    let (first, second) = (client(), client());
    assert!(works(&first) && works(&second));
    let [first, second] = [first, second].map(|client| {
        let server = client.server_id().unwrap().to_string();
        (memory_files(&server), client)
    });
    // Open and mapped; each its own.
    assert_eq!((first.0.len(), second.0.len()), (2, 2));
    assert_ne!(first.0[0], second.0[0]);
    let mut other = Command::new("sleep").arg("1000").spawn().unwrap();
    assert!(memory_files(&other.id().to_string()).is_empty());
    other.kill().and_then(|()| other.wait()).unwrap();
}

#[test]
fn a_client_that_is_killed_leaves_no_server_and_no_memory() {
    const CLIENT: &str = "RECFACT_TEST_CLIENT_TO_KILL";
    if std::env::var_os(CLIENT).is_some() {
        let client = client();
        client.lu(&random::<f64>(1000, 1000), &Options::default()).unwrap();
        println!("server {} memory {}", client.server_id().unwrap(), memory_files("self")[0]);
        sleep(Duration::from_secs(1000));
    }
    let mut program = this_program();
    program.args(["--exact", "mapped::a_client_that_is_killed_leaves_no_server_and_no_memory", "--nocapture"]);
    let mut client = program.env(CLIENT, "1").stdout(Stdio::piped()).spawn().unwrap();
    let said = std::io::BufRead::lines(std::io::BufReader::new(client.stdout.take().unwrap()));
    let line = said.map_while(Result::ok).find(|line| line.contains("server ")).expect("it says what it has");
    let number = |after: &str| line.split_once(after).unwrap().1.split(' ').next().unwrap().parse::<u64>().unwrap();
    let (server, memory) = (number("server ") as u32, number("memory "));
    let holders = || {
        let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.file_name());
        processes.filter(|process| memory_files(&process.to_string_lossy()).contains(&memory)).count()
    };
    assert_eq!(holders(), 2, "both of them");
    client.kill().unwrap();
    client.wait().unwrap();
    eventually("the server ends", || state(server).is_none_or(|state| state == 'Z'));
    eventually("nobody has the memory", || holders() == 0);
}
