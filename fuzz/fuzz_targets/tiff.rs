#![no_main]

use fuzz::photo::Format;
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|photo: &[u8]| -> Corpus { fuzz::develop(photo, Format::Tiff) });
