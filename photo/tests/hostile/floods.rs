//! Files of very many parts, or files that declare very many: reading one costs time and memory that are
//! linear in its bytes, whatever it declares.

use photo::{Picture, Pixels, Size, encode};

use super::cost::{self, Cost};
use super::files::{
    TIFF_DATA, heif, media_box, png, png_chunk, png_header, riff_chunk, segment, small_png, strips,
    tiff, webp, zeros_compressed,
};
use super::golden;

/// Size of the largest photo that the function accepts by default.
const LARGEST: usize = 100 << 20;
/// MB that reading a file may take in addition to what its plan announces.
const OVERHEAD: u64 = 24;

/// Checks that a file's cost is bounded, and returns its outcome.
pub fn bounded(name: &str, file: &[u8]) -> String {
    let Cost { end, cpu, needed, taken } = cost::of(file, name);
    let (mb, seconds) = (file.len() as f64 / f64::from(1 << 20), cpu.as_secs_f64());
    println!("{name:34} {mb:6.2} MB  {end:17} {seconds:5.2} s CPU  {taken:4} MB of {needed}");
    cost::assert_soon(cpu, name, || cost::of(file, name).cpu);
    assert!(taken <= needed + OVERHEAD, "{name} took {taken} MB, not {needed}");
    end
}

/// Checks that a file's cost is bounded, and that its outcome is the failure of this name or `Thumbnail`.
pub fn expect(end: &str, name: &str, file: &[u8]) {
    assert_eq!(bounded(name, file), end, "{name}");
}

/// Copies of a part that almost fill the largest file.
fn flood(part: &[u8]) -> Vec<u8> {
    part.repeat(LARGEST / part.len() - 1000)
}

pub fn gray_jpeg(width: u32, height: u32) -> Vec<u8> {
    let black = Pixels::black(Size { width, height }, 1);
    encode::jpeg(&Picture::Packed(black), 0.9, None).unwrap()
}

fn with_flood(end: &str, name: &str, part: &[u8]) {
    let jpeg = gray_jpeg(640, 480);
    expect(end, name, &[&jpeg[..20], &flood(part), &jpeg[20..]].concat());
}

