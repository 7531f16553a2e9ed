//! What a tree of processes costs: CPU time, its reaped children's included, and memory.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// The kernel counts CPU time for people in hundredths of a second, whatever its own clock does.
const TICKS_PER_SECOND: u64 = 100;

/// CPU time of these processes and all below them.
pub(crate) fn cpu_time(roots: &[u32]) -> Duration {
    Duration::from_millis(tree(roots).values().sum::<u64>() * 1000 / TICKS_PER_SECOND)
}

/// Memory of these processes and all below them in octets, pages that several share counted once (PSS).
pub(crate) fn memory_octets(roots: &[u32]) -> u64 {
    tree(roots).keys().filter_map(|process| pss_kib(*process)).sum::<u64>() * 1024
}

fn pss_kib(process: u32) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// Each process of the tree with its ticks.
fn tree(roots: &[u32]) -> HashMap<u32, u64> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    let mut ticks = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some((parent, spent)) = stat(process) {
            children.entry(parent).or_default().push(process);
            ticks.insert(process, spent);
        }
    }
    let mut found = HashMap::new();
    let mut waiting = roots.to_vec();
    while let Some(process) = waiting.pop() {
        if let Some(spent) = ticks.remove(&process) {
            found.insert(process, spent);
            waiting.extend(children.remove(&process).unwrap_or_default());
        }
    }
    found
}

/// Parent and ticks: fields 4 and 14 to 17 of `proc_pid_stat(5)`, counted behind the name, which may hold anything.
fn stat(process: u32) -> Option<(u32, u64)> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks = fields.get(11..15)?.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
    Some((fields.get(1)?.parse().ok()?, ticks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_memory() {
        assert!(memory_octets(&[std::process::id()]) > 100 * 1024);
        assert_eq!(memory_octets(&[]), 0);
    }
}
