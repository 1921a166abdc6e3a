//! The items of a file: what they are, what they belong to and where their data lie (ISO/IEC 14496-12 clause
//! 8.11).

use std::collections::BTreeMap;

use super::super::{Chunk, chunks};
use super::{Numbers, media_box};
use crate::CancelFlag;

/// Most boxes in the meta box, and most items, references and properties that are searched. A photo of 200
/// megapixels in tiles of 512x512 has some 800 items; other files of phones have some dozens.
pub(super) const MAX_SEARCHED: usize = 16_384;
/// Most parts in which the data of an item may lie.
const MAX_PARTS: usize = 32;

/// The boxes of a file's meta box.
pub(crate) struct Meta<'a> {
    pub file: &'a [u8],
    boxes: Vec<Chunk<'a>>,
}

/// An entry of the list of items (clause 8.11.6).
pub(crate) struct Entry<'a> {
    pub id: u32,
    /// What the item is, such as `hvc1`, `grid` or `Exif`.
    pub kind: [u8; 4],
    /// Its name and, for `mime`, its content type, each with a zero behind it.
    pub names: &'a [u8],
}

/// References from an item to others (clause 8.11.12).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reference<'a> {
    /// What the item is to the others, such as `dimg`: it is derived from them.
    pub kind: &'a [u8],
    pub from: u32,
    to: Numbers<'a>,
    id_size: usize,
}

impl<'a> Meta<'a> {
    /// The file's meta box; `None` if there is none, or if the file does not begin with its brands.
    pub fn of(file: &'a [u8], cancel: &CancelFlag) -> Option<Meta<'a>> {
        let mut boxes = chunks(Some(file), media_box, cancel);
        boxes.next().filter(|first| first.name == b"ftyp")?;
        let meta = boxes.find(|file_box| file_box.name == b"meta")?;
        let inside = chunks(meta.data.get(4..), media_box, cancel);
        Some(Meta { file, boxes: inside.take(MAX_SEARCHED).collect() })
    }

    /// The data of the first box of this name.
    pub fn inside(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.boxes.iter().find(|inner| inner.name == name).map(|inner| inner.data)
    }

    /// The ID of the item that is shown where only one is (clause 8.11.4).
    pub fn primary(&self) -> Option<u32> {
        let (version, mut numbers) = Numbers::of_box(self.inside(b"pitm")?)?;
        numbers.small(if version == 0 { 2 } else { 4 })
    }

    /// The list of items.
    pub fn entries(&self, cancel: &CancelFlag) -> impl Iterator<Item = Entry<'a>> {
        let entries = self.inside(b"iinf").and_then(Numbers::of_box);
        let entries = entries.and_then(|(version, mut entries)| {
            entries.skip(if version == 0 { 2 } else { 4 })?; // entry count
            Some(entries.0)
        });
        let entries = chunks(entries, media_box, cancel).filter(|entry| entry.name == b"infe");
        entries.take(MAX_SEARCHED).filter_map(|entry| {
            let (version, mut numbers) = Numbers::of_box(entry.data)?;
            let id = numbers.small(if version < 3 { 2 } else { 4 })?;
            numbers.skip(2)?; // protection index
            let (kind, names) = numbers.0.split_first_chunk()?;
            (version >= 2).then_some(Entry { id, kind: *kind, names })
        })
    }