#[test]
fn jpegs_of_very_many_segments_are_refused_at_once() {
    with_flood("CorruptPhoto", "app2-empty.jpg", &segment(0xE2, b""));
    with_flood(
        "CorruptPhoto",
        "comments-and-stray-bytes.jpg",
        &[&segment(0xFE, b"")[..], b"\0"].concat(),
    );
    with_flood("CorruptPhoto", "app1-exif.jpg", &segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\0\0"));
    with_flood("CorruptPhoto", "tables.jpg", &segment(0xDB, &[&[0][..], &[1; 64]].concat()));
    with_flood("CorruptPhoto", "restart-markers.jpg", b"\xFF\xD0");
    with_flood("CorruptPhoto", "temporary-markers.jpg", b"\xFF\x01");
    with_flood("Thumbnail", "fill-bytes.jpg", b"\xFF");
    with_flood("Thumbnail", "stray-bytes.jpg", b"\0");
    with_flood("CorruptPhoto", "stray-stuffed-bytes.jpg", b"\xFF\0");
}

#[test]
fn markers_in_a_jpegs_image_data_cost_their_bytes() {
    let jpeg = gray_jpeg(640, 480);
    let scan = jpeg.windows(2).position(|two| two == [0xFF, 0xDA]).unwrap() + 10;
    for (name, part) in [
        ("restart-markers-in-scan.jpg", &b"\xFF\xD0"[..]),
        ("stuffed-bytes-in-scan.jpg", b"\xFF\0"),
        ("temporary-markers-in-scan.jpg", b"\xFF\x01"),
        ("zeros-in-scan.jpg", b"\0"),
        ("fill-bytes-in-scan.jpg", b"\xFF"),
    ] {
        bounded(name, &[&jpeg[..scan], &flood(part), &jpeg[scan..]].concat());
        bounded(
            &format!("after-{name}"),
            &[&jpeg[..jpeg.len() - 2], &flood(part), b"\xFF\xD9"].concat(),
        );
    }
}

#[test]
fn wrongly_numbered_restart_markers_cost_their_bytes() {
    const BLOCKS: usize = 256 * 256;
    // A DC difference of 0 (00), the end of the block (1010) and padding, in the tables of T.81 K.3 that
    // libjpeg-turbo writes.
    const BLOCK: u8 = 0b0010_1011;
    let jpeg = gray_jpeg(2048, 2048);
    let header = jpeg.windows(2).position(|two| two == [0xFF, 0xDA]).unwrap();
    let image = |shift: usize| {
        let marker = |nth: usize| [BLOCK, 0xFF, 0xD0 + (nth + shift) as u8 % 8];
        let scan: Vec<u8> = (0..BLOCKS - 1).flat_map(marker).chain([BLOCK]).collect();
        let interval = segment(0xDD, &[0, 1]);
        [&jpeg[..header], &interval, &jpeg[header..header + 10], &scan, b"\xFF\xD9"].concat()
    };
    for shift in 0..8 {
        expect("Thumbnail", &format!("restart-markers-from-{shift}.jpg"), &image(shift));
    }
}

#[test]
fn segments_that_the_decoder_keeps_are_counted() {
    with_flood("Thumbnail", "app2-full.jpg", &segment(0xE2, &[7; 65_533]));
    let mut part = 0;
    let profile = segment(0xE2, &[b"ICC_PROFILE\0\x01\x01", &[7; 65_519][..]].concat());
    let jpeg = gray_jpeg(640, 480);
    let mut parts = Vec::new();
    while parts.len() < 255 * profile.len() {
        part += 1;
        let at = parts.len();
        parts.extend(&profile);
        parts[at + 16] = part;
        parts[at + 17] = 255;
    }
    expect("Thumbnail", "profile-of-16-mb.jpg", &[&jpeg[..20], &parts, &jpeg[20..]].concat());
}

/// A progressive gray JPEG: a first scan of DC, then these scans, each given by its spectral selection
/// with approximation and its data.
pub fn progressive(side: u16, is_arithmetic: bool, scans: &[([u8; 3], Vec<u8>)]) -> Vec<u8> {
    let side = side.to_be_bytes();
    let frame = [&[8][..], &side, &side, &[1, 1, 0x11, 0]].concat();
    let scan = |selection: &[u8; 3]| segment(0xDA, &[&[1, 1, 0][..], selection].concat());
    let mut jpeg = [
        vec![0xFF, 0xD8],
        segment(0xDB, &[&[0][..], &[1; 64]].concat()),
        segment(if is_arithmetic { 0xCA } else { 0xC2 }, &frame),
        huffman_table(0, 0),
        scan(&[0, 0, 13]),
        if is_arithmetic { vec![] } else { vec![0; blocks(side).div_ceil(8)] },
    ]
    .concat();
    for (selection, data) in scans {
        // Coefficients of one bit in a dense first scan, else codes that end 2^14 blocks.
        let is_dense = data.len() > blocks(side);
        jpeg.extend(huffman_table(0x10, if is_dense && selection[2] < 16 { 0x01 } else { 0xE0 }));
        jpeg.extend(scan(selection));
        jpeg.extend(data);
    }
    jpeg.extend([0xFF, 0xD9]);
    jpeg
}

fn blocks(side: [u8; 2]) -> usize {
    usize::from(u16::from_be_bytes(side)).div_ceil(8).pow(2)
}

/// A Huffman table with one code, a single 0 bit, for this symbol.
fn huffman_table(class: u8, symbol: u8) -> Vec<u8> {
    segment(0xC4, &[&[class, 1][..], &[0; 15], &[symbol]].concat())
}

/// Scans that give these coefficients bit by bit, from the 13th down.
fn bit_by_bit(first: u8, last: u8) -> Vec<[u8; 3]> {
    let refinements = (1..=13).rev().map(|high| [first, last, high << 4 | (high - 1)]);
    [[first, last, 13]].into_iter().chain(refinements).collect()
}

#[test]
fn progressive_jpegs_of_empty_scans_are_bounded() {
    let again = |count| vec![[1, 63, 0]; count];
    let refined = bit_by_bit(1, 63);
    let one_by_one: Vec<_> = (1..=35).flat_map(|at| bit_by_bit(at, at)).collect();
    let dc = bit_by_bit(0, 0)[1..].to_vec();
    for (end, name, side, scans) in [
        ("Thumbnail", "refined-twice.jpg", 2000, [&refined[..], &refined].concat()),
        ("CorruptPhoto", "refined-always.jpg", 2000, vec![[1, 63, 0x10]; 4000]),
        ("CorruptPhoto", "first-always.jpg", 2000, again(4000)),
        ("CorruptPhoto", "first-always-large.jpg", 20_000, again(36)),
        ("CorruptPhoto", "bit-by-bit-large.jpg", 20_000, refined.clone()),
        ("CorruptPhoto", "dc-large.jpg", 19_300, dc.clone()),
        // The most scans and the largest pictures that are accepted.
        ("Thumbnail", "first-most.jpg", 2552, again(490)),
        ("Thumbnail", "first-large-most.jpg", 21_000, again(7)),
        ("Thumbnail", "bit-by-bit-most.jpg", 8600, refined.clone()),
        ("Thumbnail", "bit-by-bit-large-most.jpg", 20_000, refined[..3].to_vec()),
        ("Thumbnail", "one-by-one-most.jpg", 3072, one_by_one),
        ("Thumbnail", "dc-most.jpg", 16_080, dc),
    ] {
        let data = |selection: &[u8; 3]| match selection[0] {
            0 => vec![0; blocks(u16::to_be_bytes(side)).div_ceil(8)],
            // One bit for the code and 14 bits for the number of further blocks, all zero.
            _ => vec![0; (blocks(u16::to_be_bytes(side)).div_ceil(1 << 14) * 15).div_ceil(8)],
        };
        let huffman: Vec<_> = scans.iter().map(|selection| (*selection, data(selection))).collect();
        expect(end, name, &progressive(side, false, &huffman));
        let arithmetic: Vec<_> = scans.iter().map(|selection| (*selection, vec![])).collect();
        bounded(&format!("arithmetic-{name}"), &progressive(side, true, &arithmetic));
    }
    let small = progressive(8, false, &vec![([1, 63, 0], vec![0, 0]); LARGEST / 30]);
    expect("CorruptPhoto", "scans-of-one-block.jpg", &small);
}

#[test]
fn progressive_jpegs_of_dense_scans_cost_their_bytes() {
    // Each coefficient takes two bits in its first scan, and one in each refinement.
    let side = 8000u16;
    let data = |selection: &[u8; 3]| {
        let blocks = blocks(side.to_be_bytes());
        let bits = match selection[2] < 16 {
            true => blocks * 2 * 63,
            false => blocks * 63 + blocks.div_ceil(1 << 14) * 15,
        };
        vec![0; bits.div_ceil(8)]
    };
    let scans: Vec<_> =
        bit_by_bit(1, 63).iter().take(12).map(|selection| (*selection, data(selection))).collect();
    expect("Thumbnail", "dense.jpg", &progressive(side, false, &scans));
}

#[test]
fn a_jpeg_of_the_same_scan_again_and_again_is_refused() {
    let jpeg = gray_jpeg(2000, 2000);
    let scan = jpeg.windows(2).position(|two| two == [0xFF, 0xDA]).unwrap();
    let again = jpeg[scan..jpeg.len() - 2].repeat(1000);
    expect("CorruptPhoto", "sequential-scans.jpg", &[&jpeg[..scan], &again, b"\xFF\xD9"].concat());
    let empty = segment(0xDA, &[1, 1, 0, 0, 63, 0]).repeat(4000);
    let jpeg = [&jpeg[..scan], &empty, &jpeg[scan..]].concat();
    expect("CorruptPhoto", "sequential-empty-scans.jpg", &jpeg);
}

#[test]
fn a_png_whose_profile_is_a_bomb_takes_no_more_than_its_picture() {
    for (name, side, megabytes) in
        [("profile-8000.png", 8000, 140), ("profile-12000.png", 12_000, 400)]
    {
        let profile = [b"p\0\0", &zeros_compressed(megabytes << 20)[..]].concat();
        let pixels = zeros_compressed((side as usize * 3 + 1) * side as usize);
        let header = png_header(side, side, 8, 2);
        expect(
            "Thumbnail",
            name,
            &png(&[(b"IHDR", &header), (b"iCCP", &profile), (b"IDAT", &pixels)]),
        );
    }
}

#[test]
fn pngs_of_very_many_chunks_are_refused_at_once() {
    for (name, chunk) in [
        ("text.png", png_chunk(b"tEXt", b"a\0")),
        ("compressed-text.png", png_chunk(b"zTXt", b"a\0\0\x78\x9C\x03\0\0\0\0\x01")),
        ("international-text.png", png_chunk(b"iTXt", b"a\0\0\0\0\0")),
        ("unknown.png", png_chunk(b"quIt", b"")),
        ("exif.png", png_chunk(b"eXIf", b"II*\0")),
        ("background.png", png_chunk(b"bKGD", b"\0\0\0\0\0\0")),
    ] {
        expect("CorruptPhoto", name, &small_png(&flood(&chunk), b""));
        expect("CorruptPhoto", &format!("{name}-after.png"), &small_png(b"", &flood(&chunk)));
    }
    expect("CorruptPhoto", "empty-idat.png", &small_png(&flood(&png_chunk(b"IDAT", b"")), b""));
    let control = |n: u32| {
        let frame = [n, 8, 8, 0, 0].map(u32::to_be_bytes).concat();
        png_chunk(b"fcTL", &[&frame[..], &[0, 1, 0, 1, 0, 0]].concat())
    };
    let frames: Vec<u8> = (1..1_000_000).flat_map(control).collect();
    let animation = png_chunk(b"acTL", &[0xFF, 0xFF, 0, 0, 0, 0, 0, 0]);
    expect("CorruptPhoto", "frames.png", &small_png(&[animation, control(0)].concat(), &frames));
}

#[test]
fn gifs_of_very_many_blocks_cost_their_bytes() {
    let gif = golden("gif-opaque.gif");
    // The first block begins after the screen descriptor and its colour table.
    let blocks = 13 + 3 * (2 << (gif[10] & 7)) * usize::from(gif[10] >> 7);
    let with = |blocks_before: &[u8]| [&gif[..blocks], blocks_before, &gif[blocks..]].concat();
    expect("CorruptPhoto", "comments.gif", &with(&flood(b"\x21\xFE\x01a\0")));
    expect("CorruptPhoto", "empty-comments.gif", &with(&flood(b"\x21\xFE\0")));
    let long = [b"\x21\xFE", &flood(&[&[255][..], &[7; 255]].concat())[..], b"\0"].concat();
    expect("Thumbnail", "one-long-comment.gif", &with(&long));
    let long =
        [b"\x21\xFF\x0BXMP DataXMP", &flood(&[&[255][..], &[7; 255]].concat())[..], b"\0"].concat();
    expect("CorruptPhoto", "one-long-application.gif", &with(&long));
    let control = b"\x21\xF9\x04\0\0\0\0\0";
    expect("CorruptPhoto", "controls.gif", &with(&flood(control)));
    let long =
        [b"\x21\xFF\x0BICCRGBG1012", &flood(&[&[255][..], &[7; 255]].concat())[..], b"\0"].concat();
    expect("CorruptPhoto", "one-long-profile.gif", &with(&long));
    let profiles = [b"\x21\xFF\x0BICCRGBG1012".as_slice(), &[255], &[7; 255], b"\0"].concat();
    expect("CorruptPhoto", "profiles.gif", &with(&flood(&profiles)));
    let frame = b"\x2C\0\0\0\0\0\0\0\0\0\x02\0";
    bounded("empty-frames.gif", &with(&flood(frame)));
    let tiny = [b"\x21\xFE", &flood(b"\x01a")[..], b"\0"].concat();
    expect("CorruptPhoto", "tiny-sub-blocks.gif", &with(&tiny));
    expect("CorruptPhoto", "unknown.gif", &with(&flood(b"\x21\x77\x01a\0")));
}

#[test]
fn webps_of_very_many_chunks_cost_their_bytes() {
    let lossy = golden("webp-lossy.webp");
    let frame = lossy[12..].to_vec();
    let lossless = golden("webp-lossless-alpha.webp")[12..].to_vec();
    let extended = |flags: u8| {
        let image = image_size(&lossy);
        let canvas = [image.0 - 1, image.1 - 1].map(|side| side.to_le_bytes());
        let data = [&[flags, 0, 0, 0][..], &canvas[0][..3], &canvas[1][..3]].concat();
        riff_chunk(b"VP8X", &data)
    };
    for (name, chunk) in [
        ("unknown.webp", riff_chunk(b"XYZ ", b"")),
        ("exif.webp", riff_chunk(b"EXIF", b"II*\0")),
        ("profiles.webp", riff_chunk(b"ICCP", b"")),
        ("alpha.webp", riff_chunk(b"ALPH", b"")),
        ("frames.webp", riff_chunk(b"ANMF", &[0; 16])),
    ] {
        for flags in [0x3E, 0x2C, 0] {
            let before = [extended(flags), flood(&chunk), frame.clone()].concat();
            bounded(&format!("{flags:x}-{name}"), &webp(&before));
            let after = [extended(flags), frame.clone(), flood(&chunk)].concat();
            bounded(&format!("{flags:x}-after-{name}"), &webp(&after));
        }
    }
    // A frame with many bytes after its data.
    for (name, mut image) in [("long-lossy.webp", frame.clone()), ("long-lossless.webp", lossless)]
    {
        image.extend(vec![0; 90 << 20]);
        let length = (image.len() - 8) as u32;
        if &image[..4] == b"VP8X" {
            continue;
        }
        image[4..8].copy_from_slice(&length.to_le_bytes());
        bounded(name, &webp(&image));
    }
    let profile = [extended(0x20), riff_chunk(b"ICCP", &vec![7; 90 << 20]), frame.clone()].concat();
    bounded("long-profile.webp", &webp(&profile));
}

/// Width and height of a simple lossy WebP (RFC 6386 section 9.1).
fn image_size(webp: &[u8]) -> (u32, u32) {
    let side = |at: usize| u32::from(u16::from_le_bytes([webp[at], webp[at + 1]]) & 0x3FFF);
    (side(26), side(28))
}

#[test]
fn tiffs_of_overlapping_strips_are_refused_at_once() {
    for (name, compression) in [
        ("jpeg.tif", 7),
        ("lzw.tif", 5),
        ("deflate.tif", 8),
        ("none.tif", 1),
        ("packbits.tif", 32773),
    ] {
        let bytes = vec![0xFF; 200_000];
        let (count, length) = (20_000, bytes.len() as u32);
        let file = strips(
            (8, count, 1),
            compression,
            vec![TIFF_DATA; count as usize],
            vec![length; count as usize],
            &bytes,
        );
        expect("CorruptPhoto", &format!("overlapping-{name}"), &file);
    }
    let bytes = vec![0xFF; 1_000_000];
    let file =
        strips((8, 100_000, 1), 7, vec![TIFF_DATA; 100_000], vec![1_000_000; 100_000], &bytes);
    expect("CorruptPhoto", "overlapping-more-jpeg.tif", &file);
}

#[test]
fn tiffs_of_very_many_strips_are_bounded() {
    // Strips of one row of 8 pixels, one after another.
    let many = |count: u32, compression, strip: &[u8]| {
        let length = strip.len() as u32;
        let offsets = (0..count).map(|n| TIFF_DATA + n * length).collect();
        strips(
            (8, count, 1),
            compression,
            offsets,
            vec![length; count as usize],
            &strip.repeat(count as usize),
        )
    };
    let jpeg = gray_jpeg(8, 1);
    let lzw = [0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x01, 0x01];
    for count in [1 << 15, 1 << 17, 1 << 18] {
        bounded(&format!("{count}-jpeg.tif"), &many(count, 7, &jpeg));
        bounded(&format!("{count}-deflate.tif"), &many(count, 8, &zeros_compressed(8)));
        bounded(&format!("{count}-lzw.tif"), &many(count, 5, &lzw));
        bounded(&format!("{count}-none.tif"), &many(count, 1, &[7; 8]));
        bounded(&format!("{count}-packbits.tif"), &many(count, 32773, &[0xF9, 7]));
        bounded(&format!("{count}-fax.tif"), &many(count, 4, &[0x80, 0]));
    }
}

#[test]
fn a_tiff_of_large_tables_and_many_strips_is_refused() {
    let count = 1 << 16;
    let jpeg = gray_jpeg(8, 1);
    let comment = segment(0xFE, &[7; 50_000]);
    let tables = [b"\xFF\xD8", &comment.repeat(2)[..], b"\xFF\xD9"].concat();
    let at = TIFF_DATA + (jpeg.len() * count) as u32;
    let offsets = (0..count as u32).map(|n| TIFF_DATA + n * jpeg.len() as u32).collect();
    let data = [jpeg.repeat(count), tables.clone()].concat();
    let mut entries = vec![
        (256, vec![8]),
        (257, vec![count as u32]),
        (258, vec![8]),
        (259, vec![7]),
        (262, vec![1]),
        (273, offsets),
        (277, vec![1]),
        (278, vec![1]),
        (279, vec![jpeg.len() as u32; count]),
        (347, vec![at]),
    ];
    entries.sort_by_key(|(tag, _)| *tag);
    let mut file = tiff(&entries, &data);
    // The tables are of type 7, bytes, and have as many values as bytes.
    let entry = file.windows(4).rposition(|four| four == [0x5B, 0x01, 4, 0]).unwrap();
    file[entry + 2] = 7;
    file[entry + 4..entry + 8].copy_from_slice(&(tables.len() as u32).to_le_bytes());
    expect("CorruptPhoto", "large-tables.tif", &file);
}

#[test]
fn heifs_that_declare_very_many_parts_are_read_soon() {
    let infe = media_box(b"infe", b"\x02\0\0\0\0\x01\0\0Exif\0");
    let items = media_box(b"iinf", &[b"\0\0\0\0\0\x01", &infe[..]].concat());
    // Versions 1 and 2 have a construction method. The sizes of offset, length, base and index are 0.
    for (name, version, id, count) in [("0", 0, 2, 2), ("1", 1, 2, 2), ("2", 2, 4, 4)] {
        let method: &[u8] = if version == 0 { b"" } else { b"\0\0" };
        for (kind, number) in [("other", 9u32), ("wanted", 1)] {
            let number = &number.to_be_bytes()[4 - id..];
            let entry = [number, method, b"\0\0\xFF\xFF"].concat();
            let entries = entry.repeat(100_000);
            let header = [&[version, 0, 0, 0, 0, 0][..], &vec![0xFF; count]].concat();
            let places = media_box(b"iloc", &[header, entries].concat());
            let file = heif(&[items.clone(), places]);
            expect("CorruptPhoto", &format!("extents-{kind}-{name}.heic"), &file);
            let avif = [&file[..8], b"avif", &file[12..]].concat();
            expect("UnsupportedFormat", &format!("extents-{kind}-{name}.avif"), &avif);
        }
    }
    for name in [b"free", b"Exif", b"infe", b"iloc"] {
        let label = String::from_utf8_lossy(name).into_owned();
        let flooded = flood(&media_box(name, b""));
        let file = heif(std::slice::from_ref(&flooded));
        expect("CorruptPhoto", &format!("boxes-{label}.heic"), &file);
        let file = [&heif(&[])[..], &flooded].concat();
        expect("CorruptPhoto", &format!("boxes-outside-{label}.heic"), &file);
        let jxl = [b"\0\0\0\x0CJXL \r\n\x87\n", &flooded[..]].concat();
        expect("UnsupportedFormat", &format!("boxes-{label}.jxl"), &jxl);
    }
}

/// The bytes of a packet of XMP that are read, four of which are read of a file.
const PACKET: usize = 2 << 20;
const RDF: &str =
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description";

#[test]
fn packets_of_xmp_cost_their_bytes() {
    let inside = format!("{RDF}>");
    let value = format!(
        "{RDF} xmlns:exif='http://ns.adobe.com/exif/1.0/'><exif:DateTimeOriginal><rdf:Seq><rdf:li>"
    );
    let declared: String = (0..64).map(|number| format!(" xmlns:n{number}='u'")).collect();
    let bound = format!("{RDF}{declared}>");
    for (name, start, part) in [
        ("deep", "", "<a>"),
        ("elements", &inside, "<a/>"),
        ("bound-elements", &bound, "<b:Lens/>"),
        ("bound-attributes", &format!("{RDF}{declared} "), "b:Lens='' "),
        ("equal-attributes", "<a ", "b='' "),
        ("namespaces", "<a ", "xmlns:b='' "),
        ("namespaces-of-elements", &inside, "<a xmlns:b=''/>"),
        ("lists", &value, "<rdf:li>"),
        ("items", &value, "</rdf:li><rdf:li>"),
        ("text", &value, "x"),
        ("references", &value, "&#120;"),
        ("entities", &value, "&a;"),
        ("ampersands", &value, "&"),
        ("sections", &value, "<![CDATA[x]]>"),
        ("comments", "", "<!---->"),
        ("instructions", "", "<?a?>"),
        ("declarations", "<!DOCTYPE a [", "<!ENTITY a '&a;&a;'>"),
        ("brackets", "<!DOCTYPE a ", "["),
        ("open", "", "<"),
        ("quotes", "<a b=", "'"),
        ("spaces", "", " "),
    ] {
        let packet = format!("{start}{}", part.repeat(PACKET / part.len()));
        expect_packets(name, packet.as_bytes());
    }
    expect_packets("bytes-that-are-no-text", &[0xFF; PACKET]);
}

/// Checks a PNG of five such packets.
fn expect_packets(name: &str, packet: &[u8]) {
    let text = [b"XML:com.adobe.xmp\0\0\0\0\0", packet].concat();
    let chunks = png_chunk(b"iTXt", &text).repeat(5);
    expect("Thumbnail", &format!("xmp-{name}.png"), &small_png(&chunks, b""));
}

#[test]
fn extensions_of_xmp_and_image_resources_cost_their_bytes() {
    let guid = b"0123456789ABCDEF0123456789ABCDEF";
    let main = format!(
        "http://ns.adobe.com/xap/1.0/\0{RDF} xmlns:n='http://ns.adobe.com/xmp/note/' n:HasExtendedXMP='{}'/>",
        String::from_utf8_lossy(guid)
    );
    let jpeg = gray_jpeg(640, 480);
    let extension = |offset: u32, bytes: usize| {
        let header = [&b"http://ns.adobe.com/xmp/extension/\0"[..], guid, &[0xFF; 4]].concat();
        segment(0xE1, &[&header[..], &offset.to_be_bytes(), &vec![b'<'; bytes]].concat())
    };
    let resources = |part: &[u8]| {
        segment(0xED, &[&b"Photoshop 3.0\0"[..], &part.repeat(65_000 / part.len())].concat())
    };
    let iptc =
        [b"8BIM\x04\x04\0\0\0\0\xEA\x60", &b"\x1C\x02\x19\0\0"[..].repeat(12_000)[..]].concat();
    for (name, part) in [
        ("extensions-at-0", extension(0, 65_000)),
        ("extensions-at-2-mb", extension((PACKET - 65_000) as u32, 65_000)),
        ("extensions-at-4-gb", extension(u32::MAX, 65_000)),
        ("resources", resources(b"8BIM\x04\x25\0\0\0\0\0\0")),
        ("resources-of-exif", resources(b"8BIM\x04\x22\0\0\0\0\0\x0EMM\0*\0\0\0\x08\0\0\0\0\0\0")),
        ("iptc", resources(&iptc)),
    ] {
        let start = [&jpeg[..20], &segment(0xE1, main.as_bytes())].concat();
        expect(
            "Thumbnail",
            &format!("{name}.jpg"),
            &[&start[..], &flood(&part), &jpeg[20..]].concat(),
        );
    }
}
