//! Files that make a decoder do far more work than their pixels need.

use super::files::{
    TIFF_DATA, png, png_chunk, png_header, riff_chunk, segment, small_png, strips, tiff, webp,
    zeros_compressed,
};
use super::floods::{bounded, expect, gray_jpeg, progressive};
use super::golden;

/// A bit stream, lowest bit of each byte first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn put(&mut self, value: u32, bits: usize) {
        for bit in 0..bits {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((value >> bit & 1) as u8) << (self.count % 8);
            self.count += 1;
        }
    }
}

/// About this many bytes of deflate blocks that have their own tables but no data (RFC 1951 section
/// 3.2.7). Any stream may follow them.
fn empty_blocks(bytes: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    for _ in 0..8 {
        bits.put(0b100, 3); // not the last block, dynamic tables
        bits.put(0, 5 + 5); // 257 literals, one distance
        // The code for code lengths: the symbols 1 and 18 have one bit each.
        bits.put(18 - 4, 4);
        for symbol in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1] {
            bits.put(u32::from([1, 18].contains(&symbol)), 3);
        }
        // One bit for the literal 0, no code for 1 to 255, one bit for the end and one for the distance.
        for (symbol, repeated) in [(0, None), (1, Some(138)), (1, Some(117)), (0, None), (0, None)]
        {
            bits.put(symbol, 1);
            repeated.into_iter().for_each(|times: u32| bits.put(times - 11, 7));
        }
        bits.put(1, 1); // the end
    }
    assert_eq!(bits.count % 8, 0);
    bits.bytes.repeat(bytes / bits.bytes.len())
}

/// Compressed zeros after empty blocks.
fn padded_zeros(count: usize, padding: usize) -> Vec<u8> {
    let zeros = zeros_compressed(count);
    [&zeros[..2], &empty_blocks(padding), &zeros[2..]].concat()
}

#[test]
fn deflate_streams_of_empty_blocks_are_refused() {
    const PADDING: usize = 40 << 20;
    let size = png_header(8, 8, 8, 2);
    let pixels = padded_zeros(8 * 25, PADDING);
    expect("CorruptPhoto", "empty-blocks.png", &png(&[(b"IHDR", &size), (b"IDAT", &pixels)]));
    // A small number of them is accepted.
    let pixels = padded_zeros(8 * 25, 1000);
    expect("Thumbnail", "few-empty-blocks.png", &png(&[(b"IHDR", &size), (b"IDAT", &pixels)]));
    let text = [b"Raw profile type exif\0\0", &padded_zeros(100, PADDING)[..]].concat();
    let text = png_chunk(b"zTXt", &text);
    expect("CorruptPhoto", "empty-blocks-in-a-text.png", &small_png(&text, b""));
    let strip = padded_zeros(64, PADDING);
    let file = strips((8, 8, 8), 8, vec![TIFF_DATA], vec![strip.len() as u32], &strip);
    expect("CorruptPhoto", "empty-blocks.tif", &file);
}

#[test]
fn empty_blocks_are_refused_in_large_pictures_too() {
    const PADDING: usize = 90 << 20;
    let side = 7000;
    let size = png_header(side, side, 8, 0);
    let pixels = padded_zeros((side as usize + 1) * side as usize, PADDING);
    let parts: Vec<_> = pixels.chunks(1 << 20).map(|part| (b"IDAT", part)).collect();
    let parts = [&[(b"IHDR", &size[..])][..], &parts].concat();
    expect("CorruptPhoto", "large-with-empty-blocks.png", &png(&parts));
    let file = strips((side, side, side), 8, vec![TIFF_DATA], vec![pixels.len() as u32], &pixels);
    expect("CorruptPhoto", "large-with-empty-blocks.tif", &file);
}

