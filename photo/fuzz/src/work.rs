//! How much work is done, by Rust and by C: the basic blocks that are run are counted. Nothing is timed,
//! so that a busy machine changes nothing.

use std::arch::global_asm;
use std::ptr;

/// Basic blocks so far. Those of C are counted by coverage.h.
#[unsafe(no_mangle)]
static mut FUZZ_WORK: u64 = 0;

// What LLVM calls in each basic block of Rust, as run.py has it and the linker do. In Rust it would call
// itself.
#[cfg(target_arch = "x86_64")]
global_asm!(
    ".globl __wrap___sanitizer_cov_trace_pc",
    "__wrap___sanitizer_cov_trace_pc:",
    "inc qword ptr [rip + {work}]",
    "ret",
    work = sym FUZZ_WORK,
);
#[cfg(target_arch = "aarch64")]
global_asm!(
    ".globl __wrap___sanitizer_cov_trace_pc",
    "__wrap___sanitizer_cov_trace_pc:",
    "adrp x16, {work}",
    "ldr x17, [x16, :lo12:{work}]",
    "add x17, x17, #1",
    "str x17, [x16, :lo12:{work}]",
    "ret",
    work = sym FUZZ_WORK,
);

/// The basic blocks that `work` takes.
pub fn of<T>(work: impl FnOnce() -> T) -> (T, u64) {
    // SAFETY: one thread alone writes and reads it.
    let count = || unsafe { ptr::read_volatile(&raw const FUZZ_WORK) };
    let before = count();
    let result = work();
    (result, count() - before)
}
