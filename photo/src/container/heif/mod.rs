//! HEIC and AVIF: tells them apart, finds their metadata, and describes their primary picture (ISO/IEC 23008-12
//! and ISO/IEC 14496-12).

mod items;
mod metadata;
mod picture;
mod sequence;
mod stills;

pub(crate) use items::Meta;
pub(crate) use metadata::{Kind, item};
pub(crate) use picture::{Crop, Nclx, Picture, Pictures, Tiles, displayed_size};

use super::{Chunk, chunks};
use crate::{CancelFlag, Format, PhotoError, Raw};

/// Most brands that are searched.
const MAX_BRANDS: usize = 4096;

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
    let others = || brands.chunks_exact(4).take(MAX_BRANDS);
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
fn of_items(file: &[u8]) -> Option<Format> {
    let cancel = CancelFlag::default();
    Meta::of(file, &cancel)?.entries(&cancel).find_map(|entry| match &entry.kind {
        b"hvc1" | b"lhv1" => Some(Format::Heic),
        b"av01" => Some(Format::Avif),
        b"avc1" | b"j2k1" | b"vvc1" | b"jpeg" | b"unci" => Some(Format::Heif),
        _ => None,
    })
}

/// The EXIF of a JPEG 2000, which stands in a box of this UUID (as exiftool and the JPEG 2000 tools write
/// it).
pub(crate) fn jpeg_2000_exif<'a>(file: &'a [u8], cancel: &CancelFlag) -> Option<&'a [u8]> {
    chunks(Some(file), media_box, cancel)
        .filter(|inner| inner.name == b"uuid")
        .find_map(|inner| inner.data.strip_prefix(b"JpgTiffExif->JP2"))
}

/// The refusal of a HEIC that breaks the rules.
pub(crate) fn corrupt(what: &str) -> PhotoError {
    PhotoError::Corrupt(what.to_owned())
}

/// The refusal of a HEIC of a kind that is not decoded.
pub(crate) fn unsupported(what: &str) -> PhotoError {
    PhotoError::UnsupportedFormat(format!("a HEIC {what}"))
}

/// Reads big-endian numbers one after another.
#[derive(Clone, Copy, Debug)]
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

    /// The next number, of at most four bytes.
    fn small(&mut self, bytes: usize) -> Option<u32> {
        self.uint(bytes).and_then(|number| u32::try_from(number).ok())
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
    use crate::Size;

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
