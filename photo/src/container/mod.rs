//! The structure of picture files: where pixels and metadata lie.
//!
//! Every walk is linear in the bytes, checks the cancel flag, and limits what it collects.

pub(crate) mod gif;
#[cfg_attr(
    not(feature = "heic"),
    allow(dead_code, unused_imports, reason = "what only the decoder of HEIC asks of the file")
)]
pub(crate) mod heif;
pub(crate) mod jpeg;
pub(crate) mod lzw;
pub(crate) mod png;
pub(crate) mod raw;
pub(crate) mod riff;
pub(crate) mod tiff;

use crate::CancelFlag;

/// A named part of a file.
pub(crate) struct Chunk<'a> {
    /// Its four-letter type.
    pub name: &'a [u8],
    /// Its content.
    pub data: &'a [u8],
    /// Bytes from the start of this chunk to the start of the next. Never 0, so that every walk ends.
    pub length: usize,
}

/// Iterates over the chunks in these bytes, up to the first incomplete one or until the flag is raised.
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

#[cfg(test)]
mod tests {
    use super::heif::media_box;
    use super::png::png_chunk;
    use super::riff::riff_chunk;
    use super::*;

    #[test]
    fn no_chunk_has_length_zero_whatever_it_declares() {
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
    fn a_raised_flag_stops_the_walk() {
        let cancel = CancelFlag::default();
        let bytes = b"name\0\0\0\0".repeat(3);
        let mut walk = chunks(Some(&bytes), riff_chunk, &cancel);
        assert!(walk.next().is_some());
        cancel.raise();
        assert!(walk.next().is_none());
    }
}
