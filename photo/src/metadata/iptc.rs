//! IPTC: the datasets of a photo (IPTC-NAA Information Interchange Model 4.2), and the image resources of
//! Photoshop among which they are kept (Adobe Photoshop File Formats Specification, "Image Resource Blocks").

use super::blocks::MAX_BLOCKS;
use super::clock::Clock;
use super::text;

/// Signatures of an image resource: those of Photoshop, and of programs that kept its form.
const SIGNATURES: [&[u8; 4]; 5] = [b"8BIM", b"AgHg", b"DCSR", b"MeSa", b"PHUT"];
/// Most image resources; Photoshop writes some thirty.
pub(crate) const MAX_RESOURCES: usize = 1024;
/// Most datasets. A photo has some dozens, but each keyword is one.
pub(crate) const MAX_DATASETS: usize = 4096;

/// The byte with which each dataset begins (IIM clause 1.5).
const TAG_MARKER: u8 = 0x1C;
/// Date Created and Time Created, of record 2.
const DATE_CREATED: u8 = 55;
const TIME_CREATED: u8 = 60;

/// Numbers of image resources: IPTC, the EXIF of the photo, that of its copy, XMP (Adobe Photoshop File Formats
/// Specification, "Image Resource IDs").
pub(crate) const IPTC: u16 = 0x0404;
pub(super) const EXIF: u16 = 0x0422;
pub(super) const EXIF_OF_COPY: u16 = 0x0423;
pub(super) const XMP: u16 = 0x0424;

/// The data of the image resources with these numbers.
pub(super) fn resources_of<'a>(blocks: &[&'a [u8]], numbers: &[u16]) -> Vec<&'a [u8]> {
    let all = blocks.iter().flat_map(|block| resources(block));
    let wanted = all.filter(|(number, _)| numbers.contains(number));
    wanted.map(|(_, data)| data).take(MAX_BLOCKS).collect()
}

/// Iterates over image resources up to the first that is broken: the number and the data of each.
fn resources(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = bytes;
    let next = move || {
        let (resource, behind) = resource(rest)?;
        rest = behind;
        Some(resource)
    };
    std::iter::from_fn(next).take(MAX_RESOURCES)
}

pub(crate) type Resource<'a> = (u16, &'a [u8]);

/// A resource: signature, number, a name with its length before it, length, data. Names and data are padded
/// to even lengths.
pub(crate) fn resource(bytes: &[u8]) -> Option<(Resource<'_>, &[u8])> {
    let (signature, rest) = bytes.split_first_chunk::<4>()?;
    let (number, rest) = rest.split_first_chunk()?;
    let name_length = 1 + usize::from(*rest.first()?);
    let rest = rest.get(name_length + name_length % 2..)?;
    let rest = Some(rest).filter(|_| SIGNATURES.contains(&signature))?;
    let (length, rest) = rest.split_first_chunk()?;
    let (data, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    let padding = data.len() % 2;
    Some(((u16::from_be_bytes(*number), data), rest.get(padding..).unwrap_or_default()))
}

/// The time at which the photo was taken: Date Created (2:55) and Time Created (2:60). The blocks are image
/// resources, or IPTC by itself.
pub(super) fn created(blocks: &[&[u8]]) -> Option<Clock> {
    let of_photoshop = resources_of(blocks, &[IPTC]);
    blocks.iter().chain(&of_photoshop).find_map(|block| {
        let first = |wanted| datasets(block).find(|(number, _)| *number == wanted);
        let text = |wanted| text::plain_bytes(first(wanted)?.1);
        Clock::read_iptc(&text(DATE_CREATED)?, text(TIME_CREATED).as_deref())
    })
}

/// Iterates over the datasets of record 2, the application record, up to the first that is broken.
fn datasets(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = bytes;
    let next = move || {
        let (dataset, behind) = dataset(rest)?;
        rest = behind;
        Some(dataset)
    };
    let all = std::iter::from_fn(next).take(MAX_DATASETS);
    all.filter(|((record, _), _)| *record == 2).map(|((_, number), data)| (number, data))
}

pub(crate) type Dataset<'a> = ((u8, u8), &'a [u8]);

