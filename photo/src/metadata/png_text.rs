//! PNG: the chunk eXIf, and the texts that hold metadata: those in which ImageMagick stored EXIF before that
//! chunk existed, the packet of XMP (XMP part 3, clause 1.1.5), and Creation Time (PNG clause 11.3.3.2).

use std::borrow::Cow;
use std::io::Read;

use flate2::read::ZlibDecoder;

use super::blocks::{Blocks, MAX_BLOCKS};
use super::clock::Clock;
use super::text;
use crate::CancelFlag;
use crate::container::png::png_chunk;
use crate::container::{Chunk, chunks};

/// Keywords of texts that hold a block in hexadecimal digits.
const PROFILES: [&[u8]; 5] = [
    b"Raw profile type exif",
    b"Raw profile type APP1",
    b"Raw profile type xmp",
    b"Raw profile type iptc",
    b"Raw profile type 8bim",
];
const XMP: &[u8] = b"XML:com.adobe.xmp";
const CREATION_TIME: &[u8] = b"Creation Time";

/// Most bytes of a text. A profile has two digits for each byte, and the JPEG segment from which it was
/// copied had at most 64 KB.
const MAX_TEXT_BYTES: u64 = 256 * 1024;

/// Most compressed bytes of all texts together. Deflate makes no text larger, but a file can hold any
/// number of empty blocks, each of which takes a microsecond.
const MAX_COMPRESSED_BYTES: usize = 2 * MAX_TEXT_BYTES as usize;

/// What a chunk holds.
enum Content {
    Exif,
    Profile,
    Xmp,
    CreationTime,
}

/// Finds the blocks of metadata.
pub(super) fn find<'a>(file: &'a [u8], cancel: &CancelFlag, blocks: &mut Blocks<'a>) {
    let mut budget = MAX_COMPRESSED_BYTES;
    let found = chunks(file.get(8..), png_chunk, cancel).filter_map(|chunk| {
        let content = content(&chunk)?;
        Some((content, chunk))
    });
    for (content, chunk) in found.take(MAX_BLOCKS) {
        match content {
            Content::Exif => blocks.push_exif(chunk.data.into()),
            Content::Profile => {
                let text = text(&chunk, &mut budget);
                blocks.push_any(decode_hex(&text.unwrap_or_default()).into());
            }
            Content::Xmp => blocks.xmp.extend(text(&chunk, &mut budget)),
            Content::CreationTime => blocks.creation_times.extend(text(&chunk, &mut budget)),
        }
    }
}

/// The time in a text Creation Time. The standard asks for a date of the Internet, and programs write that of
/// EXIF or of XMP.
pub(super) fn created(text: &[u8]) -> Option<Clock> {
    let text = text::plain_bytes(text)?;
    Clock::read(&text).or_else(|| Clock::read_with_month_name(&text))
}

fn content(chunk: &Chunk) -> Option<Content> {
    match chunk.name {
        b"eXIf" => return Some(Content::Exif),
        b"tEXt" | b"zTXt" | b"iTXt" => {}
        _ => return None,
    }
    let keyword = chunk.data.split(|byte| *byte == 0).next()?;
    if PROFILES.contains(&keyword) {
        Some(Content::Profile)
    } else if keyword == XMP {
        Some(Content::Xmp)
    } else if keyword.eq_ignore_ascii_case(CREATION_TIME) {
        Some(Content::CreationTime)
    } else {
        None
    }
}

/// The text behind the keyword. In iTXt, a flag says whether it is compressed; the method of compression, a
/// language and the translated keyword follow (PNG clauses 11.3.3.2 to 11.3.3.4).
fn text<'a>(chunk: &Chunk<'a>, budget: &mut usize) -> Option<Cow<'a, [u8]>> {
    let behind = behind_nul(chunk.data)?;
    match (chunk.name, behind) {
        (b"tEXt", text) => Some(text.into()),
        (b"iTXt", [0, _, rest @ ..]) => Some(behind_nul(behind_nul(rest)?)?.into()),
        (b"iTXt", [_, 0, rest @ ..]) => inflate(behind_nul(behind_nul(rest)?)?, budget),
        (b"zTXt", [0, text @ ..]) => inflate(text, budget),
        _ => None,
    }
}

fn behind_nul(bytes: &[u8]) -> Option<&[u8]> {
    let nul = memchr::memchr(0, bytes)?;
    bytes.get(nul + 1..)
}

/// Inflates a text up to its first fault.
fn inflate<'a>(text: &[u8], budget: &mut usize) -> Option<Cow<'a, [u8]>> {
    let mut inflated = Vec::new();
    let text = text.get(..*budget).unwrap_or(text);
    *budget -= text.len();
    ZlibDecoder::new(text).take(MAX_TEXT_BYTES).read_to_end(&mut inflated).ok()?;
    Some(inflated.into())
}

/// Decodes the lines of digits that follow a line with the profile's name and a line with its length, up to
/// the first byte that is no digit.
fn decode_hex(profile: &[u8]) -> Vec<u8> {
    let profile = profile.get(..MAX_TEXT_BYTES as usize).unwrap_or(profile).trim_ascii_start();
    let mut lines = profile.splitn(3, |byte| *byte == b'\n').skip(2);
    let digits = lines.next().unwrap_or_default().iter().filter(|byte| !byte.is_ascii_whitespace());
    let digits: Vec<u8> =
        digits.map_while(|byte| Some(char::from(*byte).to_digit(16)? as u8)).collect();
    digits.as_chunks().0.iter().map(|[high, low]| high << 4 | low).collect()
}
