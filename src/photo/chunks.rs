//! The parts of files that are made of named ones: chunks of RIFF and PNG, boxes of ISO base media.

use super::CancelFlag;

/// A named part of a file.
pub(crate) struct Chunk<'a> {
    /// Four letters.
    pub name: &'a [u8],
    /// What it holds.
    pub data: &'a [u8],
    /// Bytes from the beginning of this chunk to that of the next: never 0, so that no file is walked
    /// for ever.
    length: usize,
}

/// The chunks in these bytes, as far as they are whole and until the flag is raised.
pub(crate) fn chunks<'a>(
    bytes: Option<&'a [u8]>,
    chunk: impl Fn(&'a [u8]) -> Option<Chunk<'a>>,
    cancel: &CancelFlag,
) -> impl Iterator<Item = Chunk<'a>> {
    let mut rest = bytes.unwrap_or_default();
    std::iter::from_fn(move || {
        cancel.check().ok()?;
        let chunk = chunk(rest)?;
        rest = rest.get(chunk.length..).unwrap_or_default();
        Some(chunk)
    })
}

/// Name, length, data and a byte that makes it even (WebP container specification).
pub(crate) fn riff_chunk(bytes: &[u8]) -> Option<Chunk<'_>> {
    let (name, rest) = bytes.split_at_checked(4)?;
    let length = u32::from_le_bytes(*rest.first_chunk()?) as usize;
    let end = length.checked_add(8)?;
    Some(Chunk { name, data: bytes.get(8..end)?, length: end + length % 2 })
}

/// Length, name, data and checksum (PNG clause 5.3).
pub(crate) fn png_chunk(bytes: &[u8]) -> Option<Chunk<'_>> {
    let length = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
    let end = length.checked_add(8)?;
    Some(Chunk { name: bytes.get(4..8)?, data: bytes.get(8..end)?, length: end + 4 })
}

/// Length of the whole, name and data; a length of 1 is given behind the name in 64 bits, and one of
/// 0 reaches to the end (ISO/IEC 14496-12 clause 4.2).
pub(crate) fn media_box(bytes: &[u8]) -> Option<Chunk<'_>> {
    let name = bytes.get(4..8)?;
    let (length, start) = match u32::from_be_bytes(*bytes.first_chunk()?) {
        0 => (bytes.len(), 8),
        1 => (usize::try_from(u64::from_be_bytes(*bytes.get(8..)?.first_chunk()?)).ok()?, 16),
        length => (length as usize, 8),
    };
    Some(Chunk { name, data: bytes.get(start..length)?, length })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chunk_is_longer_than_nothing_whatever_it_says() {
        for first in [0u8, 1, 2, 7, 8, 9, 255] {
            for bytes in [[0, 0, 0, first], [first, 0, 0, 0]] {
                let bytes = [&bytes[..], b"name", &[0; 8], &bytes, &[0; 300]].concat();
                for chunk in [riff_chunk, png_chunk, media_box] {
                    assert!(chunk(&bytes).is_none_or(|chunk| chunk.length >= 8), "{bytes:?}");
                }
            }
        }
    }

    #[test]
    fn a_raised_flag_ends_the_walk() {
        let cancel = CancelFlag::default();
        let bytes = b"name\0\0\0\0".repeat(3);
        let mut walk = chunks(Some(&bytes), riff_chunk, &cancel);
        assert!(walk.next().is_some());
        cancel.raise();
        assert!(walk.next().is_none());
    }
}