#[test]
fn lzw_streams_of_nothing_but_clear_codes_are_refused() {
    const LENGTH: usize = 20 << 20;
    for code_size in [2, 8, 11] {
        let mut codes = Bits::default();
        (0..8).for_each(|_| codes.put(1 << code_size, code_size + 1));
        let data = codes.bytes.repeat(LENGTH / codes.bytes.len());
        let blocks: Vec<u8> =
            data.chunks(255).flat_map(|block| [&[block.len() as u8], block].concat()).collect();
        let screen = b"GIF89a\x08\0\x08\0\x80\0\0......\x2C\0\0\0\0\x08\0\x08\0\0";
        let gif = [&screen[..], &[code_size as u8], &blocks, b"\0\x3B"].concat();
        // Small tables cost little, so their clear codes alone are not refused.
        let name = format!("clear-codes-{code_size}.gif");
        assert_ne!(bounded(&name, &gif), "Thumbnail");
    }
    // A clear code before each pixel, in a picture large enough for them: 9 bits, highest bit first.
    let pair =
        [0b1000_0000u8, 0b0000_0000, 0b0100_0000, 0, 0b0010_0000, 0, 0b0001_0000, 0, 0b0000_1000];
    let strip = pair.repeat((LENGTH / pair.len()).min(2_000_000));
    let side = 6000;
    let file = strips((side, side, side), 5, vec![TIFF_DATA], vec![strip.len() as u32], &strip);
    expect("CorruptPhoto", "clear-codes.tif", &file);
}

/// A CMYK JPEG with a profile that has these tags, all of which point at `data`.
fn with_ink_profile(tags: &[(&[u8; 4], usize)], data: &[u8]) -> Vec<u8> {
    let offset = (132 + 12 * tags.len()) as u32;
    let mut profile = vec![0; 128];
    profile[16..20].copy_from_slice(b"CMYK");
    profile[20..24].copy_from_slice(b"Lab ");
    profile[36..40].copy_from_slice(b"acsp");
    profile.extend((tags.len() as u32).to_be_bytes());
    for (name, length) in tags {
        profile
            .extend([&name[..], &offset.to_be_bytes(), &(*length as u32).to_be_bytes()].concat());
    }
    profile.extend(data);
    let size = (profile.len() as u32).to_be_bytes();
    profile[..4].copy_from_slice(&size);
    let parts = profile.chunks(65_000);
    let count = parts.len() as u8;
    let segments: Vec<u8> = parts
        .zip(1..)
        .flat_map(|(part, number)| {
            segment(0xE2, &[b"ICC_PROFILE\0", &[number, count][..], part].concat())
        })
        .collect();
    let jpeg = golden("jpeg-cmyk.jpg");
    [&jpeg[..2], &segments, &jpeg[2..]].concat()
}

#[test]
fn no_part_of_a_printers_profile_is_read_twice() {
    let many = |name| vec![(name, 40_000); 300_000];
    for name in [b"desc", b"cprt", b"A2B0", b"A2B1", b"rTRC"] {
        let label = String::from_utf8_lossy(name).into_owned();
        for kind in [b"desc", b"text", b"mft1", b"mft2", b"mAB ", b"mluc", b"curv"] {
            let data = [&kind[..], &[0; 4], &[0, 0, 0x27, 0], &vec![b'x'; 40_000]].concat();
            let kind = String::from_utf8_lossy(kind).trim().to_owned();
            expect(
                "Thumbnail",
                &format!("{label}-{kind}.jpg"),
                &with_ink_profile(&many(name), &data),
            );
        }
    }
    // A text in 200,000 languages that all point at the same bytes.
    let languages = [&b"enUS"[..], &60_000u32.to_be_bytes(), &28u32.to_be_bytes()].concat();
    let count = 200_000u32;
    let data = [b"mluc\0\0\0\0", &count.to_be_bytes()[..], &12u32.to_be_bytes()].concat();
    let data = [&data[..], &languages.repeat(count as usize), &[0; 70_000]].concat();
    let file = with_ink_profile(&[(b"desc", data.len())], &data);
    expect("Thumbnail", "languages.jpg", &file);
}

