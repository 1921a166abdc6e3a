//! Measures a file's CPU time and memory in a separate process, which the file may crash.

use std::env;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use photo::{CancelFlag, Encoding, Policy, Resampling, Spec, inspect};

use super::{MEMORY, SPEC, render_as};

const FILE: &str = "THUMBNAILER_TEST_FILE";
const ENCODING: &str = "THUMBNAILER_TEST_ENCODING";
/// The WebP that takes the most memory of a photo.
pub const WHOLE_WEBP: Spec = Spec { encoding: Encoding::WebP, ..Spec::scaled(1.0, 1.0) };
/// Longest wait for a file: far more than the CPU time that it may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Most CPU time for a file, on a whole processor of the speed that [`YARDSTICK`] tells.
const SOON: Duration = Duration::from_secs(2);
/// Runs of a file that takes longer: other processes share caches and memory with it, which only adds to its CPU
/// time, so that the least counts.
const RUNS: usize = 3;
/// CPU time of [`work`] on the machine for whose speed the limits of the readers are set.
const YARDSTICK: Duration = Duration::from_millis(320);

/// The outcome of a file, and its cost.
#[derive(Clone, Debug)]
pub struct Cost {
    /// `Thumbnail`, or the name of the failure.
    pub end: String,
    /// CPU time of the thread that rendered it.
    pub cpu: Duration,
    /// MB that the plan announced, including the file itself.
    pub needed: u64,
    /// MB by which the process grew.
    pub taken: u64,
}

/// Measures the cost of a file's thumbnail.
pub fn of(photo: &[u8], name: &str) -> Cost {
    of_spec(photo, name, SPEC)
}

/// Measures the cost of a rendition of a file, the thumbnail or [`WHOLE_WEBP`].
pub fn of_spec(photo: &[u8], name: &str, spec: Spec) -> Cost {
    let path = env::temp_dir().join(format!("thumbnailer-{}-{name}", std::process::id()));
    fs::write(&path, photo).unwrap();
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "cost::of_one_file", "--ignored", "--nocapture"])
        .env(FILE, &path)
        .env(ENCODING, spec.encoding.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = ended(child, name);
    fs::remove_file(&path).unwrap();
    let figures = output.lines().find_map(|line| line.split_once("cost: ")).map(|(_, rest)| rest);
    let figures = figures.unwrap_or_else(|| panic!("{name} crashed the process: {output}"));
    let figures: Vec<&str> = figures.split(' ').collect();
    let [end, cpu, taken] = figures[..] else { panic!("{figures:?}") };
    let inspected = inspect(photo, Policy::default(), &CancelFlag::default());
    let plan = inspected.plan(&[spec], Resampling::Best, MEMORY).map(|plan| plan.memory);
    // A refused file needs no more than its own bytes.
    let picture = plan.ok().filter(|memory| *memory <= MEMORY).unwrap_or(0);
    let needed = picture + photo.len() as u64;
    Cost {
        end: end.to_owned(),
        cpu: Duration::from_nanos(cpu.parse().unwrap()),
        needed: needed >> 20,
        taken: taken.parse().unwrap(),
    }
}

fn ended(mut child: Child, name: &str) -> String {
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("{name} has not ended after {PATIENCE:?}");
        }
        sleep(Duration::from_millis(5));
    }
    String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned()
}

#[test]
#[ignore = "it measures the machine, for YARDSTICK"]
fn yardstick() {
    for _ in 0..5 {
        println!("{:?}", timed(work));
    }
}

#[test]
#[ignore = "the other tests run this in a separate process"]
fn of_one_file() {
    let Ok(path) = env::var(FILE) else { return };
    let before = peak_mb();
    let photo = fs::read(path).unwrap();
    let is_webp = env::var(ENCODING).is_ok_and(|encoding| encoding == "WebP");
    let spec = if is_webp { WHOLE_WEBP } else { SPEC };
    let (rendered, cpu) = timed(|| render_as(&photo, spec));
    let end = rendered.map_or_else(|failure| failure.name(), |_| "Thumbnail");
    println!("cost: {end} {} {}", cpu.as_nanos(), (peak_mb() - before).ceil());
}

/// Peak memory of this process so far, in MB (proc(5), VmHWM).
fn peak_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix("kB").unwrap().trim().parse::<f64>().unwrap() / 1024.0
}

/// Checks that a file which took this CPU time ends soon. Where it has not, it runs again, and is compared with
/// other work on the same machine, which may be slow or busy.
pub fn assert_soon(taken: Duration, name: &str, again: impl Fn() -> Duration) {
    if taken < SOON {
        return;
    }
    let least = (1..RUNS).map(|_| again()).fold(taken, Duration::min);
    let slowness = timed(work).1.as_secs_f64() / YARDSTICK.as_secs_f64();
    let most = SOON.mul_f64(slowness.max(1.0));
    assert!(least < most, "{name} took {least:?} of CPU time, on this machine at most {most:?}");
}

/// Work of arithmetic, jumps and fresh memory, in about the shares of decoding.
fn work() -> u64 {
    let mut state = 1u64;
    let mut numbers: Vec<u32> = (0..16 << 20)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as u32
        })
        .collect();
    numbers.sort_unstable();
    numbers.iter().step_by(1000).map(|number| u64::from(*number)).sum()
}

/// The outcome of this work, and the CPU time that it took.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = cpu_time();
    let outcome = work();
    (outcome, cpu_time() - started)
}

/// CPU time of this thread so far (Documentation/scheduler/sched-stats.rst of Linux).
fn cpu_time() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}
