//! HEIC and AVIF: tells them apart, and finds their size and their items of metadata (ISO/IEC 23008-12 clause 6.5
//! and annex A, ISO/IEC 14496-12 clause 8.11).

use std::borrow::Cow;

use super::{Chunk, chunks};
use crate::metadata::blocks::{MAX_BLOCKS, extend};
use crate::{CancelFlag, Format, Raw, Size};

/// Most references that are searched; a phone's files have some dozens.
const MAX_REFERENCES: usize = 4096;

/// Most brands, items and properties that are searched; a phone's files have some dozens.
const MAX_SEARCHED: usize = 4096;

/// A box: its length, name and data. After a length of 1, the real one follows the name in 64 bits; a box
/// of length 0 reaches to the end (ISO/IEC 14496-12 clause 4.2).
pub(crate) fn media_box(bytes: &[u8]) -> Option<Chunk<'_>> {
    let name = bytes.get(4..8)?;
    let (length, start) = match u32::from_be_bytes(*bytes.first_chunk()?) {
        0 => (bytes.len(), 8),
        1 => (usize::try_from(u64::from_be_bytes(*bytes.get(8..)?.first_chunk()?)).ok()?, 16),
        length => (length as usize, 8),
    };
    Some(Chunk { name, data: bytes.get(start..length)?, length })
}

/// The format of an ISO base media file by its brands (ISO/IEC 23008-12 clause 10 and annexes B to F, AVIF
/// clause 6). A brand that says nothing of the coding leaves it to the items.
pub(crate) fn format(file: &[u8]) -> Option<Format> {
    let length = file.first_chunk().map_or(0, |length| u32::from_be_bytes(*length) as usize);
    let brands = file.get(8..length.min(file.len()).max(12).min(file.len()))?;
    let major = brands.get(..4)?;
    if major == b"crx " {
        return Some(Format::Raw(Raw::Cr3)); // Canon's
    }
    if let Some(format) = of_brand(major) {
        return Some(format);
    }
    // The second place is that of the version, in which mif3 names the coding.
    let others = || brands.chunks_exact(4).take(MAX_SEARCHED);
    let is_heif = others().any(|brand| matches!(brand, b"mif1" | b"msf1" | b"mif2" | b"mif3"));
    let is_told = || others().find_map(of_brand).or_else(|| of_items(file));
    // Files of the oldest brands that tell nothing have always been called HEIC.
    let is_old = matches!(major, b"mif1" | b"msf1");
    is_heif.then(|| is_told().unwrap_or(if is_old { Format::Heic } else { Format::Heif }))
}

fn of_brand(brand: &[u8]) -> Option<Format> {
    match brand {
        b"avif" | b"avis" => Some(Format::Avif),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => Some(Format::Heic),
        b"avci" | b"avcs" | b"j2ki" | b"vvic" | b"jpeg" => Some(Format::Heif),
        _ => None,
    }
}

/// The format by the coding of the first item that has one.
fn of_items<'a>(file: &'a [u8]) -> Option<Format> {
    let cancel = CancelFlag::default();
    let (version, mut items) = Numbers::of_box(inside_meta(file, b"iinf", &cancel)?)?;
    items.uint(if version == 0 { 2 } else { 4 })?; // entry count
    let entries = chunks(Some(items.0), media_box, &cancel).take(MAX_SEARCHED);
    // The version, flags, number and protection index of an entry stand before its coding.
    let coding = |entry: Chunk<'a>| match entry.data.first()? {
        2 => entry.data.get(8..12),
        3 => entry.data.get(10..14),
        _ => None,
    };
    entries.filter_map(coding).find_map(|coding| match coding {
        b"hvc1" | b"lhv1" => Some(Format::Heic),
        b"av01" => Some(Format::Avif),
        b"avc1" | b"j2k1" | b"vvc1" | b"jpeg" | b"unci" => Some(Format::Heif),
        _ => None,
    })
}

