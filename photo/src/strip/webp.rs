//! WebP: the chunks of the picture, with metadata written anew behind them (RFC 9649 section 2.7).

use super::{Original, Refusal};
use crate::container::riff::{self, FLAGS_AT, chunk, flag, riff_chunk};
use crate::container::{Chunk, chunks};

/// Bytes before the first chunk: `RIFF`, the length of what follows it, `WEBP`.
const HEADER_BYTES: usize = 12;
/// Bytes of a frame of an animation before its chunks.
const FRAME_BYTES: usize = 16;

/// Copies the chunks of the picture. What follows the end of the file as its header gives it is left out.
pub(super) fn stripped(original: &Original) -> Result<Vec<u8>, Refusal> {
    let (webp, cancel) = (original.bytes(), original.cancel);
    let flags = riff::contents(webp, cancel)?.flags;
    let kept = original.kept()?;
    let length = webp.get(4..8).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    let end = webp.len().min(length.unwrap_or_default() as usize + 8);
    let mut copy = Vec::with_capacity(end);
    copy.extend(b"RIFF\0\0\0\0WEBP");
    let mut has_profile = false;
    for one in chunks(webp.get(HEADER_BYTES..end), riff_chunk, cancel) {
        match one.name {
            b"ICCP" => {
                has_profile = true;
                push(&one, one.data, &mut copy);
            }
            b"VP8X" | b"ANIM" | b"ALPH" | b"VP8 " | b"VP8L" => push(&one, one.data, &mut copy),
            b"ANMF" => push(&one, &frame(&one, original), &mut copy),
            _ => {}
        }
    }
    cancel.check()?;
    let mut announced = if has_profile { flag::PROFILE } else { 0 };
    if let Some(exif) = &kept.exif {
        copy.extend(chunk(b"EXIF", exif));
        announced |= flag::EXIF;
    }
    if let Some(packet) = kept.xmp.first() {
        copy.extend(chunk(b"XMP ", packet));
        announced |= flag::XMP;
    }
    if let (Some(flags), Some(place)) = (flags, copy.get_mut(FLAGS_AT)) {
        *place = flags | announced;
    }
    let length = u32::try_from(copy.len() - 8);
    let length = length.map_err(|_| Refusal::Because("it is too long for its format"))?;
    if let Some(place) = copy.get_mut(4..8) {
        place.copy_from_slice(&length.to_le_bytes());
    }
    Ok(copy)
}

/// A frame of an animation without unknown chunks.
fn frame(frame: &Chunk, original: &Original) -> Vec<u8> {
    let (header, picture) = frame.data.split_at_checked(FRAME_BYTES).unwrap_or((frame.data, &[]));
    let mut copy = header.to_vec();
    for one in chunks(Some(picture), riff_chunk, original.cancel) {
        if matches!(one.name, b"ALPH" | b"VP8 " | b"VP8L") {
            push(&one, one.data, &mut copy);
        }
    }
    copy
}

/// Appends a chunk with its name and these data, and a padding byte.
fn push(one: &Chunk, data: &[u8], copy: &mut Vec<u8>) {
    copy.extend_from_slice(one.name);
    copy.extend((data.len() as u32).to_le_bytes());
    copy.extend_from_slice(data);
    copy.resize(copy.len().next_multiple_of(2), 0);
}
