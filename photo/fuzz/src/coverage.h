// Makes the C code's coverage known to libFuzzer: `-include` this with -fsanitize-coverage=trace-pc,
// by which gcc and clang call this in each basic block. libFuzzer itself knows clang's newer ways only.
// Work is counted by the same.

#include <stdint.h>

// libFuzzer takes what is in this section as counters.
__attribute__((section("__libfuzzer_extra_counters"), weak)) uint8_t coverage_counters[1 << 16];

// Of work.rs; programs that only try the compiler have none.
extern uint64_t FUZZ_WORK __attribute__((weak));

#ifdef __clang__
__attribute__((used, no_sanitize("address", "coverage")))
#else
__attribute__((used, no_sanitize_address, no_sanitize_coverage))
#endif
static void __sanitizer_cov_trace_pc(void) {
    if (&FUZZ_WORK) FUZZ_WORK++;
    uintptr_t block = (uintptr_t)__builtin_return_address(0) - (uintptr_t)coverage_counters;
    coverage_counters[block * 0x9E3779B97F4A7C15 >> 48]++;
}
