//! Finds the blocks of metadata in a file: EXIF, XMP, and the image resources of Photoshop with IPTC in them.

use std::borrow::Cow;

use super::png_text;
use crate::container::chunks;
use crate::container::heif::{self, media_box};
use crate::container::jpeg::{self, marker};
use crate::container::raw::{self, Metadata};
use crate::container::riff::riff_chunk;
use crate::format::has_tiff_header;
use crate::{CancelFlag, Format};

/// The bytes before the block in a JPEG's APP1 segment (clause 4.7.2.1), and in other files whose writers
/// copied them from a JPEG. Their letters may be of another case, and the last byte another one.
const IDENTIFIER: &[u8; 5] = b"Exif\0";
/// Most bytes before the identifier; there is a camera that writes the start of a segment there again.
const MAX_BEFORE_IDENTIFIER: usize = 4;

/// The bytes before a packet of XMP and before its extension in APP1 (XMP part 3, clauses 1.1.3 and 1.1.3.1).
pub(crate) const XMP_IDENTIFIER: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const EXTENSION_IDENTIFIER: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";

/// What some programs put before the XML of a packet.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The bytes before image resources in APP13.
pub(crate) const RESOURCE_IDENTIFIERS: [&[u8]; 2] = [b"Photoshop 3.0\0", b"Adobe_Photoshop2.5:"];

/// Most bytes of a block that must be copied because it is split or compressed.
const MAX_COPIED_BYTES: usize = 1 << 20;

/// Most blocks of a kind, or parts of blocks, that are read; an honest file has one or two.
pub(crate) const MAX_BLOCKS: usize = 32;

/// The blocks of metadata in a file, each kind in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct Blocks<'a> {
    /// Each begins with its TIFF header.
    pub exif: Vec<Cow<'a, [u8]>>,
    /// Packets of XMP.
    pub xmp: Vec<Cow<'a, [u8]>>,
    /// Parts of extensions of XMP, each of which begins with a GUID.
    pub extensions: Vec<&'a [u8]>,
    /// Image resources of Photoshop, or IPTC by itself.
    pub resources: Vec<Cow<'a, [u8]>>,
    /// Texts of a PNG.
    pub creation_times: Vec<Cow<'a, [u8]>>,
}