#[test]
fn thin_pictures_take_no_more_memory_than_announced() {
    let thin = |width, height, name: &str, end| {
        let pixels = zeros_compressed((width as usize + 1) * height as usize);
        let size = png_header(width, height, 8, 0);
        expect(end, name, &png(&[(b"IHDR", &size), (b"IDAT", &pixels)]));
        let pixels = [0x81, 0].repeat((width * height) as usize / 128 + 1);
        let length = vec![pixels.len() as u32];
        let file = strips((width, height, height), 32773, vec![TIFF_DATA], length, &pixels);
        expect(end, &name.replace("png", "tif"), &file);
    };
    thin(1, 10_000_000, "tall.png", "UnsupportedFormat");
    thin(10_000_000, 1, "wide.png", "UnsupportedFormat");
    // A quarter of it, 65,535, is too long for a JPEG.
    thin(1, 262_140, "longest.png", "UnsupportedFormat");
    thin(1, 262_000, "long.png", "Thumbnail");
    thin(262_000, 2, "long-and-wide.png", "Thumbnail");
}

#[test]
fn tiles_that_are_far_larger_than_the_picture_are_refused() {
    let tile = zeros_compressed(1 << 28);
    let entries = [
        (256, vec![1]),
        (257, vec![1]),
        (258, vec![8]),
        (259, vec![8]),
        (262, vec![1]),
        (277, vec![1]),
        (322, vec![1 << 28]),
        (323, vec![16]),
        (324, vec![TIFF_DATA]),
        (325, vec![tile.len() as u32]),
    ];
    expect("CorruptPhoto", "wide-tile.tif", &tiff(&entries, &tile));
}

#[test]
fn scans_of_jpegs_in_a_tiff_are_limited() {
    let strip = |jpeg: &[u8], side: u32| {
        strips((side, side, side), 7, vec![TIFF_DATA], vec![jpeg.len() as u32], jpeg)
    };
    let jpeg = gray_jpeg(2000, 2000);
    expect("Thumbnail", "one-scan.tif", &strip(&jpeg, 2000));
    let scan = jpeg.windows(2).position(|two| two == [0xFF, 0xDA]).unwrap();
    let again = jpeg[scan..jpeg.len() - 2].repeat(700);
    let again = [&jpeg[..scan], &again, b"\xFF\xD9"].concat();
    expect("CorruptPhoto", "sequential-scans.tif", &strip(&again, 2000));
    let scans: Vec<_> = (0..90).map(|_| ([1, 63, 0], vec![0; 850])).collect();
    let many = progressive(10_400, false, &scans);
    expect("CorruptPhoto", "progressive-scans.tif", &strip(&many, 10_400));
    // A frame in the tables, where its scans would not be counted.
    let (tables, rest) = jpeg.split_at(scan);
    let tables = [tables, b"\xFF\xD9"].concat();
    let rest = [b"\xFF\xD8", &rest[..rest.len() - 2].repeat(700)[..], b"\xFF\xD9"].concat();
    let length = rest.len() as u32;
    let at = TIFF_DATA + length;
    let mut file = tiff(
        &[
            (256, vec![2000]),
            (257, vec![2000]),
            (258, vec![8]),
            (259, vec![7]),
            (262, vec![1]),
            (273, vec![TIFF_DATA]),
            (277, vec![1]),
            (278, vec![2000]),
            (279, vec![length]),
            (347, vec![at]),
        ],
        &[rest, tables.clone()].concat(),
    );
    let entry = file.windows(4).rposition(|four| four == [0x5B, 0x01, 4, 0]).unwrap();
    file[entry + 2] = 7;
    file[entry + 4..entry + 8].copy_from_slice(&(tables.len() as u32).to_le_bytes());
    expect("CorruptPhoto", "frame-in-the-tables.tif", &file);
}

