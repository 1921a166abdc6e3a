//! Damages good photos.

use super::{golden, render, render_soon};

/// One photo of each format and coding.
const PHOTOS: [&str; 29] = [
    "jpeg-420.jpg",
    "jpeg-progressive.jpg",
    "jpeg-arithmetic.jpg",
    "jpeg-cmyk-profile.jpg",
    "png-rgb-8-bit.png",
    "png-interlaced-gray-1-bit.png",
    "png-palette-4-bit.png",
    "png-animated.png",
    "gif-opaque.gif",
    "gif-first-frame-smaller.gif",
    "webp-lossy.webp",
    "webp-lossless-alpha.webp",
    "webp-animated.webp",
    "tiff-lzw.tif",
    "tiff-tiles.tif",
    "tiff-jpeg.tif",
    "tiff-jpeg-planes.tif",
    "tiff-rgb-16-bit-planar-tiles-predictor-big-endian.tif",
    "tiff-palette-4-bit-tiles.tif",
    "tiff-packbits.tif",
    "tiff-lowest-bit-first-rgb-lzw.tif",
    "tiff-fax-group-3-two-dimensional.tif",
    "tiff-fax-group-3-lowest-bit-first.tif",
    "tiff-fax-group-4.tif",
    "tiff-fax-huffman.tif",
    "bmp-24-bit.bmp",
    "bmp-rle8.bmp",
    "heic-sequence-long.heic",
    "heic-sequence-alpha.heic",
];

/// Half a picture is worse than none, because a viewer takes it for the photo.
#[test]
fn a_prefix_is_refused_or_gives_the_whole_picture() {
    for name in PHOTOS {
        let photo = golden(name);
        let whole = render(&photo).unwrap();
        // Every length of a small file, and about 4,000 lengths of a larger one.
        for length in (0..photo.len()).step_by(photo.len().div_ceil(4000)) {
            if let Ok(thumbnail) = render_soon(&photo[..length], name) {
                assert!(thumbnail == whole, "half of {name}: {length} of {} bytes", photo.len());
            }
        }
    }
}

/// Whoever uploads photos can mend a broken upload, but not a damaged file.
#[test]
fn half_of_a_photo_is_said_to_be_truncated() {
    for name in PHOTOS {
        let photo = golden(name);
        // Half of a sequence can have its first picture.
        if let Err(refusal) = render(&photo[..photo.len() / 2]) {
            assert_eq!(refusal.name(), "TruncatedPhoto", "{name}: {refusal}");
        }
    }
}

#[test]
fn a_flipped_bit_gives_a_picture_or_a_failure() {
    for name in PHOTOS {
        let photo = golden(name);
        let mut refused = 0;
        for turn in 0..600 {
            let mut damaged = photo.clone();
            // Half of the flips are in the first 200 bytes: headers are short, but matter most.
            let reach = if turn % 2 == 0 { photo.len().min(200) } else { photo.len() };
            let bit = (turn * 7919) % (8 * reach);
            damaged[bit / 8] ^= 1 << (bit % 8);
            refused += usize::from(render_soon(&damaged, name).is_err());
        }
        assert!(refused > 0, "no flip of {name} was noticed");
    }
}

#[test]
fn overwritten_bytes_give_a_picture_or_a_failure() {
    for name in PHOTOS {
        let photo = golden(name);
        for filler in [0x00, 0xFF] {
            for start in (0..photo.len()).step_by(photo.len().div_ceil(100)) {
                let mut damaged = photo.clone();
                let end = photo.len().min(start + 64);
                damaged[start..end].fill(filler);
                let _ = render_soon(&damaged, name);
            }
        }
    }
}

/// A decoder that ignores checksums would show whatever the bytes became.
#[test]
fn image_data_with_a_wrong_checksum_is_refused_even_if_the_end_is_missing() {
    let photo = golden("png-rgb-8-bit.png");
    let end = photo.len() - 12;
    assert!(render(&photo[..end]).is_ok());
    for length in [photo.len(), end] {
        let mut damaged = photo[..length].to_vec();
        damaged[end - 1] ^= 1; // the last byte of the image data's checksum
        assert!(render(&damaged).is_err(), "{length} of {} bytes", photo.len());
    }
}
