//! EXIF that is written anew, of the tags that may stay.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ::exif::{Context, Tag};

use super::tells_place;
use crate::metadata::exif::directory::{ByteOrder, Stored, stored};
use crate::metadata::exif::tags::is_standard;

/// Most bytes of a block, so that it fits in a segment of a JPEG behind its identifier (clause 4.7.2).
const MAX_BYTES: usize = 65_000;

/// Bytes that a block has besides its entries and values: its header, orientation, pointers, and the counts and ends of
/// its directories.
const BYTES_BESIDES: usize = 100;

/// Bytes of a TIFF header, and of an entry of a directory (TIFF 6.0 pages 13 to 15).
const HEADER_BYTES: usize = 8;
const ENTRY_BYTES: usize = 12;
/// The code of the type SHORT.
const SHORT: u16 = 3;
/// The code of the type LONG.
const LONG: u16 = 4;

/// A directory that is written: the type, the number of elements and the value of each tag.
type Entries<'a> = BTreeMap<u16, (u16, u32, Cow<'a, [u8]>)>;

/// The EXIF of the first block that has any, with this orientation: the standard tags of IFD0, Exif and
/// Interoperability. GPS, maker notes, the embedded thumbnail and its directory (which can hold a place too), tags
/// without a standard name, texts that speak of a place, and what no directory refers to are not copied. `None` if
/// nothing is left.
pub(super) fn without_place(blocks: &[Cow<[u8]>], orientation: Option<u16>) -> Option<Vec<u8>> {
    let alone = || orientation.map(orientation_alone);
    let mut readable = blocks.iter().filter_map(|block| stored(block));
    let has_entries = |(_, directories): &(ByteOrder, [Vec<Stored>; 3])| {
        directories.iter().flatten().any(is_kept)
    };
    let Some((order, directories)) = readable.find(has_entries) else { return alone() };
    let mut directories = directories.map(|entries| kept(&entries));
    let values = directories.iter().flat_map(BTreeMap::values);
    let length = values.map(|(.., value)| ENTRY_BYTES + value.len() + 1).sum::<usize>();
    // Entries may share their bytes, so the sum can be far larger than the block.
    if length > MAX_BYTES - BYTES_BESIDES {
        return alone();
    }
    for directory in &mut directories {
        directory.retain(|_, (.., value)| !tells_place(value));
    }
    let [mut primary, exif, interoperability] = directories;
    if let Some(orientation) = orientation {
        let value = order.bytes_of_u16(orientation).to_vec();
        primary.insert(Tag::Orientation.number(), (SHORT, 1, value.into()));
    }
    let is_empty = [&primary, &exif, &interoperability].iter().all(|one| one.is_empty());
    (!is_empty).then(|| block(order, primary, exif, interoperability))
}

/// A block with nothing but this orientation.
pub(super) fn orientation_alone(orientation: u16) -> Vec<u8> {
    let order = ByteOrder::Big;
    let value = order.bytes_of_u16(orientation).to_vec();
    let primary = Entries::from([(Tag::Orientation.number(), (SHORT, 1, value.into()))]);
    block(order, primary, Entries::new(), Entries::new())
}

/// The first entry of each tag that may stay. The orientation is put in by itself, as it was read.
fn kept<'a>(entries: &[Stored<'a>]) -> Entries<'a> {
    let mut kept = Entries::new();
    for entry in entries.iter().filter(|entry| is_kept(entry)) {
        let stored = (entry.kind, entry.count, entry.value.into());
        kept.entry(entry.tag.number()).or_insert(stored);
    }
    kept
}

fn is_kept(entry: &Stored) -> bool {
    let is_of_place = entry.tag.context() == Context::Gps;
    is_standard(entry.tag)
        && !is_of_place
        && entry.tag != Tag::MakerNote
        && entry.tag.number() != Tag::Orientation.number()
}

/// Writes the directories, each with its values behind it.
fn block(
    order: ByteOrder,
    mut primary: Entries,
    mut exif: Entries,
    interoperability: Entries,
) -> Vec<u8> {
    let mut block = match order {
        ByteOrder::Big => b"MM".to_vec(),
        ByteOrder::Little => b"II".to_vec(),
    };
    block.extend(order.bytes_of_u16(42));
    block.extend(order.bytes_of_u32(HEADER_BYTES as u32));
    // The pointer has to be in a directory before the length of that is known.
    let pointer = |offset: usize| (LONG, 1, order.bytes_of_u32(offset as u32).to_vec().into());
    let mut end = HEADER_BYTES;
    if !exif.is_empty() || !interoperability.is_empty() {
        primary.insert(Tag::ExifIFDPointer.number(), pointer(0));
    }
    end += bytes(&primary);
    if !interoperability.is_empty() {
        exif.insert(Tag::InteropIFDPointer.number(), pointer(0));
        let behind = end + bytes(&exif);
        exif.insert(Tag::InteropIFDPointer.number(), pointer(behind));
    }
    if !exif.is_empty() {
        primary.insert(Tag::ExifIFDPointer.number(), pointer(end));
    }
    for directory in [primary, exif, interoperability] {
        write(&directory, order, &mut block);
    }
    block
}

/// Bytes of a directory with its values.
fn bytes(directory: &Entries) -> usize {
    let outside = directory.values().map(|(.., value)| match value.len() {
        ..=4 => 0,
        length => length.next_multiple_of(2),
    });
    2 + directory.len() * ENTRY_BYTES + 4 + outside.sum::<usize>()
}

