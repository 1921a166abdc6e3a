//! HEIC and AVIF: the item of type Exif (ISO/IEC 23008-12 annex A, ISO/IEC 14496-12 clause 8.11).

use std::borrow::Cow;

use super::{Chunk, chunks};
use crate::CancelFlag;
use crate::metadata::exif::blocks::{MAX_BLOCKS, extend};

/// References that are looked at; a phone's files have some dozens.
const MAX_REFERENCES: usize = 4096;

/// Length of the whole, name and data; a length of 1 is given behind the name in 64 bits, and one of
/// 0 reaches to the end (ISO/IEC 14496-12 clause 4.2).
pub(crate) fn media_box(bytes: &[u8]) -> Option<Chunk<'_>> {
    let name = bytes.get(4..8)?;
    let (length, start) = match u32::from_be_bytes(*bytes.first_chunk()?) {
        0 => (bytes.len(), 8),
        1 => (usize::try_from(u64::from_be_bytes(*bytes.get(8..)?.first_chunk()?)).ok()?, 16),
        length => (length as usize, 8),
    };
    Some(Chunk { name, data: bytes.get(start..length)?, length })
}

/// The data of the first item of EXIF.
pub(crate) fn item<'a>(file: &'a [u8], cancel: &CancelFlag) -> Option<Cow<'a, [u8]>> {
    let mut boxes = chunks(Some(file), media_box, cancel);
    boxes.next().filter(|first| first.name == b"ftyp")?;
    let meta = boxes.find(|file_box| file_box.name == b"meta")?;
    let inside = |name| {
        let mut inside = chunks(meta.data.get(4..), media_box, cancel);
        inside.find(|inner| inner.name == name).map(|it| it.data)
    };
    let items = exif_items(inside(b"iinf")?, cancel)?;
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

/// The numbers of the items whose type is Exif.
fn exif_items(items: &[u8], cancel: &CancelFlag) -> Option<Vec<u64>> {
    let (version, mut items) = Numbers::of_box(items)?;
    items.uint(if version == 0 { 2 } else { 4 })?; // how many
    let entries = chunks(Some(items.0), media_box, cancel).filter(|entry| entry.name == b"infe");
    let exif = entries.filter_map(|entry| {
        let (version, mut entry) = Numbers::of_box(entry.data)?;
        let id = entry.uint(if version < 3 { 2 } else { 4 })?;
        entry.uint(2)?; // protection
        (version >= 2 && entry.0.starts_with(b"Exif")).then_some(id)
    });
    Some(exif.take(MAX_BLOCKS).collect())
}

fn primary_item(data: &[u8]) -> Option<u64> {
    let (version, mut numbers) = Numbers::of_box(data)?;
    numbers.uint(if version == 0 { 2 } else { 4 })
}

/// The picture that an item of EXIF is about: a file can have those of a pair, or of a thumbnail.
fn describes(references: &[u8], item: u64, cancel: &CancelFlag) -> Option<u64> {
    let (version, references) = Numbers::of_box(references)?;
    let id_size = if version == 0 { 2 } else { 4 };
    let references = chunks(Some(references.0), media_box, cancel).take(MAX_REFERENCES);
    references
        .filter(|reference| reference.name == b"cdsc")
        .map(|description| Numbers(description.data))
        .find_map(|mut numbers| (numbers.uint(id_size)? == item).then_some(numbers))
        .and_then(|mut numbers| {
            numbers.uint(2)?; // how many
            numbers.uint(id_size)
        })
}

/// Where an item is.
struct Location {
    /// In the meta box's own data, else in the file.
    is_in_meta: bool,
    /// Offsets and lengths.
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
        numbers.uint(2)?; // the file in which it is: this one
        let base = numbers.uint(size(4))?;
        let extents = numbers.uint(2)? as usize;
        let extent_size = index_size + size(12) + size(8);
        if id != wanted {
            // Extents can be of no bytes at all, and there can be 65,535 of them.
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

/// Numbers of some bytes, one behind the other, the highest byte first.
struct Numbers<'a>(&'a [u8]);

impl<'a> Numbers<'a> {
    /// The version of a box, and what is in it behind the flags.
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

    /// A number of no more than eight bytes.
    fn uint(&mut self, bytes: usize) -> Option<u64> {
        let (number, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        (bytes <= 8).then(|| number.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }
}
