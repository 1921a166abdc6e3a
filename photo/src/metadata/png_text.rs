//! PNG: the chunk eXIf, and the texts in which ImageMagick stored EXIF before that chunk existed.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::ZlibDecoder;

use super::blocks::MAX_BLOCKS;
use crate::CancelFlag;
use crate::container::png::png_chunk;
use crate::container::{Chunk, chunks};

/// Keywords of texts that hold EXIF in hexadecimal digits, with the NUL that ends them.
const PROFILES: [&[u8]; 2] = [b"Raw profile type exif\0", b"Raw profile type APP1\0"];

/// Most bytes of a text. It has two digits for each byte, and the JPEG segment from which it was copied
/// had at most 64 KB.
const MAX_TEXT_BYTES: u64 = 256 * 1024;

/// Most compressed bytes of all texts together. Deflate makes no text larger, but a file can hold any
/// number of empty blocks, each of which takes a microsecond.
const MAX_COMPRESSED_BYTES: usize = 2 * MAX_TEXT_BYTES as usize;

/// The blocks of EXIF. Some begin with the identifier of a JPEG's segment.
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
        (b"tEXt", Some(text)) => decode_hex(text).map(Cow::from),
        (_, Some(text)) => decode_hex(&inflate(text, &mut budget)?).map(Cow::from),
        (_, None) => Some(chunk.data.into()),
    })
}

fn profile(text: &[u8]) -> Option<&[u8]> {
    PROFILES.iter().find_map(|keyword| text.strip_prefix(*keyword))
}

/// Inflates the text of a zTXt chunk, which begins with 0, the only compression method (PNG clause
/// 11.3.3.3).
fn inflate(text: &[u8], budget: &mut usize) -> Option<Vec<u8>> {
    let mut inflated = Vec::new();
    let text = text.strip_prefix(b"\0")?;
    let text = text.get(..*budget).unwrap_or(text);
    *budget -= text.len();
    ZlibDecoder::new(text).take(MAX_TEXT_BYTES).read_to_end(&mut inflated).ok()?;
    Some(inflated)
}

/// Decodes the lines of digits that follow a line with the profile's name and a line with its length.
fn decode_hex(profile: &[u8]) -> Option<Vec<u8>> {
    let profile = profile.get(..MAX_TEXT_BYTES as usize).unwrap_or(profile).trim_ascii_start();
    let mut lines = profile.splitn(3, |byte| *byte == b'\n').skip(2);
    let digits = lines.next()?.iter().filter(|byte| !byte.is_ascii_whitespace());
    let digits: Option<Vec<u8>> =
        digits.map(|byte| char::from(*byte).to_digit(16).map(|digit| digit as u8)).collect();
    Some(digits?.as_chunks().0.iter().map(|[high, low]| high << 4 | low).collect())
}
