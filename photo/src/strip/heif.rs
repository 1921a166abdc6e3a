//! HEIC and AVIF: a copy in which nothing moves, because items are found by their offsets in the file, and in which
//! all is overwritten but the pictures and what describes them (ISO/IEC 14496-12 clause 8.11, ISO/IEC 23008-12).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::exif::orientation_alone;
use super::{Original, Refusal, Strip, xmp};
use crate::CancelFlag;
use crate::container::heif::{Kind, Meta, media_box};
use crate::container::{Chunk, chunks};
use crate::metadata::blocks::{Blocks, extend};

/// Most boxes beside each other. A photo has some dozens, and as many properties.
const MAX_BOXES: usize = 4096;

/// Boxes of a file that a copy has: brands, the list of items, and their data.
const OF_FILE: [&[u8; 4]; 3] = [b"ftyp", b"meta", b"mdat"];
/// Boxes of the list of items: what they are, where they lie, what they belong to, and their own data.
const OF_META: [&[u8; 4]; 9] =
    [b"hdlr", b"pitm", b"iinf", b"iloc", b"iref", b"iprp", b"idat", b"dinf", b"grpl"];
/// Properties, and which items have which (ISO/IEC 23008-12 clause 9.3).
const OF_PROPERTIES: [&[u8; 4]; 2] = [b"ipco", b"ipma"];
/// Properties that say how a picture is decoded and shown (ISO/IEC 23008-12 clause 6.5 and annexes, AV1 Image File
/// Format clause 2, ISO/IEC 14496-12 clause 12). Descriptions by people (`udes`), and what is not known, is
/// overwritten.
const PROPERTIES: [&[u8; 4]; 30] = [
    b"ispe", b"pixi", b"colr", b"pasp", b"clap", b"irot", b"imir", b"iscl", b"auxC", b"hvcC",
    b"av1C", b"lhvC", b"avcC", b"vvcC", b"j2kH", b"uncC", b"cmpd", b"clli", b"mdcv", b"amve",
    b"cclv", b"reve", b"ndwt", b"rloc", b"rref", b"oinf", b"tols", b"lsel", b"a1op", b"a1lx",
];
/// Boxes of which there may be several.
const SEVERAL: [&[u8; 4]; 2] = [b"mdat", b"ipma"];

/// Items that are pictures, or say how pictures are made of others: tiles of a grid, overlays, pictures that are
/// another one turned, and gain maps (ISO/IEC 23008-12 clause 6.6 and annexes, ISO 21496-1).
const PICTURES: [&[u8; 4]; 11] = [
    b"hvc1", b"av01", b"lhv1", b"avc1", b"vvc1", b"j2k1", b"unci", b"grid", b"iden", b"iovl",
    b"tmap",
];

/// The name of a box that means nothing (ISO/IEC 14496-12 clause 8.1.2).
const FREE: &[u8] = b"free";

/// The bytes before a block of EXIF in its item: the offset of its TIFF header, which counts from the end of these
/// four bytes, and the identifier (ISO/IEC 23008-12 annex A.2.1).
const EXIF_IDENTIFIER: &[u8] = b"\0\0\0\x06Exif\0\0";

const UNREADABLE: Refusal = Refusal::Because("its list of items cannot be followed");

/// Copies the file, overwrites what belongs to no picture, and writes EXIF and XMP anew in their places. What is
/// then at the end without meaning, such as the video of a motion photo, is cut off.
pub(super) fn stripped(original: &Original) -> Result<Vec<u8>, Refusal> {
    let (file, cancel) = (original.bytes(), original.cancel);
    let mut of_file = chunks(Some(file), media_box, cancel);
    if of_file.any(|one| matches!(one.name, b"moov" | b"moof")) {
        return Err(Refusal::Because("it holds a sequence or a video"));
    }
    let meta = Meta::of(file, cancel).ok_or(UNREADABLE)?;
    let places = Places::of(&meta, cancel)?;
    let mut copy = file.to_vec();
    let Boxes { mut media, end } = overwrite_boxes(file, &mut copy, cancel)?;
    media.sort_by_key(|range| range.start);
    places.check(&media)?;
    overwrite_gaps(&media, &places.pictures, &mut copy);
    for (kind, parts) in &places.metadata {
        cancel.check()?;
        write(*kind, parts, original, &mut copy);
    }
    copy.truncate(end);
    Ok(copy)
}

/// A box by its places in the file.
struct Place {
    name: [u8; 4],
    whole: Range<usize>,
    data: Range<usize>,
}

