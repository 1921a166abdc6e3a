//! Finds the blocks of EXIF in a file.

use std::borrow::Cow;

use super::png_text;
use crate::container::heif::{self, media_box};
use crate::container::raw::{self, Metadata};
use crate::container::riff::riff_chunk;
use crate::container::{chunks, jpeg};
use crate::format::has_tiff_header;
use crate::{CancelFlag, Format};

/// The bytes before the block in a JPEG's APP1 segment (clause 4.7.2.1), and in other files whose writers
/// copied them from a JPEG.
const IDENTIFIER: &[u8] = b"Exif\0\0";

/// Most bytes of a block that must be copied because it is split or compressed.
const MAX_COPIED_BYTES: usize = 1 << 20;

/// Most blocks, or parts of blocks, that are read; an honest file has one or two.
pub(crate) const MAX_BLOCKS: usize = 32;

/// The blocks of EXIF in a file, each beginning with its TIFF header, in the order of the file.
pub(super) fn blocks<'a>(file: &'a [u8], cancel: &CancelFlag) -> Vec<Cow<'a, [u8]>> {
    match Format::of(file) {
        Some(Format::Jpeg) => of_jpeg(file, cancel),
        Some(Format::Tiff) => vec![file.into()],
        Some(Format::Raw(kind)) => match raw::metadata(file, kind, cancel) {
            Some(Metadata::Block(block)) => vec![block],
            Some(Metadata::Jpeg(jpeg)) => of_jpeg(jpeg, cancel),
            None => Vec::new(),
        },
        Some(Format::Jpeg2000) => heif::jpeg_2000_exif(file, cancel)
            .map(|block| without_identifier(block.into()))
            .into_iter()
            .collect(),
        Some(Format::Png) => png_text::blocks(file, cancel).map(without_identifier).collect(),
        Some(Format::WebP) => chunks(file.get(12..), riff_chunk, cancel)
            .filter(|chunk| chunk.name == b"EXIF")
            .take(MAX_BLOCKS)
            .map(|chunk| without_identifier(chunk.data.into()))
            .collect(),
        Some(Format::JpegXl) => chunks(Some(file), media_box, cancel)
            .filter(|chunk| chunk.name == b"Exif")
            .take(MAX_BLOCKS)
            .filter_map(|chunk| from_exif_item(chunk.data.into()))
            .collect(),
        Some(Format::Gif | Format::Bmp) => Vec::new(),
        // A file of an unknown brand can still be HEIF.
        Some(Format::Heic | Format::Avif | Format::Heif) | None => {
            heif::item(file, cancel).and_then(from_exif_item).into_iter().collect()
        }
    }
}

/// The blocks of a JPEG. A block longer than a segment continues in the next one, which has no TIFF
/// header.
fn of_jpeg<'a>(file: &'a [u8], cancel: &CancelFlag) -> Vec<Cow<'a, [u8]>> {
    let segments = jpeg::app1(file, cancel).filter_map(|segment| segment.strip_prefix(IDENTIFIER));
    let mut blocks: Vec<Cow<[u8]>> = Vec::new();
    for segment in segments.take(MAX_BLOCKS) {
        match blocks.last_mut() {
            Some(block) if !has_tiff_header(segment) => extend(block, segment),
            _ => blocks.push(segment.into()),
        }
    }
    blocks
}

/// Appends a part to a block, unless the copy would become too large.
pub(crate) fn extend(block: &mut Cow<'_, [u8]>, part: &[u8]) {
    if block.len() + part.len() <= MAX_COPIED_BYTES {
        block.to_mut().extend_from_slice(part);
    }
}

fn without_identifier(block: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let skipped = if block.starts_with(IDENTIFIER) { IDENTIFIER.len() } else { 0 };
    skip(block, skipped).unwrap_or_default()
}

