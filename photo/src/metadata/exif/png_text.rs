//! PNG: the chunk eXIf, and how ImageMagick stored EXIF before there was one.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::ZlibDecoder;

use super::blocks::MAX_BLOCKS;
use crate::CancelFlag;
use crate::container::png::png_chunk;
use crate::container::{Chunk, chunks};

/// Keywords of texts that are EXIF in hexadecimal digits, with the NUL behind them.
const PROFILES: [&[u8]; 2] = [b"Raw profile type exif\0", b"Raw profile type APP1\0"];

/// Of a text of digits, two for a byte: what it is the copy of had at most 64 KB in a JPEG.
const MAX_TEXT_BYTES: u64 = 256 * 1024;

/// Of all texts as they are compressed: deflate makes one no larger, but blocks of nothing, of which each
/// takes a microsecond, can be as many as there is room for.
const MAX_COMPRESSED_BYTES: usize = 2 * MAX_TEXT_BYTES as usize;

/// The blocks of EXIF, of which some begin as in a JPEG.
pub(super) fn blocks<'a>(
    file: &'a [u8],
    cancel: &CancelFlag,
) -> impl Iterator<Item = Cow<'a, [u8]>> {
    let is_exif = |chunk: &Chunk| match chunk.name {
        b"eXIf" => true,
        b"tEXt" | b"zTXt" => profile(chunk.data).is_some(),
        _ => false,
    };
    let mut budget = MAX_COMPRESSED_BYTES;
    let chunks = chunks(file.get(8..), png_chunk, cancel).filter(is_exif).take(MAX_BLOCKS);
    chunks.filter_map(move |chunk| match (chunk.name, profile(chunk.data)) {
        (b"tEXt", Some(text)) => unhexed(text).map(Cow::from),
        (_, Some(text)) => unhexed(&inflated(text, &mut budget)?).map(Cow::from),
        (_, None) => Some(chunk.data.into()),
    })
}

fn profile(text: &[u8]) -> Option<&[u8]> {
    PROFILES.iter().find_map(|keyword| text.strip_prefix(*keyword))
}

/// What follows the one method of compression that there is (PNG clause 11.3.3.3).
fn inflated(text: &[u8], budget: &mut usize) -> Option<Vec<u8>> {
    let mut inflated = Vec::new();
    let text = text.strip_prefix(b"\0")?;
    let text = &text[..text.len().min(*budget)];
    *budget -= text.len();
    ZlibDecoder::new(text).take(MAX_TEXT_BYTES).read_to_end(&mut inflated).ok()?;
    Some(inflated)
}

/// The bytes behind a line with the profile's name and one with its length, in lines of digits.
fn unhexed(profile: &[u8]) -> Option<Vec<u8>> {
    let profile = &profile[..profile.len().min(MAX_TEXT_BYTES as usize)].trim_ascii_start();
    let mut lines = profile.splitn(3, |byte| *byte == b'\n').skip(2);
    let digits = lines.next()?.iter().filter(|byte| !byte.is_ascii_whitespace());
    let digits: Option<Vec<u8>> =
        digits.map(|byte| char::from(*byte).to_digit(16).map(|digit| digit as u8)).collect();
    Some(digits?.as_chunks().0.iter().map(|[high, low]| high << 4 | low).collect())
}