impl Place {
    fn of(file: &[u8], chunk: &Chunk) -> Option<Place> {
        let name = file.element_offset(chunk.name.first()?)?;
        let whole = name - 4..name - 4 + chunk.length;
        Some(Place {
            name: *chunk.name.first_chunk()?,
            whole: whole.clone(),
            data: range(file, chunk.data).unwrap_or(whole.end..whole.end),
        })
    }

    /// Makes it mean nothing.
    fn overwrite(&self, copy: &mut [u8]) {
        let name = self.whole.start + 4..self.whole.start + 8;
        if let Some(place) = copy.get_mut(name) {
            place.copy_from_slice(FREE);
        }
        fill(copy, self.data.clone(), 0);
    }
}

/// The place of bytes in their file; `None` if they are no bytes.
fn range(file: &[u8], part: &[u8]) -> Option<Range<usize>> {
    let start = file.element_offset(part.first()?)?;
    Some(start..start + part.len())
}

fn fill(copy: &mut [u8], range: Range<usize>, byte: u8) {
    if let Some(place) = copy.get_mut(range) {
        place.fill(byte);
    }
}

/// The boxes beside each other in a part of the file.
fn places(file: &[u8], part: Option<&[u8]>, cancel: &CancelFlag) -> Result<Vec<Place>, Refusal> {
    let found = chunks(part, media_box, cancel).take(MAX_BOXES + 1);
    let found: Vec<Place> = found.filter_map(|chunk| Place::of(file, &chunk)).collect();
    cancel.check()?;
    match found.len() {
        ..=MAX_BOXES => Ok(found),
        _ => Err(Refusal::Because("it has more boxes than any photo has")),
    }
}

/// What is known of a file's boxes.
struct Boxes {
    /// Where the data of items lie.
    media: Vec<Range<usize>>,
    /// The end of the last box that means something.
    end: usize,
}

/// Overwrites the boxes that a copy does not have, and those that repeat another one.
fn overwrite_boxes(file: &[u8], copy: &mut [u8], cancel: &CancelFlag) -> Result<Boxes, Refusal> {
    let mut boxes = Boxes { media: Vec::new(), end: 0 };
    let of_file = places(file, Some(file), cancel)?;
    let of_file = known(of_file, &OF_FILE, copy);
    boxes.end = of_file.iter().map(|one| one.whole.end).max().unwrap_or_default();
    boxes.media.extend(data_of(&of_file, b"mdat"));
    // Four bytes of version and flags.
    let meta = data_of(&of_file, b"meta").next().map(|data| data.start + 4..data.end);
    let inside = |range: Option<Range<usize>>| range.and_then(|range| file.get(range));
    let of_meta = known(places(file, inside(meta), cancel)?, &OF_META, copy);
    boxes.media.extend(data_of(&of_meta, b"idat"));
    let properties = data_of(&of_meta, b"iprp").next();
    let properties = known(places(file, inside(properties), cancel)?, &OF_PROPERTIES, copy);
    let list = data_of(&properties, b"ipco").next();
    for property in places(file, inside(list), cancel)? {
        if !PROPERTIES.contains(&&property.name) {
            property.overwrite(copy);
        }
    }
    Ok(boxes)
}

/// Overwrites all boxes but the first of each of these names, which it returns.
fn known(boxes: Vec<Place>, names: &[&[u8; 4]], copy: &mut [u8]) -> Vec<Place> {
    let mut seen: Vec<[u8; 4]> = Vec::new();
    let mut is_known = |one: &Place| {
        let is_first = !seen.contains(&one.name) || SEVERAL.contains(&&one.name);
        let is_known = names.contains(&&one.name) && is_first;
        if is_known && !SEVERAL.contains(&&one.name) {
            seen.push(one.name);
        }
        is_known
    };
    let (known, others): (Vec<Place>, _) = boxes.into_iter().partition(|one| is_known(one));
    others.iter().for_each(|one: &Place| one.overwrite(copy));
    known
}

fn data_of<'a>(boxes: &'a [Place], name: &'a [u8; 4]) -> impl Iterator<Item = Range<usize>> + 'a {
    boxes.iter().filter(move |one| one.name == *name).map(|one| one.data.clone())
}

/// Where the data of items lie that a copy has.
struct Places {
    /// Those of pictures, in the order of the file.
    pictures: Vec<Range<usize>>,
    /// Those of each item of EXIF and XMP, in the order of its data.
    metadata: Vec<(Kind, Vec<Range<usize>>)>,
}

