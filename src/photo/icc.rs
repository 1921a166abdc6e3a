//! Embedded ICC colour profiles: which are kept, and how a JPEG holds them (ICC.1:2022 annex B.4).
//!
//! A thumbnail shows its photo's colours only with the photo's profile: phones have written
//! Display P3 for years. The profile is copied verbatim.

/// What an APP2 segment that holds a part of a profile begins with.
const SIGNATURE: &[u8] = b"ICC_PROFILE\0";
/// Most profile bytes one APP2 segment takes: its 65,533 less signature, number and count.
const CHUNK: usize = 65_519;
/// Larger profiles are dropped: display profiles have 0.5 to 4 KB, and a thumbnail must stay small.
const MAX_PROFILE: usize = 64 * 1024;
/// Printers' profiles are used, not kept; the common ones have half a megabyte.
const MAX_INK_PROFILE: usize = 4 * 1024 * 1024;
/// Where a profile names its colour space, four letters (ICC.1:2022 clause 7.2.6).
const COLOUR_SPACE: std::ops::Range<usize> = 16..20;

/// The profile that the APP2 segments of a photo hold together, in whatever order they stand;
/// `None` if a part is missing or if it is not for pixels of `components` channels.
pub(super) fn profile(app2_payloads: &[&[u8]], components: u8) -> Option<Vec<u8>> {
    let mut chunks: Vec<(u8, u8, &[u8])> = app2_payloads
        .iter()
        .filter_map(|payload| match payload.strip_prefix(SIGNATURE)? {
            [number, count, data @ ..] => Some((*number, *count, data)),
            _ => None,
        })
        .collect();
    chunks.sort_by_key(|(number, ..)| *number);
    let total = chunks.len();
    let complete = chunks.iter().enumerate().all(|(index, (number, count, _))| {
        usize::from(*number) == index + 1 && usize::from(*count) == total
    });
    let profile: Vec<u8> = chunks.iter().flat_map(|(_, _, data)| *data).copied().collect();
    (complete && fits(&profile, components)).then_some(profile)
}

/// Whether a profile is for pixels of `components` channels, and no larger than it is worth.
pub(super) fn fits(profile: &[u8], components: u8) -> bool {
    let (channels, limit) = match profile.get(COLOUR_SPACE) {
        Some(b"GRAY") => (1, MAX_PROFILE),
        Some(b"RGB ") => (3, MAX_PROFILE),
        Some(b"CMYK") => (4, MAX_INK_PROFILE),
        _ => return false,
    };
    components == channels && profile.len() <= limit
}

/// The JPEG with the profile in APP2 segments behind its JFIF header.
pub(super) fn embed(jpeg: Vec<u8>, profile: &[u8]) -> Vec<u8> {
    let behind_jfif = match jpeg.get(4..6) {
        Some(&[high, low]) => 4 + usize::from(u16::from_be_bytes([high, low])),
        _ => return jpeg,
    };
    let count = profile.len().div_ceil(CHUNK) as u8;
    let mut segments = Vec::with_capacity(profile.len() + 32);
    for (number, chunk) in (1..=count).zip(profile.chunks(CHUNK)) {
        let length = (2 + SIGNATURE.len() + 2 + chunk.len()) as u16;
        segments.extend([0xFF, 0xE2]);
        segments.extend(length.to_be_bytes());
        segments.extend(SIGNATURE);
        segments.extend([number, count]);
        segments.extend(chunk);
    }
    let mut embedded = jpeg;
    embedded.splice(behind_jfif..behind_jfif, segments);
    embedded
}

#[cfg(test)]
mod tests {
    use super::super::{Picture, Pixels, Size, jpeg};
    use super::*;

    fn profile_of(colour_space: &[u8; 4], length: usize) -> Vec<u8> {
        let mut profile: Vec<u8> = (0..length).map(|i| i as u8).collect();
        profile[COLOUR_SPACE].copy_from_slice(colour_space);
        profile
    }

    fn chunk(number: u8, count: u8, data: &[u8]) -> Vec<u8> {
        [SIGNATURE, &[number, count], data].concat()
    }

    #[test]
    fn an_embedded_profile_is_read_back_verbatim() {
        for length in [500, MAX_PROFILE] {
            let profile = profile_of(b"RGB ", length);
            let black = Picture::Packed(Pixels::black(Size { width: 8, height: 8 }, 3));
            let jpeg = jpeg::encode(&black, 0.9, Some(&profile)).unwrap();
            assert_eq!(jpeg::Header::read(&jpeg).unwrap().profile, Some(profile));
            assert!(turbojpeg::read_header(&jpeg).is_ok());
        }
    }

    #[test]
    fn parts_in_the_wrong_order_are_one_profile() {
        let whole = profile_of(b"GRAY", 300);
        let (first, second) = (chunk(1, 2, &whole[..100]), chunk(2, 2, &whole[100..]));
        assert_eq!(profile(&[&second, b"other APP2", &first], 1), Some(whole));
    }

    #[test]
    fn an_incomplete_a_foreign_and_a_huge_profile_are_dropped() {
        let whole = profile_of(b"RGB ", 300);
        assert_eq!(profile(&[&chunk(1, 2, &whole)], 3), None, "a part is missing");
        let twice = [&chunk(1, 2, &whole[..100])[..], &chunk(1, 2, &whole[100..])];
        assert_eq!(profile(&twice, 3), None, "two first parts");
        assert_eq!(
            profile(&[&chunk(1, 1, &profile_of(b"GRAY", 300))], 3),
            None,
            "gray of an RGB photo"
        );
        assert_eq!(profile(&[&chunk(1, 1, &whole)], 1), None, "RGB profile of a gray photo");
        assert_eq!(profile(&[&chunk(1, 1, &profile_of(b"CMYK", 300))], 3), None);
        assert_eq!(profile(&[&chunk(1, 1, &profile_of(b"RGB ", MAX_PROFILE + 1))], 3), None);
    }
}
