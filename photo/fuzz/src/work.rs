//! Measures work by counting the basic blocks that Rust and C execute. Nothing is timed, so a busy machine
//! makes no difference.

use std::arch::global_asm;
use std::ptr;

/// Basic blocks executed so far. coverage.h counts those of C.
#[unsafe(no_mangle)]
static mut FUZZ_WORK: u64 = 0;

// LLVM calls this function in each basic block of Rust, because run.py passes flags to it and to the
// linker. Written in Rust, the function would call itself.
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

/// Runs `work`, and returns the number of basic blocks that it executes.
pub fn of<T>(work: impl FnOnce() -> T) -> (T, u64) {
    // SAFETY: only one thread reads and writes it.
    let count = || unsafe { ptr::read_volatile(&raw const FUZZ_WORK) };
    let before = count();
    let result = work();
    (result, count() - before)
}