/// Appends a directory without a next one. Values begin at even offsets (TIFF 6.0 page 15).
fn write(directory: &Entries, order: ByteOrder, block: &mut Vec<u8>) {
    if directory.is_empty() {
        return;
    }
    let mut values = Vec::new();
    let start = block.len() + 2 + directory.len() * ENTRY_BYTES + 4;
    block.extend(order.bytes_of_u16(directory.len() as u16));
    for (tag, (kind, count, value)) in directory {
        block.extend([order.bytes_of_u16(*tag), order.bytes_of_u16(*kind)].as_flattened());
        block.extend(order.bytes_of_u32(*count));
        if let ..=4 = value.len() {
            block.extend(value.iter().chain(&[0; 4]).take(4));
        } else {
            block.extend(order.bytes_of_u32((start + values.len()) as u32));
            values.extend_from_slice(value);
            values.resize(values.len().next_multiple_of(2), 0);
        }
    }
    block.extend([0; 4]);
    block.append(&mut values);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Facts;
    use crate::LocationPolicy;
    use crate::metadata::sample::{
        ascii, block as sample, every_tag, jpeg, raw, read, short, undefined,
    };

    fn copy(block: &[u8]) -> Option<Vec<u8>> {
        without_place(&[block.into()], None)
    }

    fn facts(block: &[u8]) -> Facts {
        read(&jpeg(block), LocationPolicy::Exact)
    }

    #[test]
    fn every_standard_tag_but_those_of_places_stays_as_it_is() {
        for little_endian in [false, true] {
            let original = sample(&every_tag("text, that is long"), little_endian);
            let copied = copy(&original).unwrap();
            let mut expected = facts(&original);
            expected.tags.retain(|name, _| !name.starts_with("GPS"));
            assert!(expected.tags.len() > 80);
            assert_eq!(facts(&copied), expected);
            let mut names = (0..).map_while(|at| copied.get(at..at + 4));
            assert!(!names.any(|bytes| bytes == b"GPS:"));
            assert_eq!(copy(&copied), Some(copied));
        }
    }

    #[test]
    fn the_orientation_is_the_one_that_was_read() {
        let block = sample(&[short(Tag::Orientation, 3), ascii(Tag::Make, "Canon")], true);
        let turned = |blocks: &[Cow<[u8]>]| facts(&without_place(blocks, Some(6)).unwrap());
        assert_eq!(turned(&[block[..].into()]).orientation, Some(6));
        assert_eq!(turned(&[]).orientation, Some(6));
        assert_eq!(facts(&copy(&block).unwrap()).orientation, None);
        assert_eq!(without_place(&[], None), None);
        for orientation in 1..=8 {
            let alone = Facts { orientation: Some(orientation), ..Facts::default() };
            assert_eq!(facts(&orientation_alone(orientation)), alone);
        }
    }

    #[test]
    fn a_block_of_which_nothing_may_stay_is_none() {
        for block in [
            sample(&[ascii(Tag::GPSMapDatum, "WGS-84")], true),
            sample(&[undefined(Tag::MakerNote, b"Apple iOS")], true),
            sample(&[ascii(Tag::ImageDescription, "at 35 degrees latitude")], true),
            raw(&[], &[]),
            b"MM\0\x2a\xff\xff\xff\xff".to_vec(),
            b"MM\0\x2b\0\x08\0\0\0\0\0\0\0\0\0\x10".to_vec(),
            b"II*\0".to_vec(),
            Vec::new(),
        ] {
            assert_eq!(copy(&block), None, "{}", block.escape_ascii());
        }
    }

    #[test]
    fn directories_that_point_at_each_other_are_copied_once() {
        let make = (0x010F, 2, 4, u32::from_be_bytes(*b"Sony"));
        let pointers = [(0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0xA005, 4, 1, 8)];
        let copied = copy(&raw(&[&[make], &pointers[..]].concat(), &[])).unwrap();
        assert_eq!(facts(&copied).camera.make.as_deref(), Some("Sony"));
        assert!(copied.len() < 200);
    }

    #[test]
    fn entries_that_share_their_bytes_make_no_large_block() {
        let tags = (0..=u16::MAX).filter(|tag| is_standard(Tag(Context::Exif, *tag)));
        let entries: Vec<_> = tags.map(|tag| (tag, 1, 30_000, 8)).collect();
        assert!(entries.len() > 50);
        let block = raw(&entries, &[7; 30_000]);
        assert_eq!(copy(&block), None);
        assert_eq!(without_place(&[block.into()], Some(6)), Some(orientation_alone(6)));
        let long = |bytes: u32| copy(&raw(&[(0x010E, 2, bytes, 26)], &vec![b'x'; bytes as usize]));
        let most = (MAX_BYTES - BYTES_BESIDES - ENTRY_BYTES - 1) as u32;
        assert!(long(most).is_some_and(|block| block.len() <= MAX_BYTES));
        assert_eq!(long(most + 1), None);
    }

    #[test]
    fn no_prefix_and_no_damaged_byte_causes_a_panic() {
        let whole = sample(&every_tag("x"), true);
        for position in (0..whole.len()).step_by(3) {
            copy(&whole[..position]);
            for value in [0, 1, 0x7F, 0xFF] {
                let mut damaged = whole.clone();
                damaged[position] = value;
                copy(&damaged);
            }
        }
    }
}