/// The data of a box in the meta box.
fn inside_meta<'a>(file: &'a [u8], name: &[u8], cancel: &CancelFlag) -> Option<&'a [u8]> {
    let mut boxes = chunks(Some(file), media_box, cancel);
    let meta = boxes.find(|file_box| file_box.name == b"meta")?;
    let mut inside = chunks(meta.data.get(4..), media_box, cancel);
    inside.find(|inner| inner.name == name).map(|inner| inner.data)
}

/// The size of the primary picture as displayed: that of its pixels (ispe), cut (clap) and turned (irot) in
/// the order in which the picture lists these properties (ISO/IEC 23008-12 clause 6.5).
pub(crate) fn displayed_size(file: &[u8], cancel: &CancelFlag) -> Option<Size> {
    let primary = primary_item(inside_meta(file, b"pitm", cancel)?)?;
    let properties = inside_meta(file, b"iprp", cancel)?;
    let inside = |name: &[u8]| {
        let mut inside = chunks(Some(properties), media_box, cancel);
        inside.find(|inner| inner.name == name).map(|inner| inner.data)
    };
    let listed: Vec<Chunk<'_>> =
        chunks(Some(inside(b"ipco")?), media_box, cancel).take(MAX_SEARCHED).collect();
    let mut size = None;
    for number in associations(inside(b"ipma")?, primary, cancel)? {
        let Some(property) = usize::from(number).checked_sub(1).and_then(|at| listed.get(at))
        else {
            continue;
        };
        size = match (property.name, size) {
            (b"ispe", _) => extent(property.data),
            (b"clap", Some(size)) => Some(clean_aperture(property.data).unwrap_or(size)),
            (b"irot", Some(Size { width, height })) if turns(property.data) % 2 == 1 => {
                Some(Size { width: height, height: width })
            }
            _ => size,
        };
    }
    size
}

/// The numbers of an item's properties, counted from 1 (ISO/IEC 23008-12 clause 9.3, ItemPropertyAssociation).
fn associations(data: &[u8], item: u64, cancel: &CancelFlag) -> Option<Vec<u16>> {
    let mut numbers = Numbers(data);
    let version = numbers.uint(1)?;
    let width = if numbers.uint(3)? & 1 == 1 { 2 } else { 1 };
    for _ in 0..numbers.uint(4)? {
        cancel.check().ok()?;
        let id = numbers.uint(if version == 0 { 2 } else { 4 })?;
        let count = numbers.uint(1)?;
        if id != item {
            numbers.skip(count as usize * width)?;
            continue;
        }
        // The highest bit says whether the property is essential.
        let number = |_| Some((numbers.uint(width)? & (0x7FFF >> (16 - 8 * width))) as u16);
        return (0..count).map(number).collect();
    }
    None
}

fn extent(data: &[u8]) -> Option<Size> {
    let (_, mut numbers) = Numbers::of_box(data)?;
    size(numbers.uint(4)?, numbers.uint(4)?)
}

/// The width and height of a clean aperture, which are fractions (ISO/IEC 14496-12 clause 12.1.4).
fn clean_aperture(data: &[u8]) -> Option<Size> {
    let mut numbers = Numbers(data);
    let mut side = || numbers.uint(4)?.checked_div(numbers.uint(4)?);
    size(side()?, side()?)
}

fn turns(data: &[u8]) -> u8 {
    data.first().map_or(0, |angle| angle & 3)
}

fn size(width: u64, height: u64) -> Option<Size> {
    let (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    (width > 0 && height > 0).then_some(Size { width, height })
}

/// The EXIF of a JPEG 2000, which stands in a box of this UUID (as exiftool and the JPEG 2000 tools write
/// it).
pub(crate) fn jpeg_2000_exif<'a>(file: &'a [u8], cancel: &CancelFlag) -> Option<&'a [u8]> {
    chunks(Some(file), media_box, cancel)
        .filter(|inner| inner.name == b"uuid")
        .find_map(|inner| inner.data.strip_prefix(b"JpgTiffExif->JP2"))
}

