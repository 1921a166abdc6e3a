//! IPTC and the image resources of Photoshop, written anew of what may stay (IPTC-NAA Information Interchange
//! Model 4.2; Adobe Photoshop File Formats Specification, "Image Resource IDs").

use std::borrow::Cow;

use crate::metadata::iptc::{IPTC, MAX_DATASETS, MAX_RESOURCES, dataset, resource};

/// Image resources that tell nothing but how to show the picture, and whose it is: ResolutionInfo, the copyright
/// flag and the URL. EXIF (0x0422, 0x0423), XMP (0x0424), thumbnails, the digest of the IPTC that has been changed
/// (0x0425), and all that is not known, is not copied.
const HARMLESS: [u16; 3] = [0x03ED, 0x040A, 0x040B];

/// Datasets of the envelope that say how the others are to be read: its version and their character set (IIM
/// clause 5).
const OF_ENVELOPE: [u8; 2] = [0, 90];

/// Datasets of the application record that name a place: Content Location Code and Name, City, Sub-location,
/// Province/State, Country Code and Name (IIM clause 6).
const PLACES: [u8; 7] = [26, 27, 90, 92, 95, 100, 101];

/// The last dataset of the application record that is text about the picture. Behind it come sounds, a preview, and
/// numbers of programs.
const LAST: u8 = 135;

/// Most bytes of the image resources of a copy, so that they fit in one segment of a JPEG.
const MAX_BYTES: usize = 65_000;

/// The image resources in these blocks without place; `None` if nothing is left. What follows the first broken
/// one is not copied.
pub(super) fn without_place(blocks: &[Cow<[u8]>]) -> Option<Vec<u8>> {
    let mut copy = Vec::new();
    for block in blocks {
        match block.first() {
            Some(0x1C) => push_iptc(block, &mut copy), // without anything around it
            _ => push_resources(block, &mut copy),
        }
    }
    Some(copy).filter(|copy| !copy.is_empty() && copy.len() <= MAX_BYTES)
}

fn push_resources(mut rest: &[u8], copy: &mut Vec<u8>) {
    for _ in 0..MAX_RESOURCES {
        let Some(((number, data), behind)) = resource(rest) else { return };
        if number == IPTC {
            push_iptc(data, copy);
        } else if HARMLESS.contains(&number) {
            push(number, data, copy);
        }
        rest = behind;
    }
}

/// Appends a resource without its name.
fn push(number: u16, data: &[u8], copy: &mut Vec<u8>) {
    copy.extend(b"8BIM");
    copy.extend(number.to_be_bytes());
    copy.extend([0, 0]);
    copy.extend((data.len() as u32).to_be_bytes());
    copy.extend_from_slice(data);
    copy.resize(copy.len().next_multiple_of(2), 0);
}

fn push_iptc(mut rest: &[u8], copy: &mut Vec<u8>) {
    let mut kept = Vec::new();
    for _ in 0..MAX_DATASETS {
        let Some((((record, number), _), behind)) = dataset(rest) else { break };
        let stored = rest.get(..rest.len() - behind.len()).unwrap_or_default();
        if is_kept(record, number) {
            kept.extend_from_slice(stored);
        }
        rest = behind;
    }
    if !kept.is_empty() {
        push(IPTC, &kept, copy);
    }
}

fn is_kept(record: u8, number: u8) -> bool {
    match record {
        1 => OF_ENVELOPE.contains(&number),
        2 => number <= LAST && !PLACES.contains(&number),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::sample::{iptc, resource};

    fn copy(block: &[u8]) -> Option<Vec<u8>> {
        without_place(&[block.into()])
    }

    #[test]
    fn datasets_of_places_are_left_out_and_others_stay() {
        let places: Vec<(u8, &str)> = PLACES.iter().map(|number| (*number, "Xanadu")).collect();
        let others = [(5, "title"), (25, "keyword"), (80, "photographer"), (120, "caption")];
        let mut mixed = iptc(&[&places[..2], &others, &places[2..], &[(202, "preview")]].concat());
        // The character set, and a destination, of the envelope; and a dataset of another record.
        mixed.extend(b"\x1C\x01\x5A\0\x03\x1B%G\x1C\x01\x05\0\x06Xanadu\x1C\x07\x05\0\x06Xanadu");
        let expected = [&iptc(&others)[..], b"\x1C\x01\x5A\0\x03\x1B%G"].concat();
        let expected = Some(resource(IPTC, &expected));
        assert_eq!(copy(&resource(IPTC, &mixed)), expected);
        assert_eq!(copy(&mixed), expected, "without a resource around it");
        let datasets = iptc(&places);
        assert_eq!(copy(&resource(IPTC, &datasets)), None, "nothing is left");
    }

    #[test]
    fn what_follows_a_broken_part_is_left_out() {
        let (title, city) = (iptc(&[(5, "title")]), iptc(&[(90, "Xanadu")]));
        let broken = [&title[..], b"\0", &city, &title].concat();
        assert_eq!(copy(&resource(IPTC, &broken)), Some(resource(IPTC, &title)));
        let whole = resource(IPTC, &title);
        for length in 0..whole.len() - 1 {
            let both = [&whole[..], &whole[..length]].concat();
            assert_eq!(copy(&both), Some(whole.clone()), "{length}");
        }
    }

    #[test]
    fn resources_datasets_and_bytes_are_limited() {
        let title = resource(IPTC, &iptc(&[(5, "title")]));
        let many = |count| [resource(0x0999, b"").repeat(count), title.clone()].concat();
        assert_eq!(copy(&many(MAX_RESOURCES - 1)), Some(title.clone()));
        assert_eq!(copy(&many(MAX_RESOURCES)), None);
        let many = |count| [iptc(&[(200, "")]).repeat(count), iptc(&[(5, "title")])].concat();
        assert_eq!(copy(&many(MAX_DATASETS - 1)), Some(title));
        assert_eq!(copy(&many(MAX_DATASETS)), None);
        let long = |bytes: usize| resource(0x040B, &vec![b'x'; bytes - 12]);
        assert!(copy(&long(MAX_BYTES)).is_some() && copy(&long(MAX_BYTES + 2)).is_none());
    }
}
