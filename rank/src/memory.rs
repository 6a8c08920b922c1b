//! Whether the ranks have the memory that they need, before they take it: the system would grant it, and end them later.

use std::fs;
use std::path::Path;

use crate::failure::Failure;
use crate::team::{Int, Team};

/// What a rank has beside its matrices: MPI, the BLAS, messages under way.
const BASE_BYTES: u64 = 100 << 20;

/// Checks that the ranks of this host together have the memory, if each needs this many bytes. All ranks must agree on the result.
///
/// # Errors
/// If there is less.
pub fn check(team: &Team, bytes: u64) -> Result<(), Failure> {
    let ranks = ranks_of_this_host(team);
    let each = bytes.saturating_add(BASE_BYTES);
    let needed = each.saturating_mul(ranks);
    match available() {
        Some(available) if available < needed => Err(Failure::memory(format_args!(
            "expected {needed} bytes of memory for {ranks} ranks of this host, {each} each, got {available}; use more hosts"
        ))),
        _ => Ok(()),
    }
}

/// How many ranks run under the same system.
fn ranks_of_this_host(team: &Team) -> u64 {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let host = boot.bytes().fold(0_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    let own = (host >> 1).cast_signed();
    let mut hosts: Vec<Int> = vec![0; team.ranks() as usize];
    hosts[team.rank() as usize] = own;
    team.sum(&mut hosts);
    hosts.iter().filter(|&&host| host == own).count() as u64
}

/// Bytes that processes may still take here: of the system, and of the control groups that this process is in.
fn available() -> Option<u64> {
    let system = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kib| kib << 10)
    });
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
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
    system.into_iter().chain(limits).min()
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
