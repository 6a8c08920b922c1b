//! A folder with matrices, and the executable that runs in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::MutexGuard;

use tempfile::{TempDir, tempdir};
use testing::npy::Npy;
use testing::process::report;

use crate::machine::{EXECUTABLE, prepare, turn};
use crate::processes::{MARK, Process, busy_ranks, eventually, expect_gone};

/// Files up to this size are compared byte by byte.
const SMALL_BYTES: u64 = 1 << 20;

/// Results that are there before a job, and must still be there if it fails.
const OLDER: [&str; 3] = ["x.npy", "f-lu.npy", "f-ipiv.npy"];

/// A folder.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Folder(tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.file(name), contents).unwrap();
    }

    pub fn save(&self, name: &str, array: &Npy) {
        self.write(name, array.to_bytes());
    }

    pub fn load(&self, name: &str) -> Npy {
        Npy::parse(&fs::read(self.file(name)).unwrap())
    }

    /// A file that says that it is this array, and is as long; its elements are zeros that take no room on the disk.
    pub fn save_sparse(&self, name: &str, descr: &str, shape: &[usize]) {
        let array = Npy { descr: descr.into(), is_fortran: true, shape: shape.to_vec(), data: Vec::new() };
        self.write(name, array.header());
        let elements = shape.iter().product::<usize>() as u64;
        let bytes = array.header().len() as u64 + elements * descr[2..].parse::<u64>().unwrap();
        fs::OpenOptions::new().write(true).open(self.file(name)).unwrap().set_len(bytes).unwrap();
    }

    /// A subcommand with a launcher and arguments that are separated by blanks.
    pub fn command(&self, subcommand: &str, launcher: &str, args: &str) -> Command {
        let mut command = self.executable(&[subcommand, "--launcher", launcher]);
        command.args(args.split_whitespace());
        command
    }

    /// The executable with arguments, its three streams piped.
    pub fn executable(&self, args: &[&str]) -> Command {
        let mut command = self.program(EXECUTABLE);
        command.args(args);
        command
    }

    /// A program that runs in the folder and belongs to it, its three streams piped.
    pub fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        prepare(&mut command);
        command.current_dir(self.path()).env(MARK, self.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command. When it has ended, none of the processes that it has started runs, and no unfinished file is
    /// left.
    pub fn run(&self, command: &mut Command) -> Output {
        self.start(command).finish()
    }

    /// Runs a job that must succeed, and returns the line that it says.
    pub fn succeeds(&self, command: &mut Command) -> String {
        let output = self.run(command);
        assert!(output.status.success() && output.stdout.is_empty(), "{command:?}: {}", report(&output));
        one_line(&output)
    }

    /// Runs a job that must fail with this status, in one line with all of these words, and leave everything as it was.
    pub fn fails(&self, command: &mut Command, status: i32, words: &[&str]) {
        self.write_older_results();
        let before = self.contents();
        let output = self.run(command);
        self.check_failure(&before, &output, status, words);
    }

    /// Starts a job that is expected to fail.
    pub fn start(&self, command: &mut Command) -> Started<'_> {
        let turn = Some(turn());
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Started { folder: self, child: Some(child), turn }
    }

    pub fn write_older_results(&self) {
        OLDER.iter().filter(|name| !self.file(name).exists()).for_each(|name| self.write(name, "an older result"));
    }

    /// The files, with their lengths and the contents of small ones.
    pub fn contents(&self) -> Contents {
        let entries = fs::read_dir(self.path()).unwrap().map(Result::unwrap);
        let contents = entries.map(|entry| {
            let (path, len) = (entry.path(), entry.metadata().unwrap().len());
            let is_small = path.is_file() && len <= SMALL_BYTES;
            (entry.file_name().to_string_lossy().into_owned(), (len, is_small.then(|| fs::read(path).unwrap())))
        });
        Contents(contents.collect())
    }

    pub fn check_failure(&self, before: &Contents, output: &Output, status: i32, words: &[&str]) {
        assert_eq!((output.status.code(), output.stdout.len()), (Some(status), 0), "{words:?}: {}", report(output));
        let line = one_line(output);
        for word in words {
            assert!(line.contains(word), "expected {word:?} in {line:?}");
        }
        self.check_unchanged(before);
    }

    pub fn check_unchanged(&self, before: &Contents) {
        let now = self.contents();
        let names = |contents: &Contents| contents.0.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(before), names(&now), "the files of the folder");
        let changed: Vec<_> = before.0.iter().filter(|(name, contents)| now.0[*name] != **contents).collect();
        assert!(changed.is_empty(), "expected all files to be as they were, {:?} changed", changed[0].0);
    }

    pub fn remove_unfinished(&self) {
        let names = self.contents().0.into_keys().filter(|name| name.contains(".unfinished"));
        names.for_each(|name| fs::remove_file(self.file(&name)).unwrap());
    }

    /// No process of the folder runs any more, but perhaps these, and no unfinished file is left.
    pub fn check_nothing_is_left(&self, but: &[u32]) {
        expect_gone(self.path(), but);
        let contents = self.contents();
        let unfinished: Vec<_> = contents.0.keys().filter(|name| name.contains(".unfinished")).collect();
        assert!(unfinished.is_empty(), "expected no unfinished files, got {unfinished:?}");
    }
}

/// Files with their lengths, and the contents of small ones.
pub struct Contents(BTreeMap<String, (u64, Option<Vec<u8>>)>);

/// What a process said on stderr.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The line on stderr; there must be one.
pub fn one_line(output: &Output) -> String {
    let said = said(output);
    let is_one = said.lines().count() == 1 && said.ends_with('\n') && said.starts_with("recfact_server");
    assert!(is_one, "expected one line of the executable, got {said:?}");
    said.trim_end().to_owned()
}

/// A job that runs.
pub struct Started<'f> {
    folder: &'f Folder,
    child: Option<Child>,
    turn: Option<MutexGuard<'static, ()>>,
}

impl Started<'_> {
    pub fn child(&mut self) -> &mut Child {
        self.child.as_mut().expect("it has not been waited for")
    }

    pub fn id(&self) -> u32 {
        self.child.as_ref().expect("it has not been waited for").id()
    }

    /// Its ranks, when they compute.
    pub fn busy_ranks(&self, ranks: usize) -> Vec<Process> {
        busy_ranks(self.folder.path(), ranks)
    }

    /// The processes that it has started itself.
    pub fn children(&self) -> Vec<Process> {
        let id = self.id() as i32;
        crate::processes::of(self.folder.path()).into_iter().filter(|process| process.parent == id).collect()
    }

    /// Lets others start launchers, while this one only waits.
    pub fn only_waits(&mut self) {
        self.turn = None;
    }

    /// Waits for its end.
    pub fn output(mut self) -> Output {
        eventually("the job ends", || self.child().try_wait().expect("a child").is_some());
        self.child.take().expect("it has not been waited for").wait_with_output().expect("the output is read")
    }

    /// Waits for its end. Then none of its processes runs, and no unfinished file is left.
    pub fn finish(mut self) -> Output {
        let (folder, _turn) = (self.folder, self.turn.take());
        let output = self.output();
        folder.check_nothing_is_left(&[]);
        output
    }
}

impl Drop for Started<'_> {
    /// A failing test leaves nothing behind.
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
