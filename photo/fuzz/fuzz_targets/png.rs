#![no_main]

use libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target, fuzzer_mutate};
use photo::Format;

fuzz_target!(|photo: &[u8]| -> Corpus { fuzz::render(photo, Format::Png) });

// The decoder stops at a chunk whose checksum is wrong.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, _seed: u32| {
    let size = fuzzer_mutate(data, size, max_size);
    fuzz::correct_png_checksums(&mut data[..size]);
    size
});
