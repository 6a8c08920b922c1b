//! Whether the ranks have the memory that they need, before they take it: the system would grant it, and end them later.

use std::fs;
use std::path::Path;

use crate::failure::Failure;
use crate::team::{Int, Team};

/// What a rank has beside its matrices: MPI, the BLAS, messages under way.
const BASE_BYTES: u64 = 100 << 20;

/// Memory that several ranks share.
struct Pool {
    /// What is available in it; `None` if the system does not say.
    available: Option<u64>,
    /// The ranks that take from it.
    ranks: u64,
    name: &'static str,
}

/// The memory of this rank: that of its system, and what its control groups leave of it. All ranks must call this together.
pub struct Memory([Pool; 2]);

impl Memory {
    /// Finds out how much there is, and who shares it.
    pub fn of(team: &Team) -> Self {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let namespace = fs::read_link("/proc/self/ns/cgroup").unwrap_or_default();
        let group = format!("{boot}{}{groups}", namespace.display());
        Memory([
            Pool { available: of_system(), ranks: alike(team, &boot), name: "this host" },
            Pool { available: of_groups(&groups), ranks: alike(team, &group), name: "this control group" },
        ])
    }

    /// Checks that there is enough if every rank needs this many bytes.
    ///
    /// # Errors
    /// If there is less.
    pub fn check(&self, bytes: u64) -> Result<(), Failure> {
        let each = bytes.saturating_add(BASE_BYTES);
        for Pool { available, ranks, name } in &self.0 {
            let needed = each.saturating_mul(*ranks);
            if let Some(available) = available.filter(|&available| available < needed) {
                return Err(Failure::memory(format_args!(
                    "expected {needed} bytes of memory for {ranks} ranks of {name}, {each} each, got {available}; use more hosts"
                )));
            }
        }
        Ok(())
    }
}

/// How many ranks have the same text.
fn alike(team: &Team, text: &str) -> u64 {
    let hash = text.bytes().fold(0_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    let own = (hash >> 1).cast_signed();
    let mut all: Vec<Int> = vec![0; team.ranks() as usize];
    all[team.rank() as usize] = own;
    team.sum(&mut all);
    all.iter().filter(|&&other| other == own).count() as u64
}

/// Bytes that processes may still take of the system.
fn of_system() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kib| kib << 10)
}

/// Bytes that the control groups of this process leave, which the text of /proc/self/cgroup names.
fn of_groups(groups: &str) -> Option<u64> {
    let limits = groups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        match controllers {
            "" => left(Path::new("/sys/fs/cgroup"), path, ["memory.max", "memory.current"]),
            "memory" => {
                left(Path::new("/sys/fs/cgroup/memory"), path, ["memory.limit_in_bytes", "memory.usage_in_bytes"])
            }
            _ => None,
        }
    });
    limits.min()
}

/// What is left below the tightest limit of a control group and of those that it is in. What files occupy counts as free: it is given
/// back.
fn left(root: &Path, group: &str, [limit, usage]: [&str; 2]) -> Option<u64> {
    let group = root.join(group.trim_start_matches('/'));
    let groups = group.ancestors().take_while(|folder| folder.starts_with(root));
    let left = |folder: &Path| {
        let number = |name: &str| fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
        let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
        let files: u64 = stat
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(name, _)| ["inactive_file", "active_file"].contains(name))
            .filter_map(|(_, bytes)| bytes.parse::<u64>().ok())
            .sum();
        Some(number(limit)?.saturating_sub(number(usage)?.saturating_sub(files)))
    };
    groups.filter_map(left).min()
}
