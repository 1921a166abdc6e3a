//! HEIC and AVIF: finds the items of metadata (ISO/IEC 23008-12 annex A, ISO/IEC 14496-12 clause 8.11).

use std::borrow::Cow;

use super::{Chunk, chunks};
use crate::CancelFlag;
use crate::metadata::blocks::{MAX_BLOCKS, extend};

/// Most references that are searched; a phone's files have some dozens.
const MAX_REFERENCES: usize = 4096;

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
