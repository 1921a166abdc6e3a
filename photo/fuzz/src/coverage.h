// Reports the coverage of C code to libFuzzer, which by itself supports only clang's newer instrumentation.
// `-include` this file with -fsanitize-coverage=trace-pc, for which gcc and clang call the function below in each
// basic block. The function counts work too.

#include <stdint.h>

// libFuzzer uses the content of this section as counters.
__attribute__((section("__libfuzzer_extra_counters"), weak)) uint8_t coverage_counters[1 << 16];

// Defined in work.rs, but not in the programs that only test the compiler.
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