#[test]
fn a_fax_of_noise_and_a_large_arithmetic_or_lossless_picture_are_refused() {
    // Vertical codes without offset, one bit each: the colour changes at every pixel.
    let fax = vec![0xFF; 50 << 20];
    let entries = [
        (256, vec![8192]),
        (257, vec![50_000]),
        (258, vec![1]),
        (259, vec![4]),
        (262, vec![0]),
        (273, vec![TIFF_DATA]),
        (277, vec![1]),
        (278, vec![50_000]),
        (279, vec![fax.len() as u32]),
    ];
    expect("CorruptPhoto", "noise-of-a-fax.tif", &tiff(&entries, &fax));
    let component = |id| [id, 0x11, 0];
    let components = [1, 2, 3, 4].map(component).concat();
    let side = 22_000u16.to_be_bytes();
    let frame = [&[8][..], &side, &side, &[4], &components].concat();
    let scan = segment(0xDA, &[4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0]);
    let tables = segment(0xDB, &[&[0][..], &[1; 64]].concat());
    let jpeg = [b"\xFF\xD8", &tables[..], &segment(0xC9, &frame), &scan, b"\0\xFF\xD9"].concat();
    expect("UnsupportedFormat", "empty-arithmetic.jpg", &jpeg);
    // The signature and 14 bits for each side minus 1, without data (WebP lossless bitstream, section 3).
    let sides = (16_000u32 - 1) | (8000 - 1) << 14;
    let picture = [&[0x2F][..], &sides.to_le_bytes(), &[0; 8]].concat();
    expect("UnsupportedFormat", "large-lossless.webp", &webp(&riff_chunk(b"VP8L", &picture)));
}

#[test]
fn too_many_extra_samples_are_refused() {
    // The decoder holds rows of all samples, even those that it drops.
    let picture = |side: u32, samples: usize| {
        let data = zeros_compressed((side * side) as usize * samples);
        let entries = [
            (256, vec![side]),
            (257, vec![side]),
            (258, vec![8; samples]),
            (259, vec![8]),
            (262, vec![2]),
            (273, vec![TIFF_DATA]),
            (277, vec![samples as u32]),
            (278, vec![side]),
            (279, vec![data.len() as u32]),
            (338, vec![0; samples - 3]),
        ];
        let mut file = tiff(&entries[..entries.len() - usize::from(samples == 3)], &data);
        // ExtraSamples must have 16 bits; all are zero.
        if let Some(entry) = file.windows(4).rposition(|four| four == [0x52, 0x01, 4, 0]) {
            file[entry + 2] = 3;
        }
        file
    };
    for samples in [3, 4, 8, 64] {
        expect("Thumbnail", &format!("{samples}-samples.tif"), &picture(16, samples));
    }
    expect("UnsupportedFormat", "65-samples.tif", &picture(16, 65));
    expect("UnsupportedFormat", "large-with-64-samples.tif", &picture(4100, 64));
    expect("Thumbnail", "large-with-4-samples.tif", &picture(4100, 4));
}

#[test]
fn tiles_whose_sides_are_not_multiples_of_16_are_refused() {
    let tiles = |side: u32, tile: u32| {
        let data = zeros_compressed((tile * 1024) as usize);
        let count = side.div_ceil(tile) as usize;
        let entries = [
            (256, vec![side]),
            (257, vec![1024]),
            (258, vec![8]),
            (259, vec![8]),
            (262, vec![1]),
            (277, vec![1]),
            (322, vec![tile]),
            (323, vec![1024]),
            (324, vec![TIFF_DATA; count]),
            (325, vec![data.len() as u32; count]),
        ];
        tiff(&entries, &data)
    };
    expect("Thumbnail", "tile-of-16.tif", &tiles(16, 16));
    expect("UnsupportedFormat", "tiles-of-1.tif", &tiles(2, 1));
}

#[test]
fn hidden_scans_and_tables_of_a_jpeg_in_a_tiff_are_counted() {
    let jpeg = gray_jpeg(64, 64);
    let strip = |hidden: &[u8]| {
        let jpeg = [&jpeg[..2], hidden, &jpeg[2..]].concat();
        strips((64, 64, 64), 7, vec![TIFF_DATA], vec![jpeg.len() as u32], &jpeg)
    };
    // A restart marker has no length, but zune-jpeg reads one after it, and so misses the end marker.
    let end = b"\xFF\xD0\0\x04\xFF\xD9";
    expect("Thumbnail", "hidden-nothing.tif", &strip(b""));
    let scan = segment(0xDA, &[1, 1, 0, 0, 63, 0]);
    let scans = [&end[..], &scan.repeat(65)].concat();
    expect("CorruptPhoto", "hidden-scans.tif", &strip(&scans));
    let escaped = [&end[..], &b"\xFF\0\xDA\0\x08\x01\x01\0\0\x3F\0".repeat(65)].concat();
    expect("CorruptPhoto", "escaped-scans.tif", &strip(&escaped));
    let tables: Vec<u8> = [&[0, 1][..], &[0; 15], &[0]].concat().repeat(3600);
    let tables = segment(0xC4, &tables).repeat(140);
    expect("CorruptPhoto", "many-tables.tif", &strip(&tables));
    expect("CorruptPhoto", "hidden-tables.tif", &strip(&[&end[..], &tables].concat()));
}

