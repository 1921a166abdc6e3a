//! WebP: the chunks of the picture, with metadata written anew behind them (RFC 9649 section 2.7).

use super::{Original, Refusal};
use crate::container::riff::{self, FLAGS_AT, flag, push_chunk, riff_chunk};
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
    let end = riff::end(webp);
    let mut copy = Vec::with_capacity(end);
    copy.extend(b"RIFF\0\0\0\0WEBP");
    let mut has_profile = false;
    for one in chunks(webp.get(HEADER_BYTES..end), riff_chunk, cancel) {
        match one.name {
            b"ICCP" => {
                has_profile = true;
                push_chunk(one.name, one.data, &mut copy);
            }
            b"VP8X" | b"ANIM" | b"ALPH" | b"VP8 " | b"VP8L" => {
                push_chunk(one.name, one.data, &mut copy)
            }
            b"ANMF" => push_chunk(one.name, &frame(&one, original), &mut copy),
            _ => {}
        }
    }
    cancel.check()?;
    let mut announced = if has_profile { flag::PROFILE } else { 0 };
    if let Some(exif) = &kept.exif {
        push_chunk(b"EXIF", exif, &mut copy);
        announced |= flag::EXIF;
    }
    if let Some(packet) = kept.xmp.first() {
        push_chunk(b"XMP ", packet, &mut copy);
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
            push_chunk(one.name, one.data, &mut copy);
        }
    }
    copy
}
