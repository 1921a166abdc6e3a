//! Where a file keeps its EXIF.

use std::borrow::Cow;
use std::io::{self, BufRead, Cursor, Read, Seek, SeekFrom};

use ::exif::Reader;

use crate::photo::{Format, jpeg};

/// What precedes the block in a JPEG's APP1 segment (clause 4.7.2.1), and in other files whose
/// writers copied it from one.
const IDENTIFIER: &[u8] = b"Exif\0\0";

/// What reading a HEIF may take: a phone's boxes of metadata have some kilobytes.
const MAX_HEIF_BYTES: usize = 1 << 20;

/// The blocks of EXIF in a file, each from its TIFF header on, in the order of the file.
pub(super) fn blocks(file: &[u8]) -> Vec<Cow<'_, [u8]>> {
    match Format::of(file) {
        Some(Format::Jpeg) => of_jpeg(file),
        Some(Format::Tiff) => vec![file.into()],
        Some(Format::Png) => of_chunk(chunks(file, 8, png_chunk), b"eXIf"),
        Some(Format::WebP) => of_chunk(chunks(file, 12, riff_chunk), b"EXIF"),
        Some(Format::JpegXl) => of_chunk(chunks(file, 0, media_box), b"Exif")
            .into_iter()
            .filter_map(|block| behind_offset(&block).map(|block| block.to_vec().into()))
            .collect(),
        Some(Format::Gif | Format::Bmp) => Vec::new(),
        // A brand that is not known can be a kind of HEIF all the same.
        Some(Format::Heic | Format::Avif) | None => of_heif(file).into_iter().collect(),
    }
}

/// A block longer than a segment goes on in the next one, which begins with no TIFF header.
fn of_jpeg(file: &[u8]) -> Vec<Cow<'_, [u8]>> {
    let mut blocks: Vec<Cow<[u8]>> = Vec::new();
    for segment in jpeg::app1(file).filter_map(|segment| segment.strip_prefix(IDENTIFIER)) {
        match blocks.last_mut() {
            Some(block) if Format::of(segment) != Some(Format::Tiff) => {
                block.to_mut().extend_from_slice(segment);
            }
            _ => blocks.push(segment.into()),
        }
    }
    blocks
}

fn of_chunk<'a>(chunks: impl Iterator<Item = Chunk<'a>>, name: &[u8; 4]) -> Vec<Cow<'a, [u8]>> {
    let named = chunks.filter(|chunk| chunk.name == name).map(|chunk| chunk.data);
    named.map(|data| data.strip_prefix(IDENTIFIER).unwrap_or(data).into()).collect()
}

/// A named part of a file.
struct Chunk<'a> {
    name: &'a [u8],
    data: &'a [u8],
    /// From the beginning of this chunk to that of the next.
    length: usize,
}

/// The chunks of a file that begin at `start`, as far as they are whole.
fn chunks<'a>(
    file: &'a [u8],
    start: usize,
    chunk: impl Fn(&'a [u8]) -> Option<Chunk<'a>>,
) -> impl Iterator<Item = Chunk<'a>> {
    let mut rest = file.get(start..).unwrap_or_default();
    std::iter::from_fn(move || {
        let chunk = chunk(rest)?;
        rest = rest.get(chunk.length..).unwrap_or_default();
        Some(chunk)
    })
}

/// Length, name, data and checksum (PNG clause 5.3).
fn png_chunk(bytes: &[u8]) -> Option<Chunk<'_>> {
    let length = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
    let end = length.checked_add(8)?;
    Some(Chunk { name: bytes.get(4..8)?, data: bytes.get(8..end)?, length: end + 4 })
}

/// Name, length, data and a byte that makes it even (WebP container specification).
fn riff_chunk(bytes: &[u8]) -> Option<Chunk<'_>> {
    let (name, rest) = bytes.split_at_checked(4)?;
    let length = u32::from_le_bytes(*rest.first_chunk()?) as usize;
    let end = length.checked_add(8)?;
    Some(Chunk { name, data: bytes.get(8..end)?, length: end + length % 2 })
}

/// Length of the whole, name and data; a length of 1 is given behind the name in 64 bits, and one of
/// 0 reaches to the end of the file (ISO/IEC 14496-12 clause 4.2).
fn media_box(bytes: &[u8]) -> Option<Chunk<'_>> {
    let name = bytes.get(4..8)?;
    let (length, start) = match u32::from_be_bytes(*bytes.first_chunk()?) {
        0 => (bytes.len(), 8),
        1 => (usize::try_from(u64::from_be_bytes(*bytes[8..].first_chunk()?)).ok()?, 16),
        length => (length as usize, 8),
    };
    Some(Chunk { name, data: bytes.get(start..length)?, length })
}