#[test]
fn texts_of_a_png_share_a_limit_and_a_profile_has_its_own() {
    let text = [b"Raw profile type exif\0\0", &padded_zeros(100, 500_000)[..]].concat();
    let texts = png_chunk(b"zTXt", &text).repeat(32);
    bounded("empty-blocks-in-32-texts.png", &small_png(&texts, b""));
    let profile = |bytes| {
        let profile = [b"name\0\0", &padded_zeros(100, bytes)[..]].concat();
        small_png(&png_chunk(b"iCCP", &profile), b"")
    };
    expect("CorruptPhoto", "profile-of-5-megabytes.png", &profile(5 << 20));
    expect("Thumbnail", "profile-of-3-megabytes.png", &profile(3 << 20));
}

#[test]
fn components_of_equal_id_are_counted_like_libjpeg_turbo_counts_them() {
    // The second component has 8 blocks for each one of the others: a scan of IDs (1, 1) includes both.
    let side = 4000u16.to_be_bytes();
    let frame = [&[8][..], &side, &side, &[3, 1, 0x11, 0, 1, 0x42, 0, 2, 0x11, 0]].concat();
    let begin = [b"\xFF\xD8".to_vec(), segment(0xDB, &[&[0][..], &[1; 64]].concat())].concat();
    let scans = segment(0xDA, &[2, 1, 0, 1, 0, 0, 63, 0]).repeat(490);
    let last = segment(0xDA, &[1, 2, 0, 0, 63, 0]);
    let jpeg = [&begin[..], &segment(0xC9, &frame), &scans, &last, &[0; 4000], b"\xFF\xD9"];
    expect("CorruptPhoto", "one-name.jpg", &jpeg.concat());
}

#[test]
fn stray_bytes_pay_for_a_limited_number_of_scans() {
    let scans: Vec<_> = (0..110).map(|_| ([1, 63, 0], vec![0; 850])).collect();
    let mut jpeg = progressive(10_400, false, &scans);
    jpeg.truncate(jpeg.len() - 2);
    jpeg.resize(95 << 20, 0);
    jpeg.extend([0xFF, 0xD9]);
    expect("CorruptPhoto", "bought-scans.jpg", &jpeg);
}

#[test]
fn a_photo_that_is_searched_for_stray_bytes_and_decoded_twice_ends_soon() {
    let (width, height) = (4000, 2000);
    let noise = |at: usize| (at.wrapping_mul(2_654_435_761) >> 13) as u8;
    let pixels: Vec<u8> = (0..3 * width * height).map(noise).collect();
    let mut compressor = turbojpeg::Compressor::new().unwrap();
    compressor.set_quality(95).unwrap();
    compressor.set_subsamp(turbojpeg::Subsamp::None).unwrap();
    compressor.set_progressive(true).unwrap();
    let format = turbojpeg::PixelFormat::RGB;
    let pixels = pixels.as_slice();
    let image = turbojpeg::Image { pixels, width, pitch: 3 * width, height, format };
    let photo = compressor.compress_to_vec(image).unwrap();
    println!("{} MB", photo.len() >> 20);
    let last = photo.windows(2).rposition(|two| two == [0xFF, 0xC4]).unwrap();
    let stray = [&photo[..last], &[0x5A; 99], &photo[last..]].concat();
    bounded("stray-bytes-before-the-last-scan.jpg", &stray);
    bounded("stray-bytes-everywhere.jpg", &[&stray[..stray.len() - 2], &[0; 99]].concat());
}
