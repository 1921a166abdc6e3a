//! Cameras' raw files: recognises them, and finds the EXIF of those that are not plain TIFFs. Signatures and
//! places are those that exiftool and LibRaw describe.

use std::borrow::Cow;

use super::heif::media_box;
use super::tiff::{self, Directory};
use super::{Chunk, chunks};
use crate::{CancelFlag, Raw};

/// Tags of TIFF that tell a raw file from a photo.
mod tag {
    pub const SUBFILE_TYPE: u16 = 254;
    pub const WIDTH: u16 = 256;
    pub const PHOTOMETRIC: u16 = 262;
    pub const MAKE: u16 = 271;
    pub const SUB_DIRECTORIES: u16 = 330;
    pub const DNG_VERSION: u16 = 50706;
}
/// Photometric interpretations of a sensor's samples: in the colours of its filters (TIFF/EP), and linear
/// (DNG 1.4 page 22).
const OF_A_SENSOR: [u64; 2] = [32803, 34892];
/// Most directories below the first that are looked at; cameras write two or three.
const MAX_SUB_DIRECTORIES: usize = 16;
/// The makers of cameras whose raw files are TIFFs, as Make begins.
const MAKERS: [(&[u8], Raw); 13] = [
    (b"NIKON", Raw::Nef),
    (b"SONY", Raw::Arw),
    (b"PENTAX", Raw::Pef),
    (b"RICOH", Raw::Pef),
    (b"ASAHI", Raw::Pef),
    (b"SAMSUNG", Raw::Srw),
    (b"HASSELBLAD", Raw::ThreeFr),
    (b"EASTMAN", Raw::Dcr),
    (b"KODAK", Raw::Dcr),
    (b"SEIKO EPSON", Raw::Erf),
    (b"MAMIYA", Raw::Mef),
    (b"LEAF", Raw::Mos),
    (PHASE_ONE, Raw::Iiq),
];
const PHASE_ONE: &[u8] = b"PHASE ONE";
/// Places in a RAF of the offset and the length of its JPEG, in bytes from the start.
const RAF_JPEG: [usize; 2] = [84, 88];
/// The box with Canon's metadata in the moov box of a CR3.
const CR3_UUID: &[u8] = b"\x85\xC0\xB6\x87\x82\x0F\x11\xE0\x81\x11\xF4\xCE\x46\x2B\x6A\x48";
/// Most bytes of the directories of a CR3, which are copied; cameras write some kilobytes.
const MAX_CR3_BYTES: usize = 256 << 10;

