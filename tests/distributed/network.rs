//! Two hosts on this machine: Linux namespaces, each with its own network, name, processes and shared memory, and a
//! cable between them.
//!
//! Nothing of it is seen outside. All of it ends with the process that holds it, and that process with the thread that
//! has started it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use testing::process::succeed;

use crate::folder::Folder;
use crate::machine::{EXECUTABLE, Mpi};

/// The addresses of the hosts, which only they know.
const ADDRESSES: [&str; 2] = ["10.203.7.1", "10.203.7.2"];

/// What gives a process all namespaces of its own.
const UNSHARE: &str = "unshare --net --uts --ipc --mount --pid --fork --kill-child=SIGKILL";

/// The first process of the first host. It makes the cable and the second host, and says which process holds that one.
const FIRST: &str = r#"set -e
mount -t tmpfs tmpfs /dev/shm
mount -t proc proc /proc
mount -t sysfs sysfs /sys
echo host-a > /proc/sys/kernel/hostname
ip link add cable-a type veth peer name cable-b
ip link set lo up
ip addr add $A/24 dev cable-a
ip link set cable-a up
$UNSHARE sh -c "$SECOND" &
second=$!
while [ /proc/$second/ns/net -ef /proc/self/ns/net ]; do sleep 0.01; done
ip link set cable-b netns $second
while [ ! -e ready ]; do kill -0 $second; sleep 0.01; done
echo ready $second
exec sleep 1000
"#;

/// The first process of the second host.
const SECOND: &str = r#"set -e
mount -t tmpfs tmpfs /dev/shm
mount -t proc proc /proc
mount -t sysfs sysfs /sys
echo host-b > /proc/sys/kernel/hostname
ip link set lo up
while ! ip link show cable-b > /dev/null 2>&1; do sleep 0.01; done
ip addr add $B/24 dev cable-b
ip link set cable-b up
: > ready
exec sleep 1000
"#;

/// Two hosts.
pub struct Hosts {
    holder: Child,
    /// The first process of the first host, as this process sees it.
    first: i32,
    /// The process that holds the second host, as the first host sees it.
    second: i32,
    folder: Folder,
}

impl Hosts {
    /// Makes them. `None` if the system does not permit it or lacks a program, and then says what is not tested.
    pub fn make(what: &str) -> Option<Self> {
        let folder = Folder::new();
        let mut command = folder.program("sh");
        command.args(["-c", &format!("exec {UNSHARE} sh -c \"$FIRST\"")]);
        command.env("FIRST", FIRST).env("SECOND", SECOND).env("UNSHARE", UNSHARE);
        command.env("A", ADDRESSES[0]).env("B", ADDRESSES[1]);
        // SAFETY: between fork and exec the closure makes one call of the system.
        unsafe { command.pre_exec(|| Ok(set_pdeathsig(Signal::SIGKILL)?)) };
        let mut holder = command.spawn().expect("a shell starts");
        let mut line = String::new();
        BufReader::new(holder.stdout.as_mut().expect("it is piped")).read_line(&mut line).expect("a line");
        let Some(second) = line.trim().strip_prefix("ready ").and_then(|second| second.parse().ok()) else {
            let _ = holder.kill();
            let mut said = String::new();
            holder.stderr.as_mut().expect("it is piped").read_to_string(&mut said).expect("text");
            let _ = holder.wait();
            let said = said.trim().replace('\n', "; ");
            eprintln!("NOT TESTED, no hosts can be made of namespaces (util-linux, iproute2, root): {said}: {what}");
            return None;
        };
        let first = children(holder.id()).pop().expect("the holder has the first host");
        let hosts = Hosts { holder, first, second, folder };
        hosts.write_agent();
        Some(hosts)
    }

    /// What the launchers take for `ssh`: it runs a command on the second host.
    fn write_agent(&self) {
        let namespaces = ["net", "uts", "ipc", "mnt", "pid_for_children"].map(|kind| {
            let option = kind.replace("mnt", "mount").replace("_for_children", "");
            format!("--{option}=/proc/{}/ns/{kind}", self.second)
        });
        // ssh HOST COMMAND.., perhaps with options before.
        let script = format!(
            "#!/bin/sh\nwhile [ \"$1\" != {} ]; do shift || exit 98; done\nshift\nexec nsenter {} -- sh -c \"$*\"\n",
            ADDRESSES[1],
            namespaces.join(" ")
        );
        self.folder.write("agent", script);
        fs::set_permissions(self.folder.file("agent"), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A launcher with a rank on each host.
    pub fn launcher(&self, mpi: Mpi) -> String {
        let [a, b] = ADDRESSES;
        let (mpirun, agent) = (mpi.mpirun(), self.folder.file("agent"));
        match mpi {
            Mpi::Open => format!("{mpirun} --mca plm_rsh_agent {} --host {a}:1,{b}:1 -n 2", agent.display()),
            Mpi::Mpich => {
                format!("{mpirun} -launcher ssh -launcher-exec {} -hosts {a},{b} -n 2", agent.display())
            }
        }
    }

    /// A subcommand of the executable that runs on the first host, in a folder.
    pub fn command(&self, folder: &Folder, mpi: Mpi, subcommand: &str, args: &str) -> Command {
        let mut command = folder.program("nsenter");
        self.enter_first(&mut command);
        command.args(["sh", "-c", "cd \"$0\" && exec \"$@\""]).arg(folder.path());
        command.args([EXECUTABLE, subcommand, "--launcher", &self.launcher(mpi)]).args(args.split_whitespace());
        command
    }

    fn enter_first(&self, command: &mut Command) {
        let first = self.first.to_string();
        command.args(["--target", &first, "--net", "--uts", "--ipc", "--mount", "--pid", "--"]);
    }

    /// Runs a command of a shell on the first host.
    pub fn on_first(&self, script: &str) {
        let mut command = Command::new("nsenter");
        self.enter_first(&mut command);
        succeed(command.args(["sh", "-c", script]));
    }

    /// Runs one on the second host.
    pub fn on_second(&self, script: &str) {
        self.on_first(&format!("{} {} '{script}'", self.folder.file("agent").display(), ADDRESSES[1]));
    }

    /// The folder of what belongs to the hosts themselves.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    pub fn cut_cable(&self) {
        self.on_first("ip link set cable-a down");
    }

    /// Ends all processes of the second host.
    pub fn kill_second(&self) {
        self.on_first(&format!("kill -KILL {}", self.second));
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// The processes that a process has started.
fn children(parent: u32) -> Vec<i32> {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}