/// A kind of metadata (ISO/IEC 23008-12 annex A.2 and A.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An item of type Exif.
    Exif,
    /// An item of type mime, whose content type is that of XMP.
    Xmp,
}

/// The data of the item of that kind that describes the primary picture, else of the first one.
pub(crate) fn item<'a>(file: &'a [u8], kind: Kind, cancel: &CancelFlag) -> Option<Cow<'a, [u8]>> {
    let mut boxes = chunks(Some(file), media_box, cancel);
    boxes.next().filter(|first| first.name == b"ftyp")?;
    let meta = boxes.find(|file_box| file_box.name == b"meta")?;
    let inside = |name| {
        let mut inside = chunks(meta.data.get(4..), media_box, cancel);
        inside.find(|inner| inner.name == name).map(|it| it.data)
    };
    let items = items(inside(b"iinf")?, kind, cancel)?;
    let primary = inside(b"pitm").and_then(primary_item);
    let references = inside(b"iref").unwrap_or_default();
    let of_primary = items.iter().find(|item| describes(references, **item, cancel) == primary);
    let place = location(inside(b"iloc")?, *of_primary.or(items.first())?)?;
    let source = match place.is_in_meta {
        true => inside(b"idat")?,
        false => file,
    };
    let mut parts = place.extents.iter().map(|(offset, length)| {
        let from = source.get(usize::try_from(*offset).ok()?..)?;
        // A length of 0 reaches to the end.
        if *length == 0 { Some(from) } else { from.get(..usize::try_from(*length).ok()?) }
    });
    let mut data = Cow::from(parts.next()??);
    for part in parts {
        extend(&mut data, part?);
    }
    Some(data)
}

/// The IDs of the items of that kind.
fn items(items: &[u8], kind: Kind, cancel: &CancelFlag) -> Option<Vec<u64>> {
    let (version, mut items) = Numbers::of_box(items)?;
    items.uint(if version == 0 { 2 } else { 4 })?; // entry count
    let entries = chunks(Some(items.0), media_box, cancel).filter(|entry| entry.name == b"infe");
    let wanted = entries.filter_map(|entry| {
        let (version, mut entry) = Numbers::of_box(entry.data)?;
        let id = entry.uint(if version < 3 { 2 } else { 4 })?;
        entry.uint(2)?; // protection index
        (version >= 2 && kind.is_of(entry.0)).then_some(id)
    });
    Some(wanted.take(MAX_BLOCKS).collect())
}

impl Kind {
    /// Whether an entry is of this kind: its type and a name follow, and for type mime the content type
    /// (ISO/IEC 14496-12 clause 8.11.6).
    fn is_of(self, entry: &[u8]) -> bool {
        match self {
            Kind::Exif => entry.starts_with(b"Exif"),
            Kind::Xmp => entry.strip_prefix(b"mime").is_some_and(|names| {
                let content_type = names.split(|byte| *byte == 0).nth(1).unwrap_or_default();
                content_type == b"application/rdf+xml"
            }),
        }
    }
}

fn primary_item(data: &[u8]) -> Option<u64> {
    let (version, mut numbers) = Numbers::of_box(data)?;
    numbers.uint(if version == 0 { 2 } else { 4 })
}

/// The picture that an Exif item describes: a file can hold several pictures, each with its own EXIF.
fn describes(references: &[u8], item: u64, cancel: &CancelFlag) -> Option<u64> {
    let (version, references) = Numbers::of_box(references)?;
    let id_size = if version == 0 { 2 } else { 4 };
    let references = chunks(Some(references.0), media_box, cancel).take(MAX_REFERENCES);
    references
        .filter(|reference| reference.name == b"cdsc")
        .map(|description| Numbers(description.data))
        .find_map(|mut numbers| (numbers.uint(id_size)? == item).then_some(numbers))
        .and_then(|mut numbers| {
            numbers.uint(2)?; // reference count
            numbers.uint(id_size)
        })
}

