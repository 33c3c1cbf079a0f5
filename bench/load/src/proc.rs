//! The machine and the server's process as `/proc` shows them.
//!
//! Must only read; a process that is gone gives `None`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// `USER_HZ`: the unit of times in `/proc/<pid>/stat`, 100 on every Linux that this runs on.
const TICKS_PER_SECOND: f64 = 100.0;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// Seconds of CPU since the process began, children included.
    pub user_s: f64,
    pub system_s: f64,
    pub resident_bytes: u64,
    pub descriptors: u64,
    /// Seconds of CPU by name of the thread.
    pub threads: BTreeMap<String, f64>,
}

impl Usage {
    /// Of a process and all its descendants.
    pub fn of(pid: u32) -> Option<Usage> {
        let mut usage = Usage::default();
        let mut waiting = vec![pid];
        while let Some(pid) = waiting.pop() {
            if usage
                .add(Path::new(&format!("/proc/{pid}")), &mut waiting)
                .is_none()
                && waiting.is_empty()
            {
                break;
            }
        }
        (usage.resident_bytes > 0).then_some(usage)
    }

    fn add(&mut self, folder: &Path, waiting: &mut Vec<u32>) -> Option<()> {
        let (_, user, system) = parse_stat(&fs::read_to_string(folder.join("stat")).ok()?)?;
        self.user_s += user;
        self.system_s += system;
        self.resident_bytes += resident(&fs::read_to_string(folder.join("status")).ok()?);
        // Another user's process does not show its descriptors.
        self.descriptors +=
            fs::read_dir(folder.join("fd")).map_or(0, |entries| entries.count() as u64);
        for task in fs::read_dir(folder.join("task")).ok()?.flatten() {
            let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            if let Some((name, user, system)) = parse_stat(&stat) {
                *self.threads.entry(name).or_default() += user + system;
            }
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            waiting.extend(
                children
                    .split_whitespace()
                    .filter_map(|pid| pid.parse::<u32>().ok()),
            );
        }
        Some(())
    }

    pub fn cpu_s(&self) -> f64 {
        self.user_s + self.system_s
    }

    /// What was used since `earlier`, by thread name, the largest first.
    pub fn threads_since(&self, earlier: &Usage) -> Value {
        let mut spent: Vec<(&String, f64)> = self
            .threads
            .iter()
            .map(|(name, now)| {
                (
                    name,
                    now - earlier.threads.get(name).copied().unwrap_or(0.0),
                )
            })
            .filter(|(_, seconds)| *seconds >= 0.01)
            .collect();
        spent.sort_by(|left, right| right.1.total_cmp(&left.1));
        spent.truncate(12);
        spent
            .iter()
            .map(|(name, s)| json!({"name": name, "cpu_s": round(*s, 2)}))
            .collect()
    }
}

/// Name, user and system seconds of a line of `/proc/<pid>/stat`. The name may contain anything.
fn parse_stat(line: &str) -> Option<(String, f64, f64)> {
    let (before, after) = line.rsplit_once(')')?;
    let name = before.split_once('(')?.1.to_owned();
    let mut fields = after.split_whitespace();
    let user: f64 = fields.nth(11)?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((name, user / TICKS_PER_SECOND, system / TICKS_PER_SECOND))
}

fn resident(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1_024
}

/// What a figure depends on.
pub fn machine() -> Value {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let memory = read("/proc/meminfo");
    let memory = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes = memory.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    json!({
        "cpu": model.map_or("unknown", |(_, model)| model.trim()),
        "cores": std::thread::available_parallelism().map_or(1, usize::from),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "memory_gb": kilobytes.map(|it| round(it / 1_048_576.0, 1)),
        "load_1m": read("/proc/loadavg").split(' ').next().and_then(|load| load.parse::<f64>().ok()),
    })
}

pub fn round(value: f64, digits: i32) -> f64 {
    let factor = 10f64.powi(digits);
    (value * factor).round() / factor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_whatever_the_name() {
        let line = "12 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 5 0 100 0 0";
        assert_eq!(parse_stat(line), Some(("a) b (c".into(), 1.5, 0.5)));
        assert_eq!(parse_stat(""), None);
        assert_eq!(parse_stat("12 (x) S 1"), None);
    }

    #[test]
    fn resident_memory_is_read_in_bytes() {
        assert_eq!(resident("Name:\tx\nVmRSS:\t  2048 kB\n"), 2_097_152);
        assert_eq!(resident("Name:\tx\n"), 0);
    }

    #[test]
    fn this_process_has_a_usage_and_a_missing_one_none() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.resident_bytes > 0 && usage.descriptors > 0);
        assert!(!usage.threads.is_empty());
        assert_eq!(Usage::of(u32::MAX), None);
    }
}
