//! What files are made of: where pictures and what is said of them lie.
//!
//! Each walk is linear in the bytes, looks at the cancel flag, and has a limit to what it collects.

pub(crate) mod gif;
pub(crate) mod heif;
pub(crate) mod jpeg;
pub(crate) mod lzw;
pub(crate) mod png;
pub(crate) mod riff;

use crate::CancelFlag;

/// A named part of a file.
pub(crate) struct Chunk<'a> {
    /// Four letters.
    pub name: &'a [u8],
    /// What it holds.
    pub data: &'a [u8],
    /// Bytes from the beginning of this chunk to that of the next: never 0, so that no file is walked
    /// for ever.
    pub length: usize,
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

#[cfg(test)]
mod tests {
    use super::heif::media_box;
    use super::png::png_chunk;
    use super::riff::riff_chunk;
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
