#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use photo::Format;

fuzz_target!(|photo: &[u8]| -> Corpus { fuzz::render(photo, Format::Heic) });