/// The place of an item's data.
struct Location {
    /// Whether offsets count from the meta box's own data instead of the file's start.
    is_in_meta: bool,
    /// Offset and length of each part.
    extents: Vec<(u64, u64)>,
}

fn location(locations: &[u8], wanted: u64) -> Option<Location> {
    let (version, mut numbers) = Numbers::of_box(locations)?;
    let sizes = numbers.uint(2)?;
    let size = |shift: u64| (sizes >> shift & 0xF) as usize; // in bytes
    let index_size = if version == 0 { 0 } else { size(0) };
    let number_size = if version < 2 { 2 } else { 4 };
    for _ in 0..numbers.uint(number_size)? {
        let id = numbers.uint(number_size)?;
        let method = if version == 0 { 0 } else { numbers.uint(2)? & 0xF };
        numbers.uint(2)?; // data reference index: only this file is read
        let base = numbers.uint(size(4))?;
        let extents = numbers.uint(2)? as usize;
        let extent_size = index_size + size(12) + size(8);
        if id != wanted {
            // Each entry can declare 65,535 extents, even of size 0: they are skipped in one step.
            numbers.skip(extents * extent_size)?;
            continue;
        }
        if method > 1 || extents > MAX_BLOCKS {
            return None;
        }
        let extent = |_| {
            numbers.uint(index_size)?;
            let (offset, length) = (numbers.uint(size(12))?, numbers.uint(size(8))?);
            Some((base.checked_add(offset)?, length))
        };
        let extents = (0..extents).map(extent).collect::<Option<_>>()?;
        return Some(Location { is_in_meta: method == 1, extents });
    }
    None
}

/// Reads big-endian numbers one after another.
struct Numbers<'a>(&'a [u8]);

impl<'a> Numbers<'a> {
    /// The version of a full box, and a reader of what follows its flags.
    fn of_box(data: &'a [u8]) -> Option<(u64, Numbers<'a>)> {
        let mut numbers = Numbers(data);
        let version = numbers.uint(1)?;
        numbers.uint(3)?;
        Some((version, numbers))
    }

    fn skip(&mut self, bytes: usize) -> Option<()> {
        self.0 = self.0.get(bytes..)?;
        Some(())
    }