/// Where the metadata of a raw file is.
pub(crate) enum Metadata<'a> {
    /// A block of EXIF.
    Block(Cow<'a, [u8]>),
    /// A whole JPEG with its own EXIF.
    Jpeg(&'a [u8]),
}

/// The kind of a raw file that begins like a TIFF; `None` if it is a TIFF that holds a photo.
pub(crate) fn of_tiff(file: &[u8]) -> Option<Raw> {
    match file.get(8..) {
        Some([b'C', b'R', 2, ..]) => return Some(Raw::Cr2),
        Some([b'I', b'I', b'I', b'I', _, b'w', b'a', b'R', ..])
        | Some([b'M', b'M', b'M', b'M', b'R', b'a', b'w', ..]) => return Some(Raw::Iiq),
        _ => {}
    }
    let directory = Directory::first(file)?;
    if directory.has(tag::DNG_VERSION) {
        return Some(Raw::Dng);
    }
    let make = make(directory);
    let maker = MAKERS.iter().find(|(name, _)| make.starts_with(name)).map(|(_, raw)| *raw);
    if has_sensor(directory) {
        return Some(maker.unwrap_or(Raw::Other));
    }
    // Cameras put a preview first.
    let is_dot = number(directory, tag::WIDTH) == Some(1) && make.starts_with(PHASE_ONE);
    maker.filter(|_| is_preview(directory) || is_dot)
}

/// The kind of a raw file of another structure.
pub(crate) fn of_other(file: &[u8]) -> Option<Raw> {
    match file {
        [b'I', b'I', _, _, _, _, b'H', b'E', b'A', b'P', b'C', b'C', b'D', b'R', ..]
        | [b'M', b'M', _, _, _, _, b'H', b'E', b'A', b'P', b'C', b'C', b'D', b'R', ..] => {
            Some(Raw::Crw)
        }
        [b'I', b'I', b'R', b'O' | b'S', ..] | [b'M', b'M', b'O', b'R', ..] => Some(Raw::Orf),
        [b'I', b'I', b'U', 0, ..] => Some(Raw::Rw2),
        [0, b'M', b'R', b'M' | b'I', ..] => Some(Raw::Mrw),
        [b'F', b'O', b'V', b'b', ..] => Some(Raw::X3f),
        _ => file.starts_with(b"FUJIFILMCCD-RAW").then_some(Raw::Raf),
    }
}

/// Whether the first picture says that it is a smaller one of another (TIFF 6.0 page 36).
pub(crate) fn is_preview(directory: Directory<'_>) -> bool {
    number(directory, tag::SUBFILE_TYPE).is_some_and(|kind| kind & 1 == 1)
}

/// Whether a directory, or one below it, describes a sensor's samples.
fn has_sensor(directory: Directory<'_>) -> bool {
    let of_sensor = |directory| {
        number(directory, tag::PHOTOMETRIC).is_some_and(|kind| OF_A_SENSOR.contains(&kind))
    };
    let below = directory.field(tag::SUB_DIRECTORIES).ok().flatten();
    let mut below = below.into_iter().flat_map(|field| field.numbers().take(MAX_SUB_DIRECTORIES));
    of_sensor(directory) || below.any(|offset| directory.at(offset).is_some_and(of_sensor))
}

fn number(directory: Directory<'_>, tag: u16) -> Option<u64> {
    directory.field(tag).ok()??.numbers().next()
}

/// The camera's maker in capital letters.
fn make(directory: Directory<'_>) -> Vec<u8> {
    let make = directory.field(tag::MAKE).ok().flatten().map_or(&[][..], |field| field.bytes);
    make.iter().take(20).map(u8::to_ascii_uppercase).collect()
}

/// Finds the metadata; `None` if it is of a structure that is not read.
pub(crate) fn metadata<'a>(file: &'a [u8], kind: Raw, cancel: &CancelFlag) -> Option<Metadata<'a>> {
    match kind {
        // ORF and RW2 are TIFFs but for their version numbers, which the reader of EXIF ignores.
        Raw::Arw
        | Raw::Cr2
        | Raw::Dcr
        | Raw::Dng
        | Raw::Erf
        | Raw::Iiq
        | Raw::Mef
        | Raw::Mos
        | Raw::Nef
        | Raw::Orf
        | Raw::Pef
        | Raw::Rw2
        | Raw::Srw
        | Raw::ThreeFr
        | Raw::Other => Some(Metadata::Block(file.into())),
        Raw::Raf => raf_jpeg(file).map(Metadata::Jpeg),
        Raw::Mrw => mrw_block(file, cancel).map(|block| Metadata::Block(block.into())),
        Raw::Cr3 => cr3_block(file, cancel).map(|block| Metadata::Block(block.into())),
        Raw::Crw | Raw::X3f => None,
    }
}

/// The JPEG in a RAF, which has the photo's EXIF.
fn raf_jpeg(file: &[u8]) -> Option<&[u8]> {
    let [offset, length] = RAF_JPEG.map(|at| {
        let bytes = file.get(at..).and_then(<[u8]>::first_chunk);
        bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes) as usize)
    });
    let jpeg = file.get(offset..)?;
    Some(jpeg.get(..length).unwrap_or(jpeg)).filter(|jpeg| jpeg.starts_with(b"\xFF\xD8"))
}

/// The block of an MRW that is a TIFF. Blocks follow each other: name, length, data.
fn mrw_block<'a>(file: &'a [u8], cancel: &CancelFlag) -> Option<&'a [u8]> {
    let block = |bytes: &'a [u8]| {
        let name = bytes.get(..4)?;
        let length = u32::from_be_bytes(*bytes.get(4..)?.first_chunk()?) as usize + 8;
        Some(Chunk { name, data: bytes.get(8..length)?, length })
    };
    let mut blocks = chunks(file.get(8..), block, cancel);
    blocks.find(|block| block.name == b"\0TTW").map(|block| block.data)
}