impl<'a> Blocks<'a> {
    /// Walks through a file once.
    pub fn find(file: &'a [u8], cancel: &CancelFlag) -> Blocks<'a> {
        let mut blocks = Blocks::default();
        match Format::of(file) {
            Some(Format::Jpeg) => blocks.find_in_jpeg(file, cancel),
            Some(Format::Tiff) => blocks.exif.push(file.into()),
            Some(Format::Raw(kind)) => match raw::metadata(file, kind, cancel) {
                Some(Metadata::Block(block)) => blocks.push_exif(block),
                Some(Metadata::Jpeg(jpeg)) => blocks.find_in_jpeg(jpeg, cancel),
                None => {}
            },
            Some(Format::Jpeg2000) => {
                if let Some(block) = heif::jpeg_2000_exif(file, cancel) {
                    blocks.push_exif(block.into());
                }
            }
            Some(Format::Png) => png_text::find(file, cancel, &mut blocks),
            Some(Format::WebP) => blocks.find_in_webp(file, cancel),
            Some(Format::JpegXl) => blocks.find_in_jpeg_xl(file, cancel),
            Some(Format::Gif | Format::Bmp) => {}
            // A file of an unknown brand can still be HEIF.
            Some(Format::Heic | Format::Avif | Format::Heif) | None => {
                blocks.find_in_heif(file, cancel)
            }
        }
        blocks
    }

    /// A segment that is longer than 64 KB continues in the next one of its kind.
    fn find_in_jpeg(&mut self, file: &'a [u8], cancel: &CancelFlag) {
        for (code, payload) in jpeg::app_segments(file, cancel) {
            match code {
                marker::APP1 => self.push_app1(payload),
                marker::APP13 => self.push_app13(payload),
                _ => {}
            }
        }
    }

    fn push_app1(&mut self, payload: &'a [u8]) {
        if let Some(block) = after_identifier(payload) {
            match self.exif.last_mut() {
                Some(last) if !has_tiff_header(block) => extend(last, block),
                _ => self.push_exif(block.into()),
            }
        } else if let Some(part) = payload.strip_prefix(EXTENSION_IDENTIFIER) {
            self.extensions.push(part);
        } else if let Some(packet) = xmp_packet(payload) {
            push(&mut self.xmp, packet.into());
        }
    }

    fn push_app13(&mut self, payload: &'a [u8]) {
        let found = RESOURCE_IDENTIFIERS.iter().find_map(|name| payload.strip_prefix(*name));
        // Some programs write IPTC without anything around it.
        let bare = || payload.starts_with(b"\x1C").then_some(payload);
        let Some(resources) = found.or_else(bare) else { return };
        match self.resources.last_mut() {
            Some(last) => extend(last, resources),
            None => self.resources.push(resources.into()),
        }
    }

    fn find_in_webp(&mut self, file: &'a [u8], cancel: &CancelFlag) {
        for chunk in chunks(file.get(12..), riff_chunk, cancel) {
            match chunk.name {
                b"EXIF" => self.push_exif(chunk.data.into()),
                // Some programs end the name with a NUL.
                b"XMP " | b"XMP\0" => push(&mut self.xmp, chunk.data.into()),
                _ => {}
            }
        }
    }

    fn find_in_jpeg_xl(&mut self, file: &'a [u8], cancel: &CancelFlag) {
        for chunk in chunks(Some(file), media_box, cancel) {
            match chunk.name {
                b"Exif" => self.push_item(chunk.data.into()),
                b"xml " => push(&mut self.xmp, chunk.data.into()),
                _ => {}
            }
        }
    }

    fn find_in_heif(&mut self, file: &'a [u8], cancel: &CancelFlag) {
        if let Some(item) = heif::item(file, heif::Kind::Exif, cancel) {
            self.push_item(item);
        }
        self.xmp.extend(heif::item(file, heif::Kind::Xmp, cancel));
    }

    /// Adds a block of EXIF, with or without a JPEG's identifier.
    pub fn push_exif(&mut self, block: Cow<'a, [u8]>) {
        let skipped = after_identifier(&block).map_or(0, |rest| block.len() - rest.len());
        push(&mut self.exif, skip(block, skipped).unwrap_or_default());
    }

    /// Adds a block of EXIF in an item of HEIF or JPEG XL. The item begins with the offset of the TIFF header,
    /// which counts from the end of these four bytes (ISO/IEC 23008-12 annex A.2.1), but some programs forget
    /// them.
    pub fn push_item(&mut self, item: Cow<'a, [u8]>) {
        let is_bare = has_tiff_header(&item) || item.starts_with(IDENTIFIER);
        let offset = item.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes) as usize);
        let skipped = if is_bare { 0 } else { offset.saturating_add(4) };
        if let Some(block) = skip(item, skipped) {
            self.push_exif(block);
        }
    }

    /// Adds a block whose kind its first bytes tell.
    pub fn push_any(&mut self, block: Cow<'a, [u8]>) {
        if let Some(packet) = block.strip_prefix(XMP_IDENTIFIER) {
            push(&mut self.xmp, packet.to_vec().into());
        } else if block.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&block).starts_with(b"<") {
            push(&mut self.xmp, block);
        } else if block.starts_with(b"8BIM") || block.starts_with(b"\x1C") {
            push(&mut self.resources, block);
        } else {
            self.push_exif(block);
        }
    }
}

fn push<'a>(blocks: &mut Vec<Cow<'a, [u8]>>, block: Cow<'a, [u8]>) {
    if blocks.len() < MAX_BLOCKS {
        blocks.push(block);
    }
}

/// Appends a part to a block, unless the copy would become too large.
pub(crate) fn extend(block: &mut Cow<'_, [u8]>, part: &[u8]) {
    if block.len() + part.len() <= MAX_COPIED_BYTES {
        block.to_mut().extend_from_slice(part);
    }
}

/// What follows the identifier of EXIF. exiftool allows the same deviations.
fn after_identifier(bytes: &[u8]) -> Option<&[u8]> {
    let is_there = |start: &usize| {
        let found = bytes.get(*start..).and_then(|rest| rest.first_chunk());
        found.is_some_and(|found: &[u8; 5]| found.eq_ignore_ascii_case(IDENTIFIER))
    };
    let start = (0..=MAX_BEFORE_IDENTIFIER).find(is_there)?;
    bytes.get(start + IDENTIFIER.len() + 1..)
}

