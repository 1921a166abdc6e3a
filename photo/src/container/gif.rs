//! The blocks of a GIF before its first picture (CompuServe, "Graphics Interchange Format, Version 89a",
//! clauses 15 to 26), bounded before gif 0.14 reads them.

use super::lzw::Lzw;
use crate::{CancelFlag, PhotoError};

/// Most extensions before the first picture; a photo has a few.
const MAX_EXTENSIONS: usize = 4096;
/// Most bytes of application extensions; an XMP packet has some kilobytes.
const MAX_KEPT_BYTES: u64 = 16 << 20;
/// Most sub-blocks. All but the last of a block have 255 bytes, so this is enough for 256 MB.
const MAX_SUB_BLOCKS: usize = 1 << 20;

const EXTENSION: u8 = 0x21;
const IMAGE: u8 = 0x2C;
const APPLICATION: u8 = 0xFF;

/// What the blocks of a GIF hold up to the end of its first picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Bytes of the application extensions before the picture, such as profiles and XMP, all of which the
    /// decoder keeps.
    pub kept: u64,
    /// Whether the picture's end is there.
    pub has_end: bool,
}

/// Reads the blocks' sizes.
///
/// # Errors
/// [`PhotoError::Corrupt`] if the file has more parts than a photo, or if decoding the first picture would
/// cost more than any photo does; [`PhotoError::Cancelled`].
pub(crate) fn sizes(gif: &[u8], cancel: &CancelFlag) -> Result<Sizes, PhotoError> {
    let first = 13 + color_table_bytes(gif.get(10));
    let mut blocks = Blocks { gif, position: first, sub_blocks: 0, are_cut_off: false };
    let kept = kept_bytes(&mut blocks, cancel)?;
    Ok(Sizes { kept, has_end: !blocks.are_cut_off })
}

fn kept_bytes(blocks: &mut Blocks<'_>, cancel: &CancelFlag) -> Result<u64, PhotoError> {
    let gif = blocks.gif;
    let (mut extensions, mut kept) = (0, 0);
    loop {
        cancel.check()?;
        match blocks.byte() {
            Some(EXTENSION) => {
                let is_application = blocks.byte() == Some(APPLICATION);
                let bytes = blocks.data()?;
                kept += if is_application { bytes } else { 0 };
                extensions += 1;
            }
            Some(IMAGE) => {
                // The image descriptor, a local colour table, then the code size.
                blocks.position += 9 + color_table_bytes(gif.get(blocks.position + 8));
                let code_size = blocks.byte().unwrap_or_default();
                let data = blocks.position;
                blocks.data()?;
                Lzw::Gif.count_tables(sub_blocks(gif, data), code_size, &mut 0)?;
                return Ok(kept);
            }
            Some(_) | None => return Ok(kept),
        }
        if extensions > MAX_EXTENSIONS || kept > MAX_KEPT_BYTES {
            return Err(too_many());
        }
    }
}

/// The bytes in the sub-blocks, up to the empty one that ends them.
fn sub_blocks(gif: &[u8], start: usize) -> impl Iterator<Item = u8> {
    let mut rest = gif.get(start..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, behind) = rest.split_first().filter(|(length, _)| **length > 0)?;
        let (block, next) = behind.split_at(behind.len().min(usize::from(*length)));
        rest = next;
        Some(block.iter().copied())
    })
    .flatten()
}

struct Blocks<'a> {
    gif: &'a [u8],
    position: usize,
    sub_blocks: usize,
    /// Whether a byte was asked for behind the end of the file.
    are_cut_off: bool,
}

impl Blocks<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = self.gif.get(self.position).copied();
        self.are_cut_off |= byte.is_none();
        self.position += usize::from(byte.is_some());
        byte
    }

    /// Skips sub-blocks up to the empty one that ends them, and counts the bytes in them.
    fn data(&mut self) -> Result<u64, PhotoError> {
        let mut bytes = 0;
        while let Some(length @ 1..) = self.byte() {
            self.position += usize::from(length);
            bytes += u64::from(length);
            self.sub_blocks += 1;
            if self.sub_blocks > MAX_SUB_BLOCKS {
                return Err(too_many());
            }
        }
        Ok(bytes)
    }
}

/// Bytes of the colour table that follows, if the flags announce one.
fn color_table_bytes(flags: Option<&u8>) -> usize {
    match flags {
        Some(flags) if flags & 0x80 != 0 => 3 * (2 << (flags & 7)),
        _ => 0,
    }
}

fn too_many() -> PhotoError {
    PhotoError::Corrupt("it has more blocks than any photo has".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCREEN: &[u8] = b"GIF89a\x08\0\x08\0\x80\0\0......";
    /// A picture with a local colour table and two sub-blocks of data.
    const PICTURE: &[u8] = b"\x2C\0\0\0\0\x08\0\x08\0\x80......\x02\x02ab\x01c\0";

    fn kept(parts: &[&[u8]]) -> Result<u64, PhotoError> {
        sizes(&[SCREEN, &parts.concat()].concat(), &CancelFlag::default()).map(|sizes| sizes.kept)
    }

    #[test]
    fn application_extensions_before_the_first_picture_are_counted() {
        let (profile, comment) = (b"\x21\xFF\x0BICCRGBG1012\x02ab\0", b"\x21\xFE\x05hello\0");
        assert_eq!(kept(&[comment, profile, PICTURE, profile]), Ok(13));
        assert_eq!(kept(&[profile, b"\x3B", profile]), Ok(13));
    }

    #[test]
    fn a_picture_has_an_end_only_if_all_of_its_blocks_are_there() {
        let whole = [SCREEN, b"\x21\xFF\x0BICCRGBG1012\x02ab\0", PICTURE].concat();
        for length in 0..=whole.len() {
            let sizes = sizes(&whole[..length], &CancelFlag::default()).unwrap();
            assert_eq!(sizes.has_end, length == whole.len(), "{length}");
            assert!(length >= SCREEN.len() || sizes.kept == 0, "{length}");
        }
    }

    #[test]
    fn a_file_with_more_parts_than_a_photo_is_refused() {
        let extensions = |count| kept(&[&b"\x21\xFE\0".repeat(count), PICTURE]);
        assert!(extensions(MAX_EXTENSIONS).is_ok());
        assert!(extensions(MAX_EXTENSIONS + 1).is_err());
        let sub_blocks = |count| kept(&[b"\x21\xFE", &b"\x01a".repeat(count), b"\0", PICTURE]);
        assert!(sub_blocks(MAX_SUB_BLOCKS - 2).is_ok(), "the picture has two");
        assert!(sub_blocks(MAX_SUB_BLOCKS - 1).is_err());
        let said = [&[255][..], &[7; 255]].concat().repeat(MAX_KEPT_BYTES as usize / 255 + 1);
        assert!(kept(&[b"\x21\xFE", &said, b"\0", PICTURE]).is_ok(), "a comment is not kept");
        assert!(kept(&[b"\x21\xFF", &said, b"\0", PICTURE]).is_err());
    }
}