    /// The references between items.
    pub fn references(&self, cancel: &CancelFlag) -> impl Iterator<Item = Reference<'a>> {
        let references = self.inside(b"iref").and_then(Numbers::of_box);
        let id_size = references.map_or(0, |(version, _)| if version == 0 { 2 } else { 4 });
        let references = chunks(references.map(|(_, boxes)| boxes.0), media_box, cancel);
        references.take(MAX_SEARCHED).filter_map(move |reference| {
            let mut to = Numbers(reference.data);
            let from = to.small(id_size)?;
            Some(Reference { kind: reference.name, from, to, id_size })
        })
    }

    /// The data of each of these items, in parts. The parts of all of them together are no longer than the
    /// file, so that no byte is read for many items.
    ///
    /// `None` if an item has no data in the file.
    pub fn data(&self, items: &[u32], cancel: &CancelFlag) -> Option<Vec<Vec<&'a [u8]>>> {
        let mut places = BTreeMap::from_iter(items.iter().map(|id| (*id, None)));
        self.find_places(&mut places, cancel)?;
        let mut bytes = 0;
        let mut data = Vec::with_capacity(items.len());
        for id in items {
            let parts = self.parts(places.get(id)?.as_ref()?)?;
            bytes += parts.iter().map(|part| part.len()).sum::<usize>();
            if bytes > self.file.len() {
                return None;
            }
            data.push(parts);
        }
        Some(data)
    }

    /// The data of those of these items that have some, in parts. All of them together are no longer than the
    /// file, however many items share its bytes.
    ///
    /// `None` if the list of places is broken, or if an item's data do not lie in the file.
    pub fn data_of_each(
        &self,
        items: impl IntoIterator<Item = u32>,
        cancel: &CancelFlag,
    ) -> Option<BTreeMap<u32, Vec<&'a [u8]>>> {
        let mut places = items.into_iter().map(|id| (id, None)).collect();
        self.find_places(&mut places, cancel)?;
        let mut bytes = 0;
        let mut data = BTreeMap::new();
        for (id, place) in places {
            let Some(place) = place else { continue };
            let parts = self.parts(&place)?;
            bytes += parts.iter().map(|part| part.len()).sum::<usize>();
            if bytes > self.file.len() {
                return None;
            }
            data.insert(id, parts);
        }
        Some(data)
    }

    /// Finds the places of these items (clause 8.11.3).
    fn find_places(
        &self,
        places: &mut BTreeMap<u32, Option<Place>>,
        cancel: &CancelFlag,
    ) -> Option<()> {
        let (version, mut numbers) = Numbers::of_box(self.inside(b"iloc")?)?;
        let sizes = numbers.uint(2)?;
        let size = |shift: u64| (sizes >> shift & 0xF) as usize; // in bytes
        let index_size = if version == 0 { 0 } else { size(0) };
        let number_size = if version < 2 { 2 } else { 4 };
        let mut missing = places.len();
        for _ in 0..numbers.uint(number_size)? {
            cancel.check().ok()?;
            let id = numbers.small(number_size)?;
            let method = if version == 0 { 0 } else { numbers.uint(2)? & 0xF };
            numbers.skip(2)?; // data reference index: only this file is read
            let base = numbers.uint(size(4))?;
            let parts = numbers.uint(2)? as usize;
            let Some(place @ None) = places.get_mut(&id) else {
                // Each entry can declare 65,535 parts, even of size 0: they are skipped in one step.
                numbers.skip(parts * (index_size + size(12) + size(8)))?;
                continue;
            };
            if method > 1 || parts > MAX_PARTS {
                return None;
            }
            let part = |_| {
                numbers.uint(index_size)?;
                let (offset, length) = (numbers.uint(size(12))?, numbers.uint(size(8))?);
                Some((base.checked_add(offset)?, length))
            };
            let parts = (0..parts).map(part).collect::<Option<_>>()?;
            *place = Some(Place { is_in_meta: method == 1, parts });
            missing -= 1;
            if missing == 0 {
                break;
            }
        }
        Some(())
    }

    fn parts(&self, place: &Place) -> Option<Vec<&'a [u8]>> {
        let source = if place.is_in_meta { self.inside(b"idat")? } else { self.file };
        let part = |&(offset, length): &(u64, u64)| {
            let from = source.get(usize::try_from(offset).ok()?..)?;
            // A length of 0 reaches to the end.
            if length == 0 { Some(from) } else { from.get(..usize::try_from(length).ok()?) }
        };
        place.parts.iter().map(part).collect()
    }
}

/// The place of an item's data.
struct Place {
    /// Whether offsets count from the start of the meta box's own data instead of the file's.
    is_in_meta: bool,
    /// Offset and length of each part.
    parts: Vec<(u64, u64)>,
}

impl Reference<'_> {
    /// The IDs of the items that are referred to.
    pub fn to(self) -> impl Iterator<Item = u32> {
        let Reference { mut to, id_size, .. } = self;
        let count = to.uint(2).unwrap_or_default();
        (0..count).map_while(move |_| to.small(id_size))
    }
}
