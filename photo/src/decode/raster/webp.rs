//! What a WebP's header does not tell, and image-webp 0.2.4 does not ask.

use memchr::memmem;

use crate::{PhotoError, Size};

/// Bytes of the Huffman tables of a lossless picture, of which nothing tells how many there are: five
/// tables of 4 KB for each of at most 65,536 groups, as image-webp makes them,
const TABLES: u64 = 65_536 * 5 * 4096;
/// and as many for each byte of the file: the shortest tables in the file are the largest in memory.
const TABLES_OF_A_BYTE: u64 = 400;
/// Pixels of a picture coded without loss: image-webp takes up to 30 ns for each, however few bytes code
/// it,
const MAX_LOSSLESS_PIXELS: u64 = 65_000_000;
/// more if it is the alpha of a lossy one, which is decoded too,
const MAX_PIXELS_WITH_ALPHA: u64 = 40_000_000;
/// and most if it is a frame of an animation, which is put onto a canvas.
const MAX_ANIMATED_PIXELS: u64 = 35_000_000;
/// Bytes a pixel: YUV or RGBA and, in an animation, a canvas of RGBA onto which it is put.
const BESIDE_A_PIXEL: u64 = 8;

/// Bytes that decoding takes at most beside the picture.
///
/// # Errors
/// A frame is larger than the picture: image-webp sees that only when it has decoded it. A picture without
/// loss has too many pixels.
pub(super) fn memory_beside(webp: &[u8], size: Size) -> Result<u64, PhotoError> {
    if has_larger_frame(webp, size) {
        return Err(PhotoError::Corrupt("it holds a frame larger than itself".into()));
    }
    let (is_lossless, has_alpha) = (has_chunk(webp, b"VP8L"), has_chunk(webp, b"ALPH"));
    for (kind, is_of_it, most) in [
        ("a lossless WebP", is_lossless, MAX_LOSSLESS_PIXELS),
        ("a WebP with alpha", has_alpha, MAX_PIXELS_WITH_ALPHA),
        ("an animated WebP", has_chunk(webp, b"ANMF"), MAX_ANIMATED_PIXELS),
    ] {
        if is_of_it && size.pixels() > most {
            let Size { width, height } = size;
            return Err(PhotoError::UnsupportedFormat(format!(
                "{kind} of {width}x{height} pixels"
            )));
        }
    }
    let tables = match is_lossless || has_alpha {
        true => TABLES.min(webp.len() as u64 * TABLES_OF_A_BYTE),
        false => 0,
    };
    // A lossy picture's data is read whole, and copied once.
    let data = 2 * webp.len() as u64;
    Ok(size.pixels().saturating_mul(BESIDE_A_PIXEL).saturating_add(tables.max(data)))
}

/// Whether there can be a chunk of this name.
fn has_chunk(webp: &[u8], name: &[u8; 4]) -> bool {
    memmem::find(webp, name).is_some()
}

/// Whether it holds a lossy frame larger than the picture.
fn has_larger_frame(webp: &[u8], size: Size) -> bool {
    let is_larger = |chunk: usize| match webp.get(chunk + 8..) {
        // A key frame: its tag, its start code, 14 bits of each side (RFC 6386 section 9.1).
        Some(&[_, _, _, 0x9D, 0x01, 0x2A, w0, w1, h0, h1, ..]) => {
            let [width, height] =
                [[w0, w1], [h0, h1]].map(|side| u32::from(u16::from_le_bytes(side) & 0x3FFF));
            width > size.width || height > size.height
        }
        _ => false,
    };
    memmem::find_iter(webp, b"VP8 ").any(is_larger)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_larger_than_its_picture_is_refused() {
        // 60x40 pixels, scaled up by 5/4 on the screen, which changes nothing here.
        let frame = b"RIFF\0\0\0\0WEBPVP8 \x0A\0\0\0\x10\0\0\x9D\x01\x2A\x3C\x40\x28\x40";
        let refusal = |width, height| memory_beside(frame, Size { width, height }).err();
        assert_eq!(refusal(60, 40), None);
        assert_eq!(refusal(59, 40).unwrap().name(), "CorruptPhoto");
        assert_eq!(refusal(60, 39).unwrap().name(), "CorruptPhoto");
        assert_eq!(memory_beside(&frame[..20], Size { width: 1, height: 1 }), Ok(8 + 40));
    }

    #[test]
    fn pictures_that_take_long_have_fewer_pixels() {
        for (name, most) in [
            (b"VP8L", MAX_LOSSLESS_PIXELS),
            (b"ALPH", MAX_PIXELS_WITH_ALPHA),
            (b"ANMF", MAX_ANIMATED_PIXELS),
        ] {
            let webp = [b"RIFF\0\0\0\0WEBP", &name[..], &[0; 4]].concat();
            let width = (most / 10_000) as u32;
            assert!(memory_beside(&webp, Size { width, height: 10_000 }).is_ok());
            let larger = Size { width: width + 1, height: 10_000 };
            assert_eq!(memory_beside(&webp, larger).unwrap_err().name(), "UnsupportedFormat");
            assert!(memory_beside(b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0", larger).is_ok());
        }
    }
}
