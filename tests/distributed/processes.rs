//! The processes that belong to a folder: all that were started with a variable that names it, whoever their parents
//! are.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The variable that names the folder.
pub const MARK: &str = "RECFACT_TEST_FOLDER";

/// How long something that must happen may take.
pub const PATIENCE: Duration = Duration::from_secs(100);

/// How long processes may take to go.
const GONE: Duration = Duration::from_secs(20);

/// A process.
#[derive(Debug, Clone)]
pub struct Process {
    pub id: i32,
    pub name: String,
    pub parent: i32,
    environment: Vec<String>,
}

impl Process {
    fn find(id: i32) -> Option<Self> {
        let read = |file: &str| fs::read(format!("/proc/{id}/{file}")).ok();
        let environment = read("environ")?.split(|&byte| byte == 0).map(lossy).collect();
        let stat = lossy(&read("stat")?);
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        let parent = rest.split_whitespace().nth(1)?.parse().ok()?;
        Some(Process { id, name: name.to_owned(), parent, environment })
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.environment.iter().find_map(|variable| variable.strip_prefix(name)?.strip_prefix('='))
    }

    /// Its number among the ranks, if it is one.
    pub fn rank(&self) -> Option<u32> {
        let of_launcher = || self.variable("OMPI_COMM_WORLD_RANK").or_else(|| self.variable("PMI_RANK"));
        if self.name == "recfact_rank" { of_launcher()?.parse().ok() } else { None }
    }

    /// Processor time that it has used, in ticks of 10 ms.
    fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id)).unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
        fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
    }

    pub fn send(&self, signal: Signal) {
        kill(Pid::from_raw(self.id), signal).unwrap_or_else(|error| panic!("{self:?}: {error}"));
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// All processes of a folder. (Those that nobody has waited for have no environment any more, and do not count.)
pub fn of(folder: &Path) -> Vec<Process> {
    let entries = fs::read_dir("/proc").expect("Linux has /proc").filter_map(Result::ok);
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let folder = folder.to_str();
    ids.filter_map(Process::find).filter(|process| process.variable(MARK) == folder).collect()
}

/// The ranks of a folder, in their order, when each of them has computed for a while.
pub fn busy_ranks(folder: &Path, ranks: usize) -> Vec<Process> {
    let mut found = Vec::new();
    eventually("all ranks compute", || {
        found = of(folder).into_iter().filter(|process| process.rank().is_some()).collect();
        found.len() == ranks && found.iter().all(|rank| rank.ticks() >= 50)
    });
    found.sort_by_key(Process::rank);
    found
}

/// Waits until no process of a folder is left but these.
pub fn expect_gone(folder: &Path, but: &[u32]) {
    let start = Instant::now();
    loop {
        let left: Vec<_> = of(folder).into_iter().filter(|process| !but.contains(&(process.id as u32))).collect();
        if left.is_empty() {
            return;
        }
        if start.elapsed() > GONE {
            let names: Vec<_> = left.iter().map(|process| format!("{} {}", process.id, process.name)).collect();
            for process in &left {
                let _ = kill(Pid::from_raw(process.id), Signal::SIGKILL);
            }
            panic!("expected all processes to be gone, {names:?} are left after {} seconds", GONE.as_secs());
        }
        sleep(Duration::from_millis(10));
    }
}

/// Waits for what must happen.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "expected that {what}");
        sleep(Duration::from_millis(10));
    }
}