impl Places {
    fn of(meta: &Meta, cancel: &CancelFlag) -> Result<Places, Refusal> {
        let mut kinds: BTreeMap<u32, Option<Kind>> = BTreeMap::new();
        let mut has_jpeg = false;
        for entry in meta.entries(cancel) {
            has_jpeg |= entry.kind == *b"jpeg";
            let kind = [Kind::Exif, Kind::Xmp].into_iter().find(|kind| kind.is_of(&entry));
            if kind.is_some() || PICTURES.contains(&&entry.kind) {
                kinds.entry(entry.id).or_insert(kind);
            }
        }
        cancel.check()?;
        if has_jpeg {
            return Err(Refusal::Because("it holds a JPEG, which can have metadata of its own"));
        }
        let data = meta.data_of_each(kinds.keys().copied(), cancel);
        cancel.check()?;
        let mut places = Places { pictures: Vec::new(), metadata: Vec::new() };
        for (id, parts) in data.ok_or(UNREADABLE)? {
            let parts = parts.into_iter().filter_map(|part| range(meta.file, part));
            match kinds.get(&id).copied().flatten() {
                Some(kind) => places.metadata.push((kind, parts.collect())),
                None => places.pictures.extend(parts),
            }
        }
        places.pictures.sort_by_key(|range| range.start);
        Ok(places)
    }

    /// Checks that all lies in these boxes, and that no picture shares bytes with metadata.
    fn check(&self, media: &[Range<usize>]) -> Result<(), Refusal> {
        let mut all = self.pictures.iter().chain(self.metadata.iter().flat_map(|(_, parts)| parts));
        let is_inside = |range: &Range<usize>| {
            let before = media.partition_point(|one| one.start <= range.start);
            let around = before.checked_sub(1).and_then(|at| media.get(at));
            around.is_some_and(|one| range.end <= one.end)
        };
        if !all.all(is_inside) {
            return Err(Refusal::Because("its items do not lie among its data"));
        }
        let mut metadata: Vec<_> = self.metadata.iter().flat_map(|(_, parts)| parts).collect();
        metadata.sort_by_key(|range| range.start);
        let mut metadata = metadata.into_iter().peekable();
        let mut end_of_metadata = 0;
        for picture in &self.pictures {
            while let Some(range) = metadata.next_if(|range| range.start < picture.end) {
                end_of_metadata = range.end.max(end_of_metadata);
            }
            if end_of_metadata > picture.start {
                return Err(Refusal::Because("its metadata lie within its pictures"));
            }
        }
        Ok(())
    }
}

/// Overwrites what no picture has of these data. Both are in the order of the file.
fn overwrite_gaps(media: &[Range<usize>], pictures: &[Range<usize>], copy: &mut [u8]) {
    let mut pictures = pictures.iter().peekable();
    for data in media {
        let mut end = data.start;
        while let Some(picture) = pictures.next_if(|picture| picture.start < data.end) {
            if picture.start > end {
                fill(copy, end..picture.start, 0);
            }
            end = picture.end.max(end);
        }
        fill(copy, end..data.end, 0);
    }
}

/// Writes what a copy has of an item of metadata, and fills up its place.
fn write(kind: Kind, parts: &[Range<usize>], original: &Original, copy: &mut [u8]) {
    let room = parts.iter().map(Range::len).sum::<usize>();
    let mut stored = Cow::from(&[][..]);
    for part in parts {
        extend(&mut stored, original.bytes().get(part.clone()).unwrap_or_default());
    }
    let (data, filler) = match kind {
        Kind::Exif => (exif(stored, room, original), 0),
        Kind::Xmp => (packet(&stored, original), b' '),
    };
    let data = data.filter(|data| data.len() <= room).unwrap_or_default();
    let mut bytes = data.into_iter().chain(std::iter::repeat(filler));
    for part in parts {
        for place in copy.get_mut(part.clone()).unwrap_or_default() {
            *place = bytes.next().unwrap_or(filler);
        }
    }
}

/// An item of EXIF: what may stay of it, else its orientation alone.
fn exif(stored: Cow<[u8]>, room: usize, original: &Original) -> Option<Vec<u8>> {
    let mut blocks = Blocks::default();
    blocks.push_item(stored);
    let whole =
        original.exif(&blocks.exif).filter(|block| block.len() + EXIF_IDENTIFIER.len() <= room);
    let orientation = original.photo.facts.orientation;
    let block = whole.unwrap_or_else(|| orientation_alone(orientation.unwrap_or(1)));
    Some([EXIF_IDENTIFIER, &block].concat())
}

/// A packet of XMP. The copy still has its gain maps.
fn packet(stored: &[u8], original: &Original) -> Option<Vec<u8>> {
    match original.strip {
        Strip::Location => xmp::without_place(stored, xmp::GainMap::Kept, original.cancel),
        Strip::All => None,
    }
}
