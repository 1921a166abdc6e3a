//! The chunks of a WebP.

use super::{Chunk, chunks};
use crate::{CancelFlag, PhotoError};

/// Most chunks of a file; each frame of an animation is one.
const MAX_CHUNKS: usize = 1 << 16;

/// A chunk: name, length, data, and a padding byte if the length is odd (WebP container specification).
pub(crate) fn riff_chunk(bytes: &[u8]) -> Option<Chunk<'_>> {
    let (name, rest) = bytes.split_at_checked(4)?;
    let length = u32::from_le_bytes(*rest.first_chunk()?) as usize;
    let end = length.checked_add(8)?;
    Some(Chunk { name, data: bytes.get(8..end)?, length: end + length % 2 })
}

/// The embedded colour profile.
///
/// # Errors
/// [`PhotoError::Corrupt`] if there are more chunks than a photo has.
pub(crate) fn profile<'a>(
    webp: &'a [u8],
    cancel: &CancelFlag,
) -> Result<Option<&'a [u8]>, PhotoError> {
    let length = webp.get(4..8).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    let end = webp.len().min(length.unwrap_or_default() as usize + 8);
    let mut profile = None;
    for (number, chunk) in chunks(webp.get(12..end), riff_chunk, cancel).enumerate() {
        if number == MAX_CHUNKS {
            return Err(PhotoError::Corrupt("it has more chunks than any photo has".into()));
        }
        if chunk.name == b"ICCP" && profile.is_none() {
            profile = Some(chunk.data);
        }
    }
    Ok(profile)
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
            profile(&file, &CancelFlag::default()).map(|found| found.map(<[u8]>::to_vec))
        };
        let (one, other) = (b"ICCP\x03\0\0\0abc\0", b"XYZ \0\0\0\0");
        assert_eq!(profile(&[other, one, b"ICCP\0\0\0\0"]), Ok(Some(b"abc".to_vec())));
        assert_eq!(profile(&[other]), Ok(None));
        assert_eq!(profile(&[&other.repeat(MAX_CHUNKS)]), Ok(None));
        assert!(profile(&[&other.repeat(MAX_CHUNKS + 1)]).is_err());
    }
}
