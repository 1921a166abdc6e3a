//! PNG: the chunk eXIf, and how ImageMagick stored EXIF before there was one.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::ZlibDecoder;

use super::{Chunk, MAX_COPIED_BYTES, chunks};

/// Keywords of texts that are EXIF in hexadecimal digits, with the NUL behind them.
const PROFILES: [&[u8]; 2] = [b"Raw profile type exif\0", b"Raw profile type APP1\0"];

pub(super) fn blocks(file: &[u8]) -> impl Iterator<Item = Cow<'_, [u8]>> {
    chunks(file.get(8..), chunk).filter_map(|chunk| match chunk.name {
        b"eXIf" => Some(chunk.data.into()),
        b"tEXt" => profile(chunk.data).and_then(unhexed).map(Cow::from),
        b"zTXt" => {
            // Behind the keyword, the one method of compression that there is (PNG clause 11.3.3.3).
            let compressed = profile(chunk.data)?.strip_prefix(b"\0")?;
            let mut text = Vec::new();
            let limit = 3 * MAX_COPIED_BYTES as u64;
            ZlibDecoder::new(compressed).take(limit).read_to_end(&mut text).ok()?;
            unhexed(&text).map(Cow::from)
        }
        _ => None,
    })
}

/// Length, name, data and checksum (PNG clause 5.3).
fn chunk(bytes: &[u8]) -> Option<Chunk<'_>> {
    let length = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
    let end = length.checked_add(8)?;
    Some(Chunk { name: bytes.get(4..8)?, data: bytes.get(8..end)?, length: end + 4 })
}

fn profile(text: &[u8]) -> Option<&[u8]> {
    PROFILES.iter().find_map(|keyword| text.strip_prefix(*keyword))
}

/// The bytes behind a line with the profile's name and one with its length, in lines of digits.
fn unhexed(profile: &[u8]) -> Option<Vec<u8>> {
    let profile = profile.trim_ascii_start();
    let mut lines = profile.splitn(3, |byte| *byte == b'\n').skip(2);
    let digits = lines.next()?.iter().filter(|byte| !byte.is_ascii_whitespace());
    let digits: Option<Vec<u8>> =
        digits.map(|byte| char::from(*byte).to_digit(16).map(|digit| digit as u8)).collect();
    Some(digits?.as_chunks().0.iter().map(|[high, low]| high << 4 | low).collect())
}
