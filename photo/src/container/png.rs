//! The chunks of a PNG, bounded before png 0.18 reads them.

use flate2::Crc;

use super::{Chunk, chunks};
use crate::{CancelFlag, PhotoError};

/// Most chunks without image data; a photo has some dozens. The decoder allocates up to 150 bytes for the
/// smallest text.
const MAX_METADATA_CHUNKS: usize = 4096;
/// Most chunks of image data, each of which costs the decoder some 200 ns. Encoders write 8 KB or more per
/// chunk, so this is enough for 2 GB.
const MAX_IMAGE_CHUNKS: usize = 1 << 18;
/// Most bytes of a compressed colour profile. The decoder inflates all of it, and deflate blocks can be
/// empty. The largest profiles, those of printers, have some 3 MB.
const MAX_PROFILE_BYTES: usize = 4 << 20;

/// A chunk: length, name, data and checksum (PNG clause 5.3).
pub(crate) fn png_chunk(bytes: &[u8]) -> Option<Chunk<'_>> {
    let length = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
    let end = length.checked_add(8)?;
    Some(Chunk { name: bytes.get(4..8)?, data: bytes.get(8..end)?, length: end + 4 })
}

/// The end chunk. It says nothing but that the file ends, so a file that lacks it, or has a damaged one, is
/// read as if it had this one.
pub(crate) const END: &[u8] = b"\0\0\0\0IEND\xAE\x42\x60\x82";

/// Bytes in the chunks of a PNG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// From the start of the file to the end chunk, or to where it should stand; `None` if image data is
    /// cut off or missing.
    pub before_end: Option<usize>,
    /// The bytes that are cut off from the checksum of the last chunk of image data.
    pub checksum: Vec<u8>,
    /// Whether the end chunk is there.
    pub has_end: bool,
    /// Metadata that the decoder keeps: texts, profiles, EXIF.
    pub kept: u64,
    /// The compressed picture.
    pub image: u64,
}

/// Counts the bytes in the chunks.
///
/// # Errors
/// [`PhotoError::Corrupt`] if there are more chunks than a photo has, or if its profile is too large.
pub(crate) fn sizes(png: &[u8], cancel: &CancelFlag) -> Result<Sizes, PhotoError> {
    let (mut images, mut others) = (0, 0);
    let mut sizes =
        Sizes { before_end: None, checksum: Vec::new(), has_end: false, kept: 0, image: 0 };
    let mut whole = 8; // bytes of the chunks that are not cut off
    for chunk in chunks(png.get(8..), png_chunk, cancel) {
        if chunk.name == b"IEND" {
            sizes.has_end = true;
            break;
        }
        let end = whole + chunk.length;
        // The checksum of a last chunk can be cut off.
        if end <= png.len() || chunk.name == b"IDAT" {
            whole = end.min(png.len());
        }
        if end > png.len() && chunk.name == b"IDAT" {
            let mut checksum = Crc::new();
            checksum.update(chunk.name);
            checksum.update(chunk.data);
            let there = 4_usize.saturating_sub(end - png.len());
            sizes.checksum = checksum.sum().to_be_bytes().into_iter().skip(there).collect();
        }
        match chunk.name {
            b"IDAT" => {
                images += 1;
                sizes.image += chunk.data.len() as u64;
            }
            b"fdAT" | b"fcTL" => images += 1,
            b"iCCP" if chunk.data.len() > MAX_PROFILE_BYTES => {
                return Err(PhotoError::Corrupt(
                    "its colour profile is larger than any printer's".into(),
                ));
            }
            b"tEXt" | b"zTXt" | b"iTXt" | b"iCCP" | b"eXIf" => {
                others += 1;
                sizes.kept += chunk.data.len() as u64;
            }
            _ => others += 1,
        }
        if others > MAX_METADATA_CHUNKS || images > MAX_IMAGE_CHUNKS {
            return Err(PhotoError::Corrupt("it has more chunks than any photo has".into()));
        }
    }
    let cut_off = png.get(whole..).and_then(|rest| rest.get(4..8));
    if images > 0 && (sizes.has_end || cut_off != Some(b"IDAT")) {
        sizes.before_end = Some(whole);
    }
    Ok(sizes)
}

/// The compressed picture, in the parts in which it is stored.
pub(crate) fn image_data<'a>(png: &'a [u8], cancel: &CancelFlag) -> impl Iterator<Item = &'a [u8]> {
    chunks(png.get(8..), png_chunk, cancel)
        .filter(|chunk| chunk.name == b"IDAT")
        .map(|chunk| chunk.data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(chunks: &[(&[u8; 4], usize)]) -> Vec<u8> {
        let mut png = b"\x89PNG\r\n\x1A\n".to_vec();
        for (name, length) in chunks {
            png.extend((*length as u32).to_be_bytes());
            png.extend([&name[..], &vec![0; *length], &[0; 4]].concat());
        }
        png
    }

    fn kept(chunks: &[(&[u8; 4], usize)]) -> Result<u64, PhotoError> {
        sizes(&png(chunks), &CancelFlag::default()).map(|sizes| sizes.kept)
    }

    #[test]
    fn metadata_is_counted_up_to_the_end_chunk() {
        let chunks = [(b"IHDR", 13), (b"iCCP", 300), (b"tEXt", 20), (b"IDAT", 5000), (b"zTXt", 7)];
        assert_eq!(kept(&chunks), Ok(327));
        assert_eq!(kept(&[&chunks[..], &[(b"IEND", 0), (b"tEXt", 9)]].concat()), Ok(327));
    }

    #[test]
    fn a_png_with_more_chunks_than_a_photo_is_refused() {
        for (name, most) in [
            (b"tEXt", MAX_METADATA_CHUNKS),
            (b"quIt", MAX_METADATA_CHUNKS),
            (b"IDAT", MAX_IMAGE_CHUNKS),
        ] {
            assert_eq!(kept(&vec![(name, 0); most]), Ok(0));
            assert!(matches!(kept(&vec![(name, 0); most + 1]), Err(PhotoError::Corrupt(_))));
        }
    }

    #[test]
    fn the_end_chunk_belongs_behind_the_last_whole_chunk() {
        let whole = png(&[(b"IHDR", 13), (b"IDAT", 50), (b"tEXt", 7), (b"IEND", 0)]);
        let before_end = |length: usize| {
            let sizes = sizes(&whole[..length], &CancelFlag::default()).unwrap();
            (sizes.before_end, sizes.has_end)
        };
        let image = 8 + 12 + 13;
        let text = image + 12 + 50;
        let end = text + 12 + 7;
        assert_eq!(before_end(whole.len()), (Some(end), true));
        assert_eq!(before_end(end + 8), (Some(end), true), "without its checksum");
        assert_eq!(before_end(end + 7), (Some(end), false));
        assert_eq!(before_end(end), (Some(end), false));
        assert_eq!(before_end(end - 1), (Some(text), false), "the text is cut off");
        assert_eq!(before_end(text), (Some(text), false));
        assert_eq!(before_end(text - 4), (Some(text - 4), false), "only a checksum is cut off");
        for cut in [text - 5, image + 8, image, 8] {
            assert_eq!(before_end(cut), (None, false), "the image data is cut off");
        }
    }
}