/// The metadata of a CR3 as one block of EXIF. Canon keeps IFD0, the Exif directory and the GPS directory
/// in boxes of their own (CMT1, CMT2 and CMT4), each a TIFF whose offsets count from its own start. They
/// are put one after another, their offsets are moved, and the first gets pointers to the others.
fn cr3_block(file: &[u8], cancel: &CancelFlag) -> Option<Vec<u8>> {
    let movie = chunks(Some(file), media_box, cancel).find(|found| found.name == b"moov")?;
    let canon = chunks(Some(movie.data), media_box, cancel)
        .filter(|found| found.name == b"uuid")
        .find_map(|found| found.data.strip_prefix(CR3_UUID))?;
    let directory = |name: &[u8]| {
        let mut boxes = chunks(Some(canon), media_box, cancel);
        let found = boxes.find(|found| found.name == name)?;
        Some(found.data).filter(|data| data.len() <= MAX_CR3_BYTES)
    };
    let [primary, exif, gps] = [b"CMT1", b"CMT2", b"CMT4"].map(|name| directory(name));
    let order = [primary, exif, gps].into_iter().flatten().find_map(|tiff| tiff.get(..2))?;
    let order = Order { is_big: order == b"MM" };
    let mut block =
        [if order.is_big { b"MM" } else { b"II" }, &order.bytes(42, 2)[..], &[0; 4]].concat();
    let mut entries = Vec::new();
    for (tiff, pointer) in [(primary, None), (exif, Some(0x8769)), (gps, Some(0x8825))] {
        let Some(moved) = tiff.and_then(|tiff| order.moved_entries(tiff, block.len())) else {
            continue;
        };
        block.extend(tiff.unwrap_or_default());
        match pointer {
            None => entries.extend(moved),
            Some(pointer) => {
                entries.push(order.entry(pointer, block.len() as u64));
                order.put_directory(&mut block, &moved);
            }
        }
    }
    let first = order.bytes(block.len() as u64, 4);
    block.get_mut(4..8)?.copy_from_slice(&first);
    order.put_directory(&mut block, &entries);
    Some(block)
}

/// The byte order in which the directories of a CR3 are written again.
#[derive(Clone, Copy)]
struct Order {
    is_big: bool,
}

impl Order {
    fn bytes(self, number: u64, width: usize) -> Vec<u8> {
        let bytes = number.to_le_bytes().into_iter().take(width);
        if self.is_big { bytes.rev().collect() } else { bytes.collect() }
    }

    fn number(self, bytes: &[u8]) -> u64 {
        tiff::number(bytes, self.is_big)
    }

    /// An entry of one LONG.
    fn entry(self, tag: u64, value: u64) -> [u8; 12] {
        let bytes = [self.bytes(tag, 2), self.bytes(4, 2), self.bytes(1, 4), self.bytes(value, 4)];
        let mut entry = [0; 12];
        entry.iter_mut().zip(bytes.concat()).for_each(|(to, from)| *to = from);
        entry
    }

    /// The entries of a TIFF's first directory, with offsets for a TIFF that is put at `by`.
    fn moved_entries(self, tiff: &[u8], by: usize) -> Option<Vec<[u8; 12]>> {
        let start = self.number(tiff.get(4..8)?) as usize;
        let count = self.number(tiff.get(start..)?.get(..2)?) as usize;
        let entries = tiff.get(start + 2..)?.as_chunks().0.iter().take(count);
        Some(entries.map(|entry| self.moved(*entry, by)).collect())
    }

