//! The chunks of a WebP.

use super::{Chunk, chunks};
use crate::{CancelFlag, PhotoError, Size};

/// Most chunks of a file; each frame of an animation is one.
const MAX_CHUNKS: usize = 1 << 16;

/// A chunk: name, length, data, and a padding byte if the length is odd (WebP container specification).
pub(crate) fn riff_chunk(bytes: &[u8]) -> Option<Chunk<'_>> {
    let (name, rest) = bytes.split_at_checked(4)?;
    let length = u32::from_le_bytes(*rest.first_chunk()?) as usize;
    let end = length.checked_add(8)?;
    Some(Chunk { name, data: bytes.get(8..end)?, length: end + length % 2 })
}

/// The flags of a VP8X chunk, which announce other chunks (WebP container specification, "Extended File
/// Format").
pub(crate) mod flag {
    pub const PROFILE: u8 = 0x20;
    pub const ALPHA: u8 = 0x10;
    pub const EXIF: u8 = 0x08;
    pub const XMP: u8 = 0x04;
    pub const ANIMATION: u8 = 0x02;
}
/// Offset of the flags: the VP8X chunk is the first.
pub(crate) const FLAGS_AT: usize = 20;

/// What the chunks of a WebP hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contents<'a> {
    /// The embedded colour profile.
    pub profile: Option<&'a [u8]>,
    /// The flags that agree with the chunks; `None` if there is no VP8X chunk.
    pub flags: Option<u8>,
    /// Whether the file is as long as its header says.
    pub has_end: bool,
}

/// Where a WebP ends by its own header, or where its bytes do.
pub(crate) fn end(webp: &[u8]) -> usize {
    webp.len().min(announced_end(webp))
}

fn announced_end(webp: &[u8]) -> usize {
    let length = webp.get(4..8).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    length.unwrap_or_default() as usize + 8
}

/// Reads the chunks' names, and the profile.
///
/// # Errors
/// [`PhotoError::Corrupt`] if there are more chunks than a photo has.
pub(crate) fn contents<'a>(
    webp: &'a [u8],
    cancel: &CancelFlag,
) -> Result<Contents<'a>, PhotoError> {
    let end = end(webp);
    let (mut profile, mut has_frame, mut has_alpha, mut is_lossy) = (None, false, false, false);
    for (number, chunk) in chunks(webp.get(12..end), riff_chunk, cancel).enumerate() {
        if number == MAX_CHUNKS {
            return Err(PhotoError::Corrupt("it has more chunks than any photo has".into()));
        }
        match chunk.name {
            b"ICCP" => profile = profile.or(Some(chunk.data)),
            b"ANMF" => has_frame = true,
            b"ALPH" => has_alpha = true,
            b"VP8 " => is_lossy = true,
            _ => {}
        }
    }
    let flags = webp.get(FLAGS_AT).filter(|_| webp.get(12..16) == Some(b"VP8X")).map(|stored| {
        // Metadata is not read by the decoder, which refuses a photo that lacks what is announced.
        let mut flags = stored & !(flag::PROFILE | flag::EXIF | flag::XMP);
        if !has_frame {
            flags &= !flag::ANIMATION;
        }
        if is_lossy {
            flags = flags & !flag::ALPHA | if has_alpha { flag::ALPHA } else { 0 };
        }
        flags
    });
    Ok(Contents { profile, flags, has_end: announced_end(webp) <= webp.len() })
}

/// The file in parts, with these flags instead of its own.
pub(crate) fn with_flags<'a>(webp: &'a [u8], flags: Option<&'a u8>) -> Vec<&'a [u8]> {
    match (flags, webp.get(..FLAGS_AT), webp.get(FLAGS_AT + 1..)) {
        (Some(flags), Some(before), Some(behind)) => {
            vec![before, std::slice::from_ref(flags), behind]
        }
        _ => vec![webp],
    }
}