/// The packet of XMP in a segment, behind its identifier or another one.
fn xmp_packet(payload: &[u8]) -> Option<&[u8]> {
    payload.strip_prefix(XMP_IDENTIFIER).or_else(|| {
        let is_packet = memchr::memmem::find(payload, b"<rdf:RDF").is_some();
        let start = memchr::memchr(b'<', payload).filter(|_| is_packet)?;
        payload.get(start..)
    })
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

    use ::exif::{Context, Field, Tag, Value};
    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;
    use crate::metadata::TimeSource;
    use crate::metadata::sample::{
        ascii, block, facts, iptc, jpeg, jpeg_of, jpeg_of_segments, packet, photoshop, png, read,
        resource, short, xmp,
    };
    use crate::{Facts, LocationPolicy};

    fn small_block() -> Vec<u8> {
        block(&[ascii(Tag::Make, "Canon"), short(Tag::WhiteBalance, 1)], true)
    }

    fn expect_small(name: &str, file: &[u8]) {
        let expected = facts(&[ascii(Tag::Make, "Canon"), short(Tag::WhiteBalance, 1)]);
        assert_eq!(read(file, LocationPolicy::Exact), expected, "{name}");
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
            ("JPEG", jpeg_of(&[&[b"Exif\0\0", &block[..]].concat()])),
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
        let block = [b"Exif\0\0", &small_block()[..]].concat();
        expect_small("PNG", &png(&[(b"eXIf", &block)]));
        expect_small("WebP", &webp(&[(b"EXIF", &block)]));
    }

    #[test]
    fn an_identifier_of_another_case_or_with_other_bytes_is_known() {
        for identifier in
            [&b"Exif\0\xff"[..], b"EXIF\0\0", b"exif\0\0", b"Exif\0\x01", b"\xff\xe1\x20\0Exif\0\0"]
        {
            let block = [identifier, &small_block()].concat();
            expect_small("JPEG", &jpeg_of(&[&block]));
            expect_small("PNG", &png(&[(b"eXIf", &block)]));
            expect_small("WebP", &webp(&[(b"EXIF", &block)]));
        }
        for identifier in [&b"Exif "[..], b"Exit\0\0", b"12345Exif\0\0"] {
            let file = jpeg_of(&[&[identifier, &small_block()].concat()]);
            assert_eq!(read(&file, LocationPolicy::Exact), Facts::default(), "{identifier:?}");
        }
    }

    #[test]
    fn exif_among_photoshops_image_resources_is_read() {
        for number in [0x0422, 0x0423] {
            let app13 = photoshop(number, &small_block());
            expect_small("APP13", &jpeg_of_segments(&[(0xED, &app13)]));
        }
        let whole = [resource(0x0425, &[7; 16]), resource(0x0422, &small_block())].concat();
        for cut in 0..whole.len() {
            let (first, second) = whole.split_at(cut);
            let parts = [first, second].map(|part| [b"Photoshop 3.0\0", part].concat());
            expect_small("two parts", &jpeg_of_segments(&[(0xED, &parts[0]), (0xED, &parts[1])]));
        }
        let own = [b"Exif\0\0", &block(&[ascii(Tag::Make, "own")], true)[..]].concat();
        let file = jpeg_of_segments(&[(0xED, &photoshop(0x0422, &small_block())), (0xE1, &own)]);
        assert_eq!(read(&file, LocationPolicy::Exact).camera.make.as_deref(), Some("own"));
    }

    #[test]
    fn an_item_without_its_offset_is_read() {
        for item in [small_block(), [b"Exif\0\0", &small_block()[..]].concat()] {
            expect_small("HEIC", &heif_of(b"heic", &[&item], 101));
            expect_small("JPEG XL", &media(&[(b"JXL ", b"\r\n\x87\n".to_vec()), (b"Exif", item)]));
        }
        let wild = [b"\xff\xff\xff\xff", &small_block()[..]].concat();
        assert_eq!(read(&heif_of(b"heic", &[&wild], 101), LocationPolicy::Exact), Facts::default());
    }

    const DATE: &str = "exif:DateTimeOriginal='2019-08-11T15:10:10+02:00'";

    #[test]
    fn every_container_has_its_place_for_xmp() {
        let packet = packet(DATE, "");
        let bytes = packet.as_bytes();
        let text = |middle: &[u8]| [b"XML:com.adobe.xmp", middle, bytes].concat();
        let mut compressed = ZlibEncoder::new(Vec::new(), Compression::fast());
        compressed.write_all(bytes).unwrap();
        let compressed = compressed.finish().unwrap();
        let packed = [b"XML:com.adobe.xmp\0\x01\0en\0XMP\0", &compressed[..]].concat();
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let profile = |mark: &str| {
            format!("Raw profile type xmp\0\nxmp\n {}\n{mark}{digits}\n", bytes.len()).into_bytes()
        };
        let tiff = block(
            &[Field { value: Value::Byte(bytes.to_vec()), ..short(Tag(Context::Tiff, 700), 1) }],
            true,
        );
        for (name, file) in [
            ("JPEG", jpeg_of(&[&xmp(DATE)])),
            ("JPEG, another identifier", jpeg_of(&[&[b"XMP\0", bytes].concat()])),
            ("JPEG, no identifier", jpeg_of(&[bytes])),
            ("JPEG, image resource", jpeg_of_segments(&[(0xED, &photoshop(0x0424, bytes))])),
            ("PNG", png(&[(b"iTXt", &text(b"\0\0\0\0\0"))])),
            ("PNG with a language", png(&[(b"iTXt", &text(b"\0\0\0x-default\0XMP\0"))])),
            ("PNG, compressed", png(&[(b"iTXt", &packed)])),
            ("PNG, tEXt", png(&[(b"tEXt", &text(b"\0"))])),
            ("PNG, raw profile", png(&[(b"tEXt", &profile(""))])),
            ("PNG, raw profile with a byte order mark", png(&[(b"tEXt", &profile("efbbbf"))])),
            ("WebP", webp(&[(b"VP8X", &[0; 9]), (b"XMP ", bytes)])),
            ("WebP, another name", webp(&[(b"XMP\0", bytes)])),
            ("TIFF", tiff.clone()),
            ("JPEG, in the EXIF", jpeg(&tiff)),
            ("HEIC", heif_with_xmp(bytes)),
            ("JPEG XL", media(&[(b"JXL ", b"\r\n\x87\n".to_vec()), (b"xml ", bytes.to_vec())])),
        ] {
            let taken = read(&file, LocationPolicy::Exact).taken_at.expect(name);
            assert_eq!(taken.iso8601(), "2019-08-11T15:10:10+02:00", "{name}");
            assert_eq!(taken.source(), TimeSource::Xmp, "{name}");
        }
    }

    /// A HEIF with an item of type mime, whose content type is that of XMP, behind one of another type.
    fn heif_with_xmp(packet: &[u8]) -> Vec<u8> {
        let infe = |id: u8, content_type: &[u8]| {
            (b"infe", [b"\x02\0\0\0\0", &[id, 0, 0][..], b"mime\0", content_type, b"\0"].concat())
        };
        let entries = media(&[infe(1, b"text/plain"), infe(2, b"application/rdf+xml")]);
        let extent = |id: u8, offset: usize| {
            let (offset, length) =
                ((offset as u32).to_be_bytes(), (packet.len() as u32).to_be_bytes());
            [&[0, id, 0, 0, 0, 1][..], &offset, &length].concat()
        };
        let boxes = |start: usize| {
            let iloc = [b"\0\0\0\0\x44\0\0\x02", &extent(1, 0)[..], &extent(2, start)].concat();
            let iinf = [b"\0\0\0\0\0\x02", &entries[..]].concat();
            let meta = [b"\0\0\0\0", &media(&[(b"iinf", iinf), (b"iloc", iloc)])[..]].concat();
            let brands = b"heic\0\0\0\0mif1heic".to_vec();
            media(&[(b"ftyp", brands), (b"meta", meta), (b"mdat", packet.to_vec())])
        };
        boxes(boxes(0).len() - packet.len())
    }

    #[test]
    fn the_extension_of_xmp_is_joined_from_its_segments() {
        let guid = "0123456789ABCDEF0123456789ABCDEF";
        let extension = packet(DATE, &" ".repeat(70_000));
        let (length, cut) = (extension.len() as u32, 40_000);
        let part = |offset: usize, data: &str| {
            let header = [length.to_be_bytes(), (offset as u32).to_be_bytes()].concat();
            [EXTENSION_IDENTIFIER, guid.as_bytes(), &header, data.as_bytes()].concat()
        };
        let (first, second) = extension.split_at(cut);
        let main = xmp(&format!("xmpNote:HasExtendedXMP='{guid}'"));
        let file = jpeg_of(&[&part(cut, second), &main, &part(0, first)]);
        let taken = read(&file, LocationPolicy::Exact).taken_at.unwrap();
        assert_eq!(taken.iso8601(), "2019-08-11T15:10:10+02:00");
        assert_eq!(read(&jpeg_of(&[&part(0, first)]), LocationPolicy::Exact).taken_at, None);
    }

    #[test]
    fn iptc_is_read_from_image_resources_a_png_and_a_tiff() {
        let datasets = iptc(&[(55, "20160124"), (60, "175358+0100")]);
        let resources = resource(0x0404, &datasets);
        let profile = |name: &str, bytes: &[u8]| {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("Raw profile type {name}\0\n{name}\n {}\n{digits}\n", bytes.len()).into_bytes()
        };
        let tiff = |number, bytes: &[u8]| {
            let value = Value::Undefined(bytes.to_vec(), 0);
            block(&[Field { value, ..short(Tag(Context::Tiff, number), 1) }], false)
        };
        let old = [b"Adobe_Photoshop2.5:", &resources[..]].concat();
        for (name, file) in [
            ("JPEG", jpeg_of_segments(&[(0xED, &photoshop(0x0404, &datasets))])),
            ("JPEG, bare", jpeg_of_segments(&[(0xED, &datasets)])),
            ("JPEG of old", jpeg_of_segments(&[(0xED, &old)])),
            ("PNG", png(&[(b"tEXt", &profile("iptc", &resources))])),
            ("PNG, bare", png(&[(b"tEXt", &profile("iptc", &datasets))])),
            ("PNG, 8bim", png(&[(b"tEXt", &profile("8bim", &resources))])),
            ("TIFF", tiff(0x83BB, &datasets)),
            ("TIFF, image resources", tiff(0x8649, &resources)),
        ] {
            let taken = read(&file, LocationPolicy::Exact).taken_at.expect(name);
            assert_eq!(taken.iso8601(), "2016-01-24T17:53:58+01:00", "{name}");
            assert_eq!(taken.source(), TimeSource::Iptc, "{name}");
        }
    }

    #[test]
    fn the_creation_time_of_a_png_is_read_in_each_of_its_forms() {
        let mut compressed = ZlibEncoder::new(Vec::new(), Compression::fast());
        compressed.write_all(b"2024-01-16T21:15:29").unwrap();
        let packed = [b"Creation Time\0\0", &compressed.finish().unwrap()[..]].concat();
        let plain = "2024-01-16T21:15:29";
        for (kind, text, expected) in [
            (b"tEXt", &b"Creation Time\x002024:01:16 21:15:29"[..], plain),
            (b"tEXt", b"creation time\x002024-01-16T21:15:29", plain),
            (
                b"tEXt",
                b"Creation Time\0Tue, 16 Jan 2024 21:15:29 +0100",
                "2024-01-16T21:15:29+01:00",
            ),
            (b"tEXt", b"Creation Time\0Tue Jan 16 21:15:29 2024", plain),
            (
                b"iTXt",
                b"Creation Time\0\0\0\0\x002024-01-16T21:15:29Z",
                "2024-01-16T21:15:29+00:00",
            ),
            (b"zTXt", &packed, plain),
        ] {
            let taken = read(&png(&[(kind, text)]), LocationPolicy::Exact).taken_at.unwrap();
            assert_eq!(taken.iso8601(), expected);
            assert_eq!(taken.source(), TimeSource::PngText);
        }
        for text in
            [&b"Creation Time\0soon"[..], b"Creation Time", b"Software\x002024:01:16 21:15:29"]
        {
            assert_eq!(read(&png(&[(b"tEXt", text)]), LocationPolicy::Exact).taken_at, None);
        }
        let both = [
            (b"tEXt", &b"Creation Time\0soon"[..]),
            (b"tEXt", b"Creation Time\x002024:01:16 21:15:29"),
        ];
        assert!(read(&png(&both), LocationPolicy::Exact).taken_at.is_some());
    }

    #[test]
    fn a_block_longer_than_a_segment_is_joined() {
        let block = small_block();
        for cut in 1..block.len() {
            let parts = [&block[..cut], &block[cut..]];
            let [first, second] = parts.map(|part| [b"Exif\0\0", part].concat());
            let other = b"http://ns.adobe.com/xap/1.0/\0<x/>";
            expect_small("two parts", &jpeg_of(&[&first, other, &second]));
        }
    }

    #[test]
    fn the_first_directory_of_each_kind_counts_among_several_blocks() {
        let segment =
            |fields: &[::exif::Field], little| [b"Exif\0\0", &block(fields, little)[..]].concat();
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
        let good = [b"Exif\0\0", &small_block()[..]].concat();
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
    fn exif_in_a_jpeg_2000_is_read() {
        let uuid = [b"JpgTiffExif->JP2", &small_block()[..]].concat();
        let other = [&[7; 16][..], &small_block()].concat();
        let signature = b"\r\n\x87\n".to_vec();
        let file = media(&[(b"jP  ", signature), (b"uuid", other), (b"uuid", uuid)]);
        expect_small("JPEG 2000", &file);
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
        let bytes = [b"Exif\0\0", &small_block()[..]].concat();
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
        let junk = [&text[..], b" \0\xff\xfejunk"].concat();
        expect_small("text with junk behind its digits", &png(&[(b"tEXt", &junk)]));
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