    fn moved(self, entry: [u8; 12], by: usize) -> [u8; 12] {
        let [_, _, k0, k1, c0, c1, c2, c3, v0, v1, v2, v3] = entry;
        let width = tiff::bytes_of_a_value(self.number(&[k0, k1]));
        let mut moved = entry;
        if self.number(&[c0, c1, c2, c3]).saturating_mul(width as u64) > 4 {
            let offset = self.number(&[v0, v1, v2, v3]) + by as u64;
            moved.iter_mut().skip(8).zip(self.bytes(offset, 4)).for_each(|(to, from)| *to = from);
        }
        moved
    }

    fn put_directory(self, block: &mut Vec<u8>, entries: &[[u8; 12]]) {
        block.extend(self.bytes(entries.len() as u64, 2));
        entries.iter().for_each(|entry| block.extend(entry));
        block.extend([0; 4]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Facts, Format, PhotoError, Policy, inspect};

    const ASCII: u16 = 2;
    const SHORT: u16 = 3;
    const LONG: u16 = 4;
    const RATIONAL: u16 = 5;

    /// A TIFF of one directory behind its values, with `header` instead of the usual one.
    fn tiff(header: &[u8; 4], fields: &[(u16, u16, &[u8])]) -> Vec<u8> {
        let order = Order { is_big: header.starts_with(b"MM") };
        let mut file = [&header[..], &[0; 4]].concat();
        let mut entries = Vec::new();
        for (tag, kind, value) in fields {
            let width = match *kind {
                SHORT => 2,
                LONG => 4,
                RATIONAL => 8,
                _ => 1,
            };
            let parts = [
                order.bytes((*tag).into(), 2),
                order.bytes((*kind).into(), 2),
                order.bytes((value.len() / width) as u64, 4),
                match value.len() {
                    ..=4 => [value, &[0; 4][value.len()..]].concat(),
                    _ => order.bytes(file.len() as u64, 4),
                },
            ];
            if value.len() > 4 {
                file.extend(*value);
            }
            entries.push(parts.concat().try_into().unwrap());
        }
        let first = order.bytes(file.len() as u64, 4);
        file[4..8].copy_from_slice(&first);
        order.put_directory(&mut file, &entries);
        file
    }

    fn photo(header: &[u8; 4], make: &[u8], others: &[(u16, u16, &[u8])]) -> Vec<u8> {
        tiff(header, &[&[(tag::MAKE, ASCII, make)], others].concat())
    }

    fn failure(file: &[u8]) -> (Option<Format>, PhotoError, Facts) {
        let inspected = inspect(file, Policy::default(), &CancelFlag::default());
        (inspected.format, inspected.header().unwrap_err(), inspected.facts.clone())
    }

    /// Checks that a file is refused as this raw file, and that its facts name the maker.
    fn expect(file: &[u8], raw: Raw, make: Option<&str>) {
        let (format, failure, facts) = failure(file);
        assert_eq!(format, Some(Format::Raw(raw)));
        assert_eq!(failure, PhotoError::UnsupportedFormat(raw.to_string()));
        assert_eq!(facts.camera.make.as_deref(), make, "{raw}");
    }

    #[test]
    fn a_tiff_of_a_sensors_samples_or_before_them_is_a_raw_file_of_its_maker() {
        let of_sensor = (tag::PHOTOMETRIC, SHORT, &b"\x23\x80"[..]);
        let preview = (tag::SUBFILE_TYPE, LONG, &b"\x01\0\0\0"[..]);
        for (make, raw) in [
            ("NIKON CORPORATION", Raw::Nef),
            ("Nikon", Raw::Nef),
            ("SONY", Raw::Arw),
            ("PENTAX Corporation", Raw::Pef),
            ("RICOH IMAGING COMPANY, LTD.", Raw::Pef),
            ("Asahi Optical Co.,Ltd.", Raw::Pef),
            ("SAMSUNG", Raw::Srw),
            ("Hasselblad", Raw::ThreeFr),
            ("EASTMAN KODAK COMPANY", Raw::Dcr),
        ] {
            for hint in [of_sensor, preview] {
                expect(&photo(b"II*\0", make.as_bytes(), &[hint]), raw, Some(make));
            }
            // The sensor's samples are described in a directory below the first.
            let mut below =
                photo(b"II*\0", make.as_bytes(), &[(tag::SUB_DIRECTORIES, LONG, &[7; 4])]);
            let place = below.windows(4).rposition(|four| four == [7; 4]).unwrap();
            let at = (below.len() as u32).to_le_bytes();
            below[place..place + 4].copy_from_slice(&at);
            below.extend(b"\x01\0\x06\x01\x03\0\x01\0\0\0\x23\x80\0\0\0\0\0\0");
            expect(&below, raw, Some(make));
            let (format, ..) = failure(&photo(b"II*\0", make.as_bytes(), &[]));
            assert_eq!(format, Some(Format::Tiff), "a scan or an export of {make}");
        }
        let unknown = photo(b"II*\0", b"Somebody", &[of_sensor]);
        expect(&unknown, Raw::Other, Some("Somebody"));
        let dng = photo(b"MM\0*", b"Apple", &[(tag::DNG_VERSION, 1, b"\x01\x04\0\0")]);
        expect(&dng, Raw::Dng, Some("Apple"));
        let dot = photo(b"II*\0", b"Phase One A/S", &[(tag::WIDTH, SHORT, b"\x01\0")]);
        expect(&dot, Raw::Iiq, Some("Phase One A/S"));
    }

    #[test]
    fn a_tiff_that_is_neither_a_preview_nor_of_a_sensor_holds_a_photo() {
        let one = b"\x01\0\0\0";
        for (make, field) in [
            ("Phase One A/S", (tag::WIDTH, LONG, &b"\x40\x1F\0\0"[..])),
            ("NIKON CORPORATION", (tag::WIDTH, LONG, one)),
            ("NIKON CORPORATION", (tag::SUBFILE_TYPE, LONG, b"\0\0\0\0")),
            ("NIKON CORPORATION", (tag::SUBFILE_TYPE, LONG, b"\x02\0\0\0")),
            ("NIKON CORPORATION", (tag::PHOTOMETRIC, SHORT, b"\x02\0")),
            ("Somebody", (tag::SUBFILE_TYPE, LONG, one)),
        ] {
            let (format, ..) = failure(&photo(b"II*\0", make.as_bytes(), &[field]));
            assert_eq!(format, Some(Format::Tiff), "{make} {field:?}");
        }
        // A directory below the first that is a smaller picture in colours.
        let mut below = photo(b"II*\0", b"SONY", &[(tag::SUB_DIRECTORIES, LONG, &[7; 4])]);
        let place = below.windows(4).rposition(|four| four == [7; 4]).unwrap();
        let at = (below.len() as u32).to_le_bytes();
        below[place..place + 4].copy_from_slice(&at);
        below.extend(b"\x01\0\x06\x01\x03\0\x01\0\0\0\x02\0\0\0\0\0\0\0");
        assert_eq!(failure(&below).0, Some(Format::Tiff));
    }

    #[test]
    fn a_raw_file_that_is_a_tiff_of_another_version_has_its_facts() {
        let make = b"OLYMPUS CORPORATION";
        for header in [b"IIRO", b"IIRS", b"MMOR"] {
            expect(&photo(header, make, &[]), Raw::Orf, Some("OLYMPUS CORPORATION"));
        }
        expect(&photo(b"IIU\0", b"Panasonic", &[]), Raw::Rw2, Some("Panasonic"));
    }

    #[test]
    fn the_facts_of_a_raf_and_of_an_mrw_are_those_of_their_parts() {
        let block = photo(b"II*\0", b"FUJIFILM", &[]);
        let length = (block.len() as u16 + 8).to_be_bytes();
        let jpeg = [b"\xFF\xD8\xFF\xE1", &length[..], b"Exif\0\0", &block, b"\xFF\xD9"].concat();
        let mut raf = b"FUJIFILMCCD-RAW 0201FF389501".to_vec();
        raf.resize(84, 0);
        raf.extend([100u32.to_be_bytes(), (jpeg.len() as u32).to_be_bytes()].concat());
        raf.resize(100, 0);
        raf.extend(&jpeg);
        expect(&raf, Raw::Raf, Some("FUJIFILM"));
        expect(&raf[..90], Raw::Raf, None);

        let block = photo(b"MM\0*", b"Minolta Co., Ltd.", &[]);
        let length = (block.len() as u32).to_be_bytes();
        let mrw = [b"\0MRM\0\0\0\0\0PRD\0\0\0\x02xx\0TTW", &length[..], &block].concat();
        expect(&mrw, Raw::Mrw, Some("Minolta Co., Ltd."));
    }

    fn media(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
        [&(data.len() as u32 + 8).to_be_bytes()[..], name, data].concat()
    }

    fn cr3(boxes: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
        let boxes: Vec<u8> = boxes.iter().flat_map(|(name, data)| media(name, data)).collect();
        let canon = media(b"uuid", &[CR3_UUID, &boxes].concat());
        [media(b"ftyp", b"crx \0\0\0\x01crx isom"), media(b"moov", &canon)].concat()
    }

    #[test]
    fn the_directories_of_a_cr3_are_read_as_one_block() {
        for header in [b"II*\0", b"MM\0*"] {
            let order = Order { is_big: header == b"MM\0*" };
            let degrees = [35u64, 1, 39, 1, 30, 1].map(|number| order.bytes(number, 4)).concat();
            let file = cr3(&[
                (b"CNCV", b"CanonCR3_001/00.10.00/00.00.00".to_vec()),
                (b"CMT1", photo(header, b"Canon", &[(0x0112, SHORT, &order.bytes(6, 2))])),
                (b"CMT2", tiff(header, &[(0x9003, ASCII, b"2024:04:06 17:23:41\0")])),
                (b"CMT3", b"MakerNote".to_vec()),
                (
                    b"CMT4",
                    tiff(
                        header,
                        &[
                            (1, ASCII, b"N\0"),
                            (2, RATIONAL, &degrees),
                            (3, ASCII, b"E\0"),
                            (4, RATIONAL, &degrees),
                        ],
                    ),
                ),
            ]);
            expect(&file, Raw::Cr3, Some("Canon"));
            let (.., facts) = failure(&file);
            assert_eq!(facts.orientation, Some(6));
            assert_eq!(facts.taken_at.unwrap().iso8601(), "2024-04-06T17:23:41");
            let latitude = facts.location.unwrap().latitude;
            assert!((latitude - 35.658_333).abs() < 1e-4, "{latitude}");
            for length in 0..file.len() {
                inspect(
                    &file[..length],
                    Policy { max_pixels: 1, ..Policy::default() },
                    &CancelFlag::default(),
                );
            }
        }
        for header in [b"II*\0", b"MM\0*"] {
            let order = Order { is_big: header == b"MM\0*" };
            // What follows a directory is none of its entries, and a value of four bytes is no offset.
            let artist = [b"x".repeat(300), b"\0".to_vec()].concat();
            let others = [
                (0x013B, ASCII, &artist[..]),
                (0x0110, ASCII, b"EOS\0"),
                (0x013C, ASCII, b"a host\0"),
            ];
            let mut primary = photo(header, b"Canon", &others);
            primary.truncate(primary.len() - 4);
            primary.extend([order.bytes(0x0131, 2), order.bytes(2, 2), order.bytes(4, 4)].concat());
            primary.extend(b"1.0\0");
            let (.., facts) = failure(&cr3(&[(b"CMT1", primary)]));
            assert_eq!(facts.camera.model.as_deref(), Some("EOS"));
            assert_eq!(facts.camera.software, None);
            assert_eq!(facts.tags["HostComputer"], "a host");
        }
        let only_exif =
            cr3(&[(b"CMT2", tiff(b"II*\0", &[(0x9003, ASCII, b"2024:04:06 17:23:41\0")]))]);
        assert!(failure(&only_exif).2.taken_at.is_some());
        expect(&cr3(&[]), Raw::Cr3, None);
    }

    #[test]
    fn raw_files_whose_structure_is_not_read_are_refused_by_name() {
        expect(b"II\x1A\0\0\0HEAPCCDR\x02\0", Raw::Crw, None);
        expect(b"FOVb\0\0\x02\0\0\0\0\0", Raw::X3f, None);
    }
}
