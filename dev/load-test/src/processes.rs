//! CPU time and memory of the function's processes, if the stack is on this machine: proc(5).

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use serde::Serialize;

use crate::stack::Stack;

/// Pause between two looks. CPU time that a process uses after the last look is not seen.
const PACE: Duration = Duration::from_millis(200);
/// Length of a tick, the unit of times in /proc/PID/stat, on all architectures of Lambda (getconf CLK_TCK).
const MS_PER_TICK: u64 = 10;

/// CPU time and memory of the function's processes.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Number of processes that used CPU time.
    pub processes: usize,
    /// CPU time of all processes during the test, in ms.
    pub cpu_ms: u64,
    pub samples: Vec<Sample>,
}

/// One look at the processes.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sample {
    pub at: DateTime<Utc>,
    /// Number of processes.
    pub processes: usize,
    /// Memory of all processes, in MB of 1024 KB: the sum of their resident sets.
    pub all_mb: f64,
    /// Memory of the largest process, in MB of 1024 KB.
    pub largest_mb: f64,
}

/// Watches the function's processes during the test.
pub struct Watcher {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Usage>,
}

impl Watcher {
    /// Watches from now on, if the stack is in a local AWS.
    pub fn start(stack: &Stack) -> Option<Watcher> {
        let endpoint = stack.endpoint()?.to_owned();
        let is_here = ["://127.0.0.1", "://localhost"].iter().any(|host| endpoint.contains(host));
        let function = Environment { function: stack.function.name.clone(), endpoint };
        let is_over = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_over);
        is_here.then(|| Watcher { is_over, thread: spawn(move || watch(&function, &flag)) })
    }

    /// Ends the watch. None if no process of the function was seen, as they are then elsewhere.
    pub fn stop(self) -> Option<Usage> {
        self.is_over.store(true, Ordering::Relaxed);
        let is_here = |usage: &Usage| usage.samples.iter().any(|sample| sample.processes > 0);
        self.thread.join().ok().filter(is_here)
    }
}

fn watch(function: &Environment, is_over: &AtomicBool) -> Usage {
    let mut processes = Processes::default();
    let mut samples = Vec::new();
    processes.look(function);
    processes.forget_cpu_time();
    loop {
        // Read before the look, so that there is a look after the end.
        let is_last = is_over.load(Ordering::Relaxed);
        samples.push(processes.look(function));
        if is_last {
            break;
        }
        sleep(PACE);
    }
    let seen = processes.0.into_values().flatten();
    let ticks: Vec<u64> = seen.map(|cpu| cpu.last - cpu.first).filter(|ticks| *ticks > 0).collect();
    Usage { processes: ticks.len(), cpu_ms: ticks.iter().sum::<u64>() * MS_PER_TICK, samples }
}

/// Variables in the environment of the function's processes. The function's name alone is not enough, as
/// another local AWS may have a stack of the same name.
struct Environment {
    function: String,
    endpoint: String,
}

impl Environment {
    fn is_in(&self, environ: &[u8]) -> bool {
        let has = |name: &str, value: &str| {
            let variable = format!("{name}={value}");
            environ.split(|byte| *byte == 0).any(|found| found == variable.as_bytes())
        };
        has("AWS_LAMBDA_FUNCTION_NAME", &self.function) && has("AWS_ENDPOINT_URL", &self.endpoint)
    }
}

/// Every process that was seen, with its CPU time if it is the function's.
#[derive(Default)]
struct Processes(HashMap<Process, Option<CpuTime>>);

/// Identity of a process. The ID alone is not enough: another process may have it later, and a process may
/// become another program, as a function's begins as a copy of its parent.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Process {
    id: u32,
    program: String,
    /// Start time, in ticks since the machine's start.
    started: u64,
}

/// CPU time at the first and the last look, in ticks.
struct CpuTime {
    first: u64,
    last: u64,
}

impl Processes {
    fn look(&mut self, function: &Environment) -> Sample {
        let mut resident = Vec::new();
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        for id in ids {
            // A process that cannot be read has ended, or is another user's.
            let Ok(stat) = fs::read_to_string(format!("/proc/{id}/stat")) else { continue };
            let Some((process, ticks)) = read_stat(id, &stat) else { continue };
            let cpu = self.0.entry(process).or_insert_with(|| {
                let environ = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
                function.is_in(&environ).then_some(CpuTime { first: 0, last: 0 })
            });
            if let Some(cpu) = cpu {
                cpu.last = ticks;
                resident.extend(resident_mb(id));
            }
        }
        Sample {
            at: Utc::now().trunc_subsecs(3),
            processes: resident.len(),
            all_mb: resident.iter().fold(0.0, |sum, mb| sum + mb),
            largest_mb: resident.iter().copied().reduce(f64::max).unwrap_or_default(),
        }
    }

    /// Leaves out the CPU time that was used before the test.
    fn forget_cpu_time(&mut self) {
        for cpu in self.0.values_mut().flatten() {
            cpu.first = cpu.last;
        }
    }
}

/// A process and its CPU time so far: fields 2, 14, 15 and 22 of /proc/PID/stat. The
/// program's name is in parentheses, and may hold any character.
fn read_stat(id: u32, stat: &str) -> Option<(Process, u64)> {
    let (before, after) = stat.rsplit_once(')')?;
    let program = before.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = after.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some((Process { id, program, started: field(22)? }, field(14)? + field(15)?))
}

fn resident_mb(id: u32) -> Option<f64> {
    read_resident_mb(&fs::read_to_string(format!("/proc/{id}/status")).ok()?)
}

fn read_resident_mb(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_the_functions_if_it_has_its_name_and_speaks_to_its_aws() {
        let function = Environment {
            function: "photos-thumbnail".to_owned(),
            endpoint: "http://127.0.0.1:4566".to_owned(),
        };
        let own = "PATH=/bin\0AWS_LAMBDA_FUNCTION_NAME=photos-thumbnail\0AWS_ENDPOINT_URL=http://127.0.0.1:4566\0";
        assert!(function.is_in(own.as_bytes()));
        for other in [
            own.replace("photos-thumbnail", "photos-thumbnail-2"),
            own.replace("4566", "45661"),
            own.replace("AWS_LAMBDA_FUNCTION_NAME", "XAWS_LAMBDA_FUNCTION_NAME"),
            String::new(),
        ] {
            assert!(!function.is_in(other.as_bytes()), "{other:?}");
        }
    }

    #[test]
    fn cpu_time_is_that_of_the_user_and_of_the_kernel_whatever_the_program_is_called() {
        let stat =
            "42 (boot) 1 (x) S 7 42 42 0 -1 4194560 5143 0 9 0 31 12 0 0 20 0 6 0 987654 1 2";
        let (process, ticks) = read_stat(42, stat).unwrap();
        assert_eq!((process.program.as_str(), process.started, ticks), ("boot) 1 (x", 987_654, 43));
        assert!(read_stat(42, "42 (boot").is_none());
    }

    #[test]
    fn memory_is_the_resident_set() {
        assert_eq!(read_resident_mb("VmHWM:\t   40960 kB\nVmRSS:\t   20480 kB\n"), Some(20.0));
        assert_eq!(read_resident_mb("Name:\tkthreadd\n"), None);
    }
}