/// A dataset: marker, record, number, length, data. A length with its highest bit set is the number of bytes
/// of the length that follows (IIM clause 1.5).
pub(crate) fn dataset(bytes: &[u8]) -> Option<(Dataset<'_>, &[u8])> {
    let (&[TAG_MARKER, record, number, high, low], rest) = bytes.split_first_chunk()? else {
        return None;
    };
    let length = u16::from_be_bytes([high, low]);
    let (length, rest) = if length < 0x8000 {
        (usize::from(length), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7FFF))?;
        let is_sane = digits.len() <= 4;
        (
            digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)),
            Some(rest).filter(|_| is_sane)?,
        )
    };
    let (data, rest) = rest.split_at_checked(length)?;
    Some((((record, number), data), rest))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{iptc, resource};
    use super::*;

    fn date(block: &[u8]) -> Option<String> {
        created(&[block]).map(|clock| clock.second.to_string())
    }

    const DATE: [(u8, &str); 2] = [(55, "20160124"), (60, "175358+0100")];

    #[test]
    fn the_date_is_found_among_resources_and_by_itself() {
        let expected = Some("2016-01-24 17:53:58".to_owned());
        assert_eq!(date(&iptc(&DATE)), expected);
        assert_eq!(date(&resource(0x0404, &iptc(&DATE))), expected);
        let others = [resource(0x03ED, b"odd"), resource(0x0425, &[7; 16])].concat();
        assert_eq!(date(&[others, resource(0x0404, &iptc(&DATE))].concat()), expected);
        assert_eq!(date(&resource(0x0405, &iptc(&DATE))), None);
        let named =
            [b"8BIM\x04\x04\x03abc\0\0\0", &[iptc(&DATE).len() as u8][..], &iptc(&DATE)].concat();
        assert_eq!(date(&named), expected, "a resource with a name");
    }

    #[test]
    fn the_first_date_of_record_2_counts() {
        let more = [&[(5, "title"), (25, "a keyword")][..], &DATE, &[(55, "20200101")]].concat();
        assert_eq!(date(&iptc(&more)).as_deref(), Some("2016-01-24 17:53:58"));
        let mut of_record_3 = iptc(&DATE);
        of_record_3[1] = 3;
        assert_eq!(date(&of_record_3), None);
        assert_eq!(date(&iptc(&DATE[..1])).as_deref(), Some("2016-01-24 00:00:00"));
        assert_eq!(date(&iptc(&DATE[1..])), None);
    }

    #[test]
    fn a_dataset_of_extended_length_is_passed() {
        let long = [&[TAG_MARKER, 2, 25, 0x80, 4, 0, 0, 0, 3][..], b"abc", &iptc(&DATE)].concat();
        assert_eq!(date(&long).as_deref(), Some("2016-01-24 17:53:58"));
        for header in
            [&[TAG_MARKER, 2, 25, 0x80, 5, 0, 0, 0, 0, 3][..], &[TAG_MARKER, 2, 25, 0xFF, 0xFF]]
        {
            assert_eq!(date(&[header, b"abc", &iptc(&DATE)].concat()), None);
        }
    }

    #[test]
    fn no_prefix_and_no_damaged_byte_causes_a_panic() {
        let whole = [resource(0x0425, b"odd"), resource(0x0404, &iptc(&DATE))].concat();
        for position in 0..whole.len() {
            date(&whole[..position]);
            for value in 0..=u8::MAX {
                let mut damaged = whole.clone();
                damaged[position] = value;
                date(&damaged);
            }
        }
    }

    #[test]
    fn resources_and_datasets_are_limited() {
        let many =
            |count| [resource(0x0425, b"").repeat(count), resource(0x0404, &iptc(&DATE))].concat();
        assert!(date(&many(MAX_RESOURCES - 1)).is_some());
        assert!(date(&many(MAX_RESOURCES)).is_none());
        let many = |count| [iptc(&[(25, "")]).repeat(count), iptc(&DATE)].concat();
        assert!(date(&many(MAX_DATASETS - 2)).is_some());
        assert!(date(&many(MAX_DATASETS)).is_none());
    }
}