/// The block in an Exif item of HEIF or JPEG XL. The item begins with the offset of the TIFF header, which
/// counts from the end of these four bytes (ISO/IEC 23008-12 annex A.2.1).
fn from_exif_item(data: Cow<'_, [u8]>) -> Option<Cow<'_, [u8]>> {
    let offset = u32::from_be_bytes(*data.first_chunk()?) as usize;
    skip(data, offset + 4)
}

/// The data without its first `count` bytes; `None` if it is shorter.
fn skip(data: Cow<'_, [u8]>, count: usize) -> Option<Cow<'_, [u8]>> {
    match data {
        Cow::Borrowed(data) => Some(data.get(count..)?.into()),
        Cow::Owned(data) => Some(data.get(count..)?.to_vec().into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use ::exif::Tag;
    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::super::sample::{ascii, block, facts, jpeg_of, read, short};
    use super::super::{Facts, LocationPolicy};
    use super::*;

    fn small_block() -> Vec<u8> {
        block(&[ascii(Tag::Make, "Canon"), short(Tag::WhiteBalance, 1)], true)
    }

    fn expect_small(name: &str, file: &[u8]) {
        let expected = facts(&[ascii(Tag::Make, "Canon"), short(Tag::WhiteBalance, 1)]);
        assert_eq!(read(file, LocationPolicy::Exact), expected, "{name}");
    }

    fn png(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        for (name, data) in chunks {
            png.extend((data.len() as u32).to_be_bytes());
            png.extend([*name, *data, b"CRC_"].concat());
        }
        png
    }

    fn webp(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut webp = b"RIFF\0\0\0\0WEBP".to_vec();
        for (name, data) in chunks {
            webp.extend(*name);
            webp.extend((data.len() as u32).to_le_bytes());
            webp.extend(*data);
            webp.extend(&[0][..data.len() % 2]);
        }
        webp
    }

    fn media(boxes: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
        let of = |(name, data): &(&[u8; 4], Vec<u8>)| {
            [&(data.len() as u32 + 8).to_be_bytes()[..], *name, data].concat()
        };
        boxes.iter().flat_map(of).collect()
    }

    fn heif(brand: &[u8; 4], block: &[u8]) -> Vec<u8> {
        heif_of(brand, &[&[b"\0\0\0\x06Exif\0\0", block].concat()], 101)
    }

    /// The boxes that a phone writes. Exif items 1, 2, ... describe the pictures 101, 102, ..., one of
    /// which is the primary picture.
    fn heif_of(brand: &[u8; 4], items: &[&[u8]], primary: u16) -> Vec<u8> {
        let brands = [&brand[..], b"\0\0\0\0mif1", brand].concat();
        let count = items.len() as u16;
        let numbers = || (1..=count).map(u16::to_be_bytes);
        let infos =
            numbers().map(|number| (b"infe", [b"\x02\0\0\0", &number[..], b"\0\0Exif\0"].concat()));
        let infos = media(&infos.collect::<Vec<_>>());
        let references = (1..=count).map(|number| {
            let [from, to] = [number, number + 100].map(u16::to_be_bytes);
            (b"cdsc", [from, [0, 1], to].concat())
        });
        let references = media(&references.collect::<Vec<_>>());
        let boxes = |start: usize| {
            let mut offset = start as u32;
            let places = numbers().zip(items).flat_map(|(number, item)| {
                let place = [offset.to_be_bytes(), (item.len() as u32).to_be_bytes()].concat();
                offset += item.len() as u32;
                [&number[..], b"\0\0\0\x01", &place].concat() // one extent
            });
            // Offsets and lengths of four bytes each.
            let header = [b"\0\0\0\0\x44\0", &count.to_be_bytes()[..]].concat();
            let places = header.into_iter().chain(places).collect();
            let meta = media(&[
                (b"pitm", [b"\0\0\0\0", &primary.to_be_bytes()[..]].concat()),
                (b"iinf", [b"\0\0\0\0", &count.to_be_bytes()[..], &infos].concat()),
                (b"iref", [b"\0\0\0\0", &references[..]].concat()),
                (b"iloc", places),
            ]);
            let meta = [b"\0\0\0\0", &meta[..]].concat();
            media(&[(b"ftyp", brands.clone()), (b"meta", meta), (b"mdat", items.concat())])
        };
        let start = boxes(0).len() - items.concat().len();
        boxes(start)
    }

    #[test]
    fn every_container_gives_the_same_facts() {
        let block = small_block();
        let offset_6 = [b"\0\0\0\x06Exif\0\0", &block[..]].concat();
        for (name, file) in [
            ("JPEG", jpeg_of(&[&[IDENTIFIER, &block].concat()])),
            ("TIFF", block.clone()),
            ("PNG", png(&[(b"IHDR", &[0; 13]), (b"IDAT", b"data"), (b"eXIf", &block)])),
            ("WebP", webp(&[(b"VP8X", &[0; 9]), (b"EXIF", &block)])),
            ("HEIC", heif(b"heic", &block)),
            ("AVIF", heif(b"avif", &block)),
            ("HEIF of another brand", heif(b"MiHB", &block)),
            ("JPEG XL", media(&[(b"JXL ", b"\r\n\x87\n".to_vec()), (b"Exif", offset_6)])),
        ] {
            expect_small(name, &file);
        }
    }

    #[test]
    fn a_jpegs_identifier_before_the_block_is_skipped() {
        let block = [IDENTIFIER, &small_block()].concat();
        expect_small("PNG", &png(&[(b"eXIf", &block)]));
        expect_small("WebP", &webp(&[(b"EXIF", &block)]));
    }

    #[test]
    fn a_block_longer_than_a_segment_is_joined() {
        let block = small_block();
        for cut in 1..block.len() {
            let parts = [&block[..cut], &block[cut..]];
            let [first, second] = parts.map(|part| [IDENTIFIER, part].concat());
            let other = b"http://ns.adobe.com/xap/1.0/\0<x/>";
            expect_small("two parts", &jpeg_of(&[&first, other, &second]));
        }
    }

    #[test]
    fn the_first_directory_of_each_kind_counts_among_several_blocks() {
        let segment =
            |fields: &[::exif::Field], little| [IDENTIFIER, &block(fields, little)].concat();
        let first = segment(&[ascii(Tag::Make, "first"), ascii(Tag::GPSMapDatum, "WGS-84")], true);
        let second = segment(
            &[ascii(Tag::Make, "second"), ascii(Tag::Model, "second"), short(Tag::WhiteBalance, 1)],
            false,
        );
        let facts = read(&jpeg_of(&[&first, &second]), LocationPolicy::Exact);
        assert_eq!(facts.camera.make.as_deref(), Some("first"));
        assert_eq!(facts.camera.model, None);
        assert_eq!(facts.tags["WhiteBalance"], "manual white balance");
        assert_eq!(facts.tags["GPSMapDatum"], "WGS-84");
    }

    #[test]
    fn a_segment_without_a_block_does_not_hide_the_next() {
        let good = [IDENTIFIER, &small_block()].concat();
        for bad in
            [&b"Exif\0\0"[..], b"Exif\0\0II*\0\x08\0\0\0\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff"]
        {
            expect_small("after a bad one", &jpeg_of(&[bad, &good]));
        }
    }

    #[test]
    fn an_incomplete_chunk_has_no_facts() {
        for file in [png(&[(b"eXIf", &small_block())]), webp(&[(b"EXIF", &small_block())])] {
            let file = &file[..file.len() - 6];
            assert_eq!(read(file, LocationPolicy::Exact), Facts::default());
        }
    }

    #[test]
    fn the_item_of_the_primary_picture_counts() {
        let item = |make| [b"\0\0\0\0", &block(&[ascii(Tag::Make, make)], true)[..]].concat();
        let items = [item("left"), item("right")];
        let items = [&items[0][..], &items[1]];
        for (primary, expected) in [(101, "left"), (102, "right"), (77, "left")] {
            let facts = read(&heif_of(b"heic", &items, primary), LocationPolicy::Exact);
            assert_eq!(facts.camera.make.as_deref(), Some(expected), "{primary}");
        }
    }

    #[test]
    fn a_block_may_begin_far_inside_its_item() {
        let item = [b"\0\0\0\x0a\xff\xe1\x38\x26Exif\0\0", &small_block()[..]].concat();
        expect_small("with an APP1 marker", &heif_of(b"heic", &[&item], 101));
    }

    #[test]
    fn damaged_boxes_do_no_harm() {
        let whole = heif(b"heic", &small_block());
        for position in 0..whole.len() - small_block().len() {
            for value in [0, 1, 0x44, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[position] = value;
                read(&damaged, LocationPolicy::Exact);
            }
            read(&whole[..position], LocationPolicy::Exact);
        }
    }

    /// A raw profile as ImageMagick writes it, in lines of 36 bytes.
    fn raw_profile(name: &str) -> Vec<u8> {
        let bytes = [IDENTIFIER, &small_block()].concat();
        let lines = bytes
            .chunks(36)
            .map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        let lines = lines.collect::<Vec<_>>().join("\n");
        format!("\n{name}\n{:8}\n{lines}\n", bytes.len()).into_bytes()
    }

    #[test]
    fn exif_in_the_hexadecimal_text_of_a_png_is_read() {
        let mut compressed = ZlibEncoder::new(Vec::new(), Compression::fast());
        compressed.write_all(&raw_profile("exif")).unwrap();
        let compressed = compressed.finish().unwrap();
        let text = [b"Raw profile type APP1\0", &raw_profile("APP1")[..]].concat();
        let packed = [b"Raw profile type exif\0\0", &compressed[..]].concat();
        expect_small("text", &png(&[(b"tEXt", b"Raw profile type xmp\0x"), (b"tEXt", &text)]));
        expect_small("packed text", &png(&[(b"zTXt", &packed)]));
        for broken in
            [&text[..text.len() / 2], &packed[..30], b"Raw profile type exif\0\nexif\n 9\nxx"]
        {
            read(&png(&[(b"tEXt", broken), (b"zTXt", broken)]), LocationPolicy::Exact);
        }
    }

    #[test]
    fn a_bigtiff_has_the_same_facts() {
        let mut file = b"MM\0\x2b\0\x08\0\0\0\0\0\0\0\0\0\x10".to_vec();
        file.extend(2u64.to_be_bytes());
        let entry = |tag: u16, kind: u16, count: u64, place: [u8; 8]| {
            [&tag.to_be_bytes()[..], &kind.to_be_bytes(), &count.to_be_bytes(), &place].concat()
        };
        file.extend(entry(0x010F, 2, 6, *b"Canon\0\0\0"));
        file.extend(entry(0x8769, 18, 1, 72u64.to_be_bytes()));
        file.extend([0; 8]);
        assert_eq!(file.len(), 72);
        file.extend(1u64.to_be_bytes());
        file.extend(entry(0xA403, 3, 1, [0, 1, 0, 0, 0, 0, 0, 0]));
        expect_small("BigTIFF", &file);
    }
}
