//! Files that claim to be large, or that expand when they are decoded.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use photo::{PhotoError, Picture, Pixels, Size, encode};

use super::cost::{self, Cost};
use super::files::{heif, media_box, png, png_header, zeros_compressed};
use super::{golden, render_soon};

fn refusal(photo: &[u8], name: &str) -> PhotoError {
    render_soon(photo, name).map(|thumbnail| thumbnail.size).unwrap_err()
}

/// A JPEG of 64x64 pixels whose header claims another frame type and size.
fn jpeg_that_claims(code: u8, width: u16, height: u16) -> Vec<u8> {
    let gray = Picture::Packed(Pixels::black(Size { width: 64, height: 64 }, 1));
    let mut jpeg = encode::jpeg(&gray, 0.9, None).unwrap();
    let frame = jpeg.windows(2).position(|two| two == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 1] = code;
    jpeg[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    jpeg[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    jpeg
}

#[test]
fn a_jpeg_that_claims_to_be_large_is_refused() {
    for code in [0xC0, 0xC1, 0xC2] {
        let large = jpeg_that_claims(code, 22_000, 22_000);
        refusal(&large, &format!("a JPEG of frame {code:X} that claims 484 megapixels"));
        let long = jpeg_that_claims(code, 65_500, 1);
        refusal(&long, &format!("a JPEG of frame {code:X} that claims to be 65500 wide"));
    }
    // Arithmetic coding has no end code, so any missing data decodes to gray.
    let arithmetic = jpeg_that_claims(0xC9, 22_000, 22_000);
    let _ = render_soon(&arithmetic, "an arithmetic JPEG that claims 484 megapixels");
    let too_large = refusal(&jpeg_that_claims(0xC0, 65_000, 65_000), "65000x65000");
    assert_eq!(too_large.name(), "TruncatedPhoto");
}

#[test]
fn a_progressive_jpeg_of_many_scans_ends_soon() {
    let photo = golden("jpeg-progressive.jpg");
    let scan = photo.windows(2).rposition(|two| two == [0xFF, 0xC4]).unwrap();
    let (begin, last_scan) = photo[..photo.len() - 2].split_at(scan);
    let mut many = begin.to_vec();
    for _ in 0..3_000_000 / last_scan.len() {
        many.extend_from_slice(last_scan);
    }
    many.extend([0xFF, 0xD9]);
    let _ = render_soon(&many, "a JPEG of very many scans");
}

#[test]
fn a_png_that_claims_to_be_large_is_refused() {
    let claims = |width, height, depth, colour| {
        let pixels = zeros_compressed(1000);
        png(&[(b"IHDR", &png_header(width, height, depth, colour)), (b"IDAT", &pixels)])
    };
    let missing = refusal(&claims(15_000, 15_000, 8, 2), "a PNG of 225 megapixels without data");
    assert!(matches!(missing, PhotoError::Truncated { .. } | PhotoError::Corrupt(_)), "{missing}");
    let deep = refusal(&claims(20_000, 20_000, 16, 6), "a PNG of 3.2 GB");
    assert_eq!(deep.name(), "TooLittleMemory");
    let huge = refusal(&claims(60_000, 60_000, 8, 2), "a PNG of 3600 megapixels");
    assert_eq!(huge.name(), "TooManyPixels");
    let nothing = refusal(&claims(0, 5, 8, 2), "a PNG without columns");
    assert_eq!(nothing.name(), "CorruptPhoto");
}

#[test]
fn a_png_whose_metadata_is_a_bomb_takes_little_memory() {
    let bomb = zeros_compressed(300 << 20);
    let profile = [b"profile\0\0", &bomb[..]].concat();
    let text = [b"Comment\0\0", &bomb[..]].concat();
    let pixels = zeros_compressed(8 * 25);
    let photo = png(&[
        (b"IHDR", &png_header(8, 8, 8, 2)),
        (b"iCCP", &profile),
        (b"zTXt", &text),
        (b"IDAT", &pixels),
    ]);
    let Cost { taken, .. } = cost::of(&photo, "png-bomb");
    assert!(taken < 100, "{taken} MB");
}

#[test]
fn other_formats_that_claim_to_be_large_are_refused() {
    let mut gif = golden("gif-opaque.gif");
    gif[6..10].copy_from_slice(&[0xFF, 0x3F, 0xFF, 0x3F]);
    let mut bmp = golden("bmp-24-bit.bmp");
    bmp[18..26].copy_from_slice(&[0x20, 0x4E, 0, 0, 0x20, 0x4E, 0, 0]); // 20000x20000
    let mut tiff = golden("tiff-strips.tif");
    let directory = u32::from_le_bytes(tiff[4..8].try_into().unwrap()) as usize;
    for entry in tiff[directory + 2..].chunks_exact_mut(12).take(12) {
        if [256, 257].contains(&u16::from_le_bytes([entry[0], entry[1]])) {
            entry[2..12].copy_from_slice(&[4, 0, 1, 0, 0, 0, 0x20, 0x4E, 0, 0]);
        }
    }
    for (what, photo) in [("BMP", bmp), ("TIFF", tiff)] {
        refusal(&photo, &format!("a {what} that claims 400 megapixels"));
    }
    // A GIF's picture may be smaller than its screen: this one is a large white page.
    let _ = render_soon(&gif, "a GIF that claims 268 megapixels");
}

#[test]
fn pictures_without_columns_are_refused() {
    for (name, at, length) in
        [("gif-opaque.gif", 6, 2), ("bmp-24-bit.bmp", 18, 4), ("webp-lossy.webp", 26, 2)]
    {
        let mut photo = golden(name);
        photo[at..at + length].fill(0);
        refusal(&photo, name);
    }
}

#[test]
fn thin_photos_have_thumbnails() {
    for (width, height) in [(65_500, 1), (1, 65_500), (65_500, 2), (3, 65_500)] {
        let size = Size { width, height };
        let photo = encode::jpeg(&Picture::Packed(Pixels::black(size, 3)), 0.9, None).unwrap();
        let thumbnail = render_soon(&photo, &format!("{width}x{height}")).unwrap();
        assert_eq!(thumbnail.size, size.scaled(0.25));
    }
}

#[test]
fn a_profile_of_the_largest_size_is_skipped() {
    let chunk = |number: u8| {
        let data = vec![number; 65_000];
        let length = (data.len() + 16) as u16;
        [b"\xFF\xE2", &length.to_be_bytes()[..], b"ICC_PROFILE\0", &[number, 255], &data].concat()
    };
    let jpeg = golden("jpeg-420.jpg");
    let profile: Vec<u8> = (1..=255).flat_map(chunk).collect();
    let photo = [&jpeg[..2], &profile, &jpeg[2..]].concat();
    let thumbnail = render_soon(&photo, "a JPEG with a profile of 16 MB").unwrap();
    assert!(thumbnail.file.len() < 10_000);
}

#[test]
fn a_tiff_of_one_long_text_takes_little_more_than_the_file() {
    const LENGTH: u32 = 64 << 20;
    let mut tiff = b"II*\0\x08\0\0\0\x01\0".to_vec();
    tiff.extend([0x0E, 0x01, 2, 0]); // ImageDescription, ASCII
    tiff.extend([LENGTH.to_le_bytes(), 26u32.to_le_bytes(), [0; 4]].concat());
    tiff.resize(26 + LENGTH as usize, 0);
    let refusal = refusal(&tiff, "a TIFF of one long text");
    assert_eq!(refusal.name(), "CorruptPhoto", "{refusal}");
    let Cost { taken, .. } = cost::of(&tiff, "long-text.tif");
    assert!(taken <= 64 + 8, "{taken} MB");
}

/// Renders a file that has much metadata but no picture, and checks that this takes little memory.
fn expect_little_memory(file: &[u8], name: &str) {
    refusal(file, name);
    let Cost { taken, .. } = cost::of(file, name);
    assert!(taken <= (file.len() >> 20) as u64 + 24, "{name} took {taken} MB");
}

#[test]
fn only_the_first_blocks_of_exif_are_read() {
    const TIMES: usize = 200_000;
    let block = b"II*\0\x08\0\0\0\0\0\0\0\0\0";
    let segment = [b"\xFF\xE1\0\x16Exif\0\0", &block[..]].concat();
    expect_little_memory(&[b"\xFF\xD8", &segment.repeat(TIMES)[..]].concat(), "segments.jpg");
    let chunk = [b"EXIF\x0E\0\0\0", &block[..]].concat();
    expect_little_memory(&[b"RIFF\0\0\0\0WEBP", &chunk.repeat(TIMES)[..]].concat(), "chunks.webp");
    let jxl = [b"\0\0\0\x0CJXL \r\n\x87\n", &b"\0\0\0\x0CExif\0\0\0\0".repeat(TIMES)[..]].concat();
    expect_little_memory(&jxl, "boxes.jxl");
}

#[test]
fn compressed_exif_is_limited() {
    let mut compressed = ZlibEncoder::new(Vec::new(), Compression::best());
    compressed.write_all(b"exif\n9\n").unwrap();
    compressed.write_all(&vec![b'0'; 64 << 20]).unwrap();
    let text = [b"Raw profile type exif\0\0", &compressed.finish().unwrap()[..]].concat();
    let header = png_header(1, 1, 8, 0);
    let mut chunks: Vec<(&[u8; 4], &[u8])> = vec![(b"IHDR", &header)];
    chunks.extend([(b"zTXt", text.as_slice()); 1000]);
    expect_little_memory(&png(&chunks), "profiles.png");
}

#[test]
fn a_heif_of_very_many_items_is_soon_read() {
    const TIMES: usize = 300_000;
    let items = media_box(b"infe", b"\x02\0\0\0\0\x01\0\0Exif\0").repeat(TIMES);
    let references = media_box(b"cdsc", b"\0\x02\0\x01\0\x03").repeat(TIMES);
    let places = b"\0\x02\0\0\0\x01\0\0\0\0\0\0\0\0".repeat(TIMES);
    let count = (TIMES as u32).to_be_bytes();
    let file = heif(&[
        media_box(b"pitm", b"\0\0\0\0\0\x09"),
        media_box(b"iinf", &[b"\x01\0\0\0", &count[..], &items].concat()),
        media_box(b"iref", &[b"\0\0\0\0", &references[..]].concat()),
        media_box(b"iloc", &[b"\0\0\0\0\x44\0\xFF\xFF", &places[..]].concat()),
    ]);
    expect_little_memory(&file, "items.heic");
}
