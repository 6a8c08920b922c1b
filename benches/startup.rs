//! How long a client waits: from starting the server to its first answer, for an answer of a running one, and from
//! SIGTERM to its end. Prints the minimum, the median and the maximum of many; the target of the first is 5 ms.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const REPEAT: usize = 100;

fn main() {
    // `cargo test --benches` only wants to know that this builds.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    println!("{REPEAT} times each, 1 x 1 f64:");
    println!("{:<42}{:>10}{:>10}{:>10}", "milliseconds", "min", "median", "max");
    let mut times: [Vec<Duration>; 3] = Default::default();
    for _ in 0..REPEAT {
        let start = Instant::now();
        let mut child = spawn();
        ask(&mut child);
        times[0].push(start.elapsed());

        let start = Instant::now();
        ask(&mut child);
        times[1].push(start.elapsed());

        let start = Instant::now();
        kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).expect("the server runs");
        let status = child.wait().expect("the server ends");
        times[2].push(start.elapsed());
        assert_eq!(status.code(), Some(143));
    }
    let names = ["from the start to the first answer", "from a request to its answer", "from SIGTERM to the end"];
    for (name, times) in names.iter().zip(&mut times) {
        times.sort();
        let show = |time: &Duration| format!("{:.3}", time.as_secs_f64() * 1e3);
        println!("{name:<42}{:>10}{:>10}{:>10}", show(&times[0]), show(&times[REPEAT / 2]), show(&times[REPEAT - 1]));
    }
}

fn spawn() -> Child {
    let mut server = Command::new(env!("CARGO_BIN_EXE_recfact_server"));
    server.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the server starts")
}

/// A request for the 1 x 1 matrix 7, and the check of its answer.
fn ask(child: &mut Child) {
    let request = [&[0][..], &1_i64.to_le_bytes(), &1_i64.to_le_bytes(), &7_f64.to_le_bytes()].concat();
    child.stdin.as_mut().expect("stdin is piped").write_all(&request).expect("the server reads");
    let mut response = [0; 24];
    child.stdout.as_mut().expect("stdout is piped").read_exact(&mut response).expect("the server answers");
    assert_eq!(response[..], [0_i64.to_le_bytes(), 7_f64.to_le_bytes(), 1_i64.to_le_bytes()].concat());
}
