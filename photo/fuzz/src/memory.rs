//! Counts the memory that Rust and C allocate: AddressSanitizer reports every allocation.

use std::ffi::{c_int, c_void};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static TAKEN: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// sanitizer/allocator_interface.h
unsafe extern "C" {
    fn __sanitizer_install_malloc_and_free_hooks(
        malloc: extern "C" fn(*const c_void, usize),
        free: extern "C" fn(*const c_void),
    ) -> c_int;
    safe fn __sanitizer_get_allocated_size(block: *const c_void) -> usize;
}

extern "C" fn took(_: *const c_void, size: usize) {
    let taken = TAKEN.fetch_add(size, Relaxed) + size;
    PEAK.fetch_max(taken, Relaxed);
}

extern "C" fn freed(block: *const c_void) {
    // Memory from before the counting began is freed too. That is why the count starts high, in `peak_of`.
    TAKEN.fetch_sub(__sanitizer_get_allocated_size(block), Relaxed);
}

/// Runs `work`, and returns the most bytes that it held at a time in addition to those held before.
pub fn peak_of<T>(work: impl FnOnce() -> T) -> (T, u64) {
    static COUNTING: Once = Once::new();
    COUNTING.call_once(|| {
        TAKEN.store(1 << 40, Relaxed);
        // SAFETY: both functions have a static lifetime, and neither allocates.
        unsafe { __sanitizer_install_malloc_and_free_hooks(took, freed) };
    });
    let before = TAKEN.load(Relaxed);
    PEAK.store(before, Relaxed);
    let result = work();
    (result, (PEAK.load(Relaxed) - before) as u64)
}
