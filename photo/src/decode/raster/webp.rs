//! Bounds on the cost of a WebP that its header does not give and image-webp 0.2.4 does not check.

use memchr::memmem;

use crate::{PhotoError, Size};

/// Most bytes of Huffman tables that image-webp makes for a lossless picture: five tables of 4 KB for each
/// of at most 65,536 groups. Nothing in the header gives their number.
const MAX_TABLE_BYTES: u64 = 65_536 * 5 * 4096;
/// Most bytes of Huffman tables for each byte of the file: the shortest tables in the file are the largest
/// in memory.
const TABLE_BYTES_OF_A_BYTE: u64 = 400;
/// Most nanoseconds of CPU time that decoding may take.
const MAX_COST: u64 = 2_000_000_000;
/// Nanoseconds that image-webp takes for a pixel, even if it is coded in very few bytes: in an animation,
/// whose frame is put onto a canvas; with alpha, which is decoded besides the colours; lossless; and
/// lossy.
const COST_OF_A_PIXEL: [(&[u8; 4], u64); 4] =
    [(b"ANMF", 57), (b"ALPH", 50), (b"VP8L", 30), (b"VP8 ", 10)];
/// Nanoseconds for a byte of a lossy picture that codes as many coefficients as it can.
const COST_OF_A_LOSSY_BYTE: u64 = 90;
/// Bytes for each pixel in addition to the result: YUV or RGBA, and an animation's canvas of RGBA.
const WORKING_BYTES_OF_A_PIXEL: u64 = 8;

/// Most bytes that decoding takes in addition to the picture.
///
/// # Errors
/// [`PhotoError::Corrupt`] if a frame is larger than the picture, which image-webp notices only after
/// decoding it; [`PhotoError::UnsupportedFormat`] if decoding would take too long.
pub(super) fn working_memory(webp: &[u8], size: Size) -> Result<u64, PhotoError> {
    if has_larger_frame(webp, size) {
        return Err(PhotoError::Corrupt("it holds a frame larger than the picture".into()));
    }
    if cost(webp, size) > MAX_COST {
        let Size { width, height } = size;
        let kind = format!("a WebP of {width}x{height} pixels in {} bytes", webp.len());
        return Err(PhotoError::UnsupportedFormat(kind));
    }
    let tables = match has_chunk(webp, b"VP8L") || has_chunk(webp, b"ALPH") {
        true => MAX_TABLE_BYTES.min(webp.len() as u64 * TABLE_BYTES_OF_A_BYTE),
        false => 0,
    };
    // A lossy picture's data is read as a whole and copied once.
    let data = 2 * webp.len() as u64;
    Ok(size.pixels().saturating_mul(WORKING_BYTES_OF_A_PIXEL).saturating_add(tables.max(data)))
}

/// Most nanoseconds that decoding takes.
fn cost(webp: &[u8], size: Size) -> u64 {
    let kind = COST_OF_A_PIXEL.iter().find(|(name, _)| has_chunk(webp, name));
    let pixel_cost = size.pixels().saturating_mul(kind.map_or(0, |(_, of_a_pixel)| *of_a_pixel));
    let lossy_bytes = if has_chunk(webp, b"VP8 ") { webp.len() as u64 } else { 0 };
    pixel_cost.saturating_add(lossy_bytes * COST_OF_A_LOSSY_BYTE)
}

/// Whether the file may have a chunk of this name.
fn has_chunk(webp: &[u8], name: &[u8; 4]) -> bool {
    memmem::find(webp, name).is_some()
}

/// Whether the file holds a lossy frame larger than the picture.
fn has_larger_frame(webp: &[u8], size: Size) -> bool {
    let is_larger = |chunk: usize| match webp.get(chunk + 8..) {
        // A key frame: its tag, its start code, and 14 bits for each side (RFC 6386 section 9.1).
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
        // A frame of 60x40 pixels. Its upscaling by 5/4 for the screen changes nothing here.
        let frame = b"RIFF\0\0\0\0WEBPVP8 \x0A\0\0\0\x10\0\0\x9D\x01\x2A\x3C\x40\x28\x40";
        let refusal = |width, height| working_memory(frame, Size { width, height }).err();
        assert_eq!(refusal(60, 40), None);
        assert_eq!(refusal(59, 40).unwrap().name(), "CorruptPhoto");
        assert_eq!(refusal(60, 39).unwrap().name(), "CorruptPhoto");
        assert_eq!(working_memory(&frame[..20], Size { width: 1, height: 1 }), Ok(8 + 40));
    }

    #[test]
    fn pictures_that_take_too_long_are_refused() {
        let webp = |names: &[&[u8; 4]], bytes| {
            let mut webp = b"RIFF\0\0\0\0WEBP".to_vec();
            names.iter().for_each(|name| webp.extend([&name[..], &[0; 4]].concat()));
            webp.resize(bytes, 0);
            webp
        };
        let refusal = |webp: &[u8], megapixels: u32| {
            working_memory(webp, Size { width: 10_000, height: 100 * megapixels }).err()
        };
        for (names, most) in [
            (&[b"VP8 "][..], 199),
            (&[b"VP8L"], 66),
            (&[b"ALPH", b"VP8 "], 39),
            (&[b"ANMF", b"ALPH", b"VP8 "], 35),
        ] {
            let webp = webp(names, 100);
            assert_eq!(refusal(&webp, most), None, "{most}");
            assert_eq!(refusal(&webp, most + 1).unwrap().name(), "UnsupportedFormat");
        }
        assert_eq!(refusal(&webp(&[b"VP8 "], 11_000_000), 100), None);
        assert!(refusal(&webp(&[b"VP8 "], 12_000_000), 100).is_some());
        assert_eq!(refusal(&webp(&[b"VP8L"], 50_000_000), 50), None);
    }
}