    /// The next number, of at most eight bytes.
    fn uint(&mut self, bytes: usize) -> Option<u64> {
        let (number, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        (bytes <= 8).then(|| number.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
        [&(data.len() as u32 + 8).to_be_bytes()[..], name, data].concat()
    }

    fn brands(brands: &[&[u8; 4]]) -> Vec<u8> {
        media(b"ftyp", &brands.iter().flat_map(|brand| brand.to_vec()).collect::<Vec<u8>>())
    }

    /// A file whose primary item is number 2 and has these properties; item 1 is a thumbnail of 10x10.
    fn with_properties(
        properties: &[(&[u8; 4], &[u8])],
        coding: &[u8; 4],
        is_wide: bool,
    ) -> Vec<u8> {
        let thumbnail = media(b"ispe", b"\0\0\0\0\0\0\0\x0A\0\0\0\x0A");
        let listed = properties.iter().flat_map(|(name, data)| media(name, data));
        let listed = thumbnail.into_iter().chain(listed).collect::<Vec<u8>>();
        let numbers = (0..properties.len() as u8).flat_map(|number| match is_wide {
            true => vec![0x80, number + 2],
            false => vec![0x80 | (number + 2)],
        });
        let first = if is_wide { &[0, 1, 1, 0, 1][..] } else { &[0, 1, 1, 1] };
        let associations = [
            &[0, 0, 0, u8::from(is_wide), 0, 0, 0, 2][..],
            first,
            &[0, 2, properties.len() as u8],
            &numbers.collect::<Vec<u8>>(),
        ];
        let properties = [media(b"ipco", &listed), media(b"ipma", &associations.concat())].concat();
        let item = |number: u8| [&[2, 0, 0, 0, 0, number, 0, 0][..], coding, b"\0"].concat();
        let items =
            [b"\0\0\0\0\0\x02".to_vec(), media(b"infe", &item(1)), media(b"infe", &item(2))];
        let boxes = [
            b"\0\0\0\0".to_vec(),
            media(b"pitm", b"\0\0\0\0\0\x02"),
            media(b"iinf", &items.concat()),
            media(b"iprp", &properties),
        ];
        [brands(&[b"mif2", b"\0\0\0\0", b"mif2", b"miaf"]), media(b"meta", &boxes.concat())]
            .concat()
    }

    #[test]
    fn a_picture_is_as_large_as_its_properties_show_it() {
        let ispe = (b"ispe", &b"\0\0\0\0\0\0\x0F\xC0\0\0\x0B\xD0"[..]); // 4032x3024
        let turned = |angle: &'static [u8]| (b"irot", angle);
        let clap = [4000u32, 1, 6000, 2, 0, 1, 0, 1].map(u32::to_be_bytes).concat();
        let clap = (b"clap", &clap[..]);
        for is_wide in [false, true] {
            for (properties, width, height) in [
                (&[ispe][..], 4032, 3024),
                (&[ispe, turned(b"\x03")], 3024, 4032),
                (&[(b"hvcC", b"x"), ispe, turned(b"\x02")], 4032, 3024),
                (&[ispe, clap, turned(b"\x01")], 3000, 4000),
                (&[ispe, (b"imir", b"\0")], 4032, 3024),
            ] {
                let file = with_properties(properties, b"hvc1", is_wide);
                let size = displayed_size(&file, &CancelFlag::default());
                assert_eq!(size, Some(Size { width, height }));
                for length in 0..file.len() {
                    displayed_size(&file[..length], &CancelFlag::default());
                    Format::of(&file[..length]);
                }
            }
            let none = with_properties(&[(b"ispe", &[0; 12])], b"hvc1", is_wide);
            assert_eq!(displayed_size(&none, &CancelFlag::default()), None);
        }
    }

    #[test]
    fn brands_and_items_tell_the_coding() {
        for (file, expected) in [
            (brands(&[b"mif1", b"\0\0\0\0", b"mif1", b"avif"]), Some(Format::Avif)),
            (brands(&[b"mif1", b"\0\0\0\0", b"mif1", b"heic"]), Some(Format::Heic)),
            (brands(&[b"mif1", b"\0\0\0\0"]), Some(Format::Heic)),
            (brands(&[b"mif2", b"\0\0\0\0", b"mif2", b"heix"]), Some(Format::Heic)),
            (brands(&[b"mif2", b"\0\0\0\0"]), Some(Format::Heif)),
            (brands(&[b"mif3", b"avif"]), Some(Format::Avif)),
            (brands(&[b"mif3", b"heic"]), Some(Format::Heic)),
            (brands(&[b"mif3", b"\0\0\0\0"]), Some(Format::Heif)),
            (brands(&[b"avci", b"\0\0\0\0", b"mif1"]), Some(Format::Heif)),
            (brands(&[b"MiHB", b"\0\0\0\0", b"mif1", b"heic"]), Some(Format::Heic)),
            (brands(&[b"crx ", b"\0\0\0\x01", b"crx ", b"isom"]), Some(Format::Raw(Raw::Cr3))),
            (brands(&[b"mp42", b"\0\0\0\0", b"isom", b"mp42"]), None),
            (with_properties(&[], b"av01", false), Some(Format::Avif)),
            (with_properties(&[], b"hvc1", false), Some(Format::Heic)),
            (with_properties(&[], b"avc1", false), Some(Format::Heif)),
        ] {
            assert_eq!(format(&file), expected, "{}", file.escape_ascii());
            assert_eq!(Format::of(&file), expected);
        }
    }
}