/// JPEG XL says how far behind its own four bytes the TIFF header is (ISO/IEC 18181-2 clause 9.4).
fn behind_offset(data: &[u8]) -> Option<&[u8]> {
    let (offset, block) = data.split_first_chunk()?;
    block.get(u32::from_be_bytes(*offset) as usize..)
}

fn of_heif(file: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut file = Bounded { file: Cursor::new(file), left: MAX_HEIF_BYTES };
    let exif = Reader::new()
        .continue_on_error(true)
        .read_from_container(&mut file)
        .or_else(|error| error.distill_partial_result(|_| ()))
        .ok()?;
    Some(exif.buf().to_vec().into())
}

/// A file that ends when so many bytes of it were read: the library copies what it reads, and a box
/// may be as long as the file.
struct Bounded<'a> {
    file: Cursor<&'a [u8]>,
    left: usize,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len().min(self.left);
        let read = self.file.read(&mut buffer[..wanted])?;
        self.left -= read;
        Ok(read)
    }
}

impl BufRead for Bounded<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let there = self.file.fill_buf()?;
        Ok(&there[..there.len().min(self.left)])
    }

    fn consume(&mut self, amount: usize) {
        self.left -= amount;
        self.file.consume(amount);
    }
}

impl Seek for Bounded<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

#[cfg(test)]
mod tests {
    use ::exif::Tag;

    use super::super::sample::{ascii, block, facts, jpeg_of, short};
    use super::super::{Facts, LocationPolicy, read};
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

    /// The boxes that a phone writes (ISO/IEC 23008-12 annex A.2.1), of version 0 or 2.
    fn heif(brand: &[u8; 4], block: &[u8]) -> Vec<u8> {
        let file_type = ([&brand[..], b"\0\0\0\0mif1", brand].concat(), b"ftyp");
        let item = media(&[(b"infe", b"\x02\0\0\0\0\x01\0\0Exif\0".to_vec())]);
        let items = [b"\0\0\0\0\0\x01", &item[..]].concat();
        let data = [b"\0\0\0\x06Exif\0\0", block].concat();
        let boxes = |offset: u32| {
            let place = [&offset.to_be_bytes()[..], &(data.len() as u32).to_be_bytes()].concat();
            // Offsets and lengths of four bytes, one item, number 1, one extent.
            let location = [b"\0\0\0\0\x44\0\0\x01\0\x01\0\0\0\x01", &place[..]].concat();
            let meta = media(&[(b"iinf", items.clone()), (b"iloc", location)]);
            media(&[
                (file_type.1, file_type.0.clone()),
                (b"meta", [b"\0\0\0\0", &meta[..]].concat()),
                (b"mdat", data.clone()),
            ])
        };
        let end = boxes(0).len() - data.len();
        boxes(end as u32)
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
    fn a_jpegs_identifier_before_the_block_is_no_part_of_it() {
        let block = [IDENTIFIER, &small_block()].concat();
        expect_small("PNG", &png(&[(b"eXIf", &block)]));
        expect_small("WebP", &webp(&[(b"EXIF", &block)]));
    }

    #[test]
    fn a_block_longer_than_a_segment_is_put_together() {
        let block = small_block();
        for cut in 1..block.len() {
            let parts = [&block[..cut], &block[cut..]];
            let [first, second] = parts.map(|part| [IDENTIFIER, part].concat());
            let other = b"http://ns.adobe.com/xap/1.0/\0<x/>";
            expect_small("two parts", &jpeg_of(&[&first, other, &second]));
        }
    }

    #[test]
    fn of_several_blocks_each_directory_is_the_first_of_its_kind() {
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
    fn a_chunk_that_is_not_whole_has_no_facts() {
        for file in [png(&[(b"eXIf", &small_block())]), webp(&[(b"EXIF", &small_block())])] {
            let file = &file[..file.len() - 6];
            assert_eq!(read(file, LocationPolicy::Exact), Facts::default());
        }
    }

    #[test]
    fn of_a_heif_no_more_is_read_than_may_be() {
        let mut file = Bounded { file: Cursor::new(b"0123456789"), left: 5 };
        let mut read = Vec::new();
        file.read_exact(&mut [0; 2]).unwrap();
        file.seek(SeekFrom::Start(1)).unwrap();
        file.read_to_end(&mut read).unwrap();
        assert_eq!(read, b"123");
        assert!(file.fill_buf().unwrap().is_empty());
    }
}