/// A copy of a simple WebP of this size with a colour profile (RFC 9649 sections 2.6 and 2.7).
pub(crate) fn with_profile(webp: &[u8], size: Size, profile: &[u8]) -> Vec<u8> {
    let image = webp.get(12..).unwrap_or_default();
    let [width, height] = [size.width, size.height].map(|side| (side - 1).to_le_bytes());
    let extended = [&[flag::PROFILE, 0, 0, 0], &width[..3], &height[..3]].concat();
    let mut chunks = Vec::new();
    push_chunk(b"VP8X", &extended, &mut chunks);
    push_chunk(b"ICCP", profile, &mut chunks);
    chunks.extend_from_slice(image);
    [b"RIFF", &(chunks.len() as u32 + 4).to_le_bytes()[..], b"WEBP", &chunks].concat()
}

/// Appends a chunk with this name and these data, and a padding byte.
pub(crate) fn push_chunk(name: &[u8], data: &[u8], webp: &mut Vec<u8>) {
    webp.extend_from_slice(name);
    webp.extend((data.len() as u32).to_le_bytes());
    webp.extend_from_slice(data);
    webp.resize(webp.len().next_multiple_of(2), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_profile_is_found_if_the_chunks_are_not_too_many() {
        let profile = |chunks: &[&[u8]]| {
            let chunks = chunks.concat();
            let length = (chunks.len() as u32 + 4).to_le_bytes();
            // Bytes after the end of the file are not part of it.
            let file = [b"RIFF", &length[..], b"WEBP", &chunks, b"ICCP\x01\0\0\0!\0"].concat();
            let contents = contents(&file, &CancelFlag::default());
            contents.map(|found| found.profile.map(<[u8]>::to_vec))
        };
        let (one, other) = (b"ICCP\x03\0\0\0abc\0", b"XYZ \0\0\0\0");
        assert_eq!(profile(&[other, one, b"ICCP\0\0\0\0"]), Ok(Some(b"abc".to_vec())));
        assert_eq!(profile(&[other]), Ok(None));
        assert_eq!(profile(&[&other.repeat(MAX_CHUNKS)]), Ok(None));
        assert!(profile(&[&other.repeat(MAX_CHUNKS + 1)]).is_err());
    }

    #[test]
    fn flags_announce_no_chunk_that_is_not_there() {
        let flags = |stored: u8, names: &[&[u8; 4]]| {
            let chunk = |name: &&[u8; 4]| [&name[..], b"\0\0\0\0"].concat();
            let chunks: Vec<u8> = names.iter().flat_map(chunk).collect();
            let extended = [b"VP8X\x0A\0\0\0", &[stored][..], &[0; 9]].concat();
            let length = (4 + extended.len() + chunks.len()) as u32;
            let file = [b"RIFF", &length.to_le_bytes()[..], b"WEBP", &extended, &chunks].concat();
            let flags = contents(&file, &CancelFlag::default()).unwrap().flags.unwrap();
            let patched = with_flags(&file, Some(&flags)).concat();
            assert_eq!((patched.len(), patched[20]), (file.len(), flags));
            flags
        };
        assert_eq!(flags(0xFF, &[b"VP8 "]), 0xC1);
        assert_eq!(flags(0x3E, &[b"VP8 "]), 0);
        assert_eq!(flags(0x3E, &[b"ALPH", b"VP8 "]), flag::ALPHA);
        assert_eq!(flags(0, &[b"ALPH", b"VP8 "]), flag::ALPHA);
        assert_eq!(flags(0x3E, &[b"VP8L"]), flag::ALPHA, "it says itself whether it has alpha");
        assert_eq!(flags(0x12, &[b"ANIM", b"ANMF"]), 0x12);
        let without = contents(b"RIFF\x0C\0\0\0WEBPVP8 \0\0\0\0", &CancelFlag::default());
        assert_eq!(without.unwrap().flags, None);
    }

    #[test]
    fn a_file_that_is_shorter_than_it_says_has_no_end() {
        let whole = b"RIFF\x0C\0\0\0WEBPVP8 \0\0\0\0and more";
        let has_end = |length| contents(&whole[..length], &CancelFlag::default()).unwrap().has_end;
        assert!(has_end(whole.len()) && has_end(20));
        assert!(!has_end(19) && !has_end(12) && !has_end(4));
    }
}
