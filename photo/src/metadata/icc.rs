//! Embedded ICC colour profiles, and how a JPEG stores them (ICC.1:2022 annex B.4).
//!
//! A thumbnail needs its photo's profile to show the same colours: phones have written Display P3 for
//! years. The profile is copied verbatim.

/// The start of an APP2 segment that holds a part of a profile.
pub(crate) const SIGNATURE: &[u8] = b"ICC_PROFILE\0";
/// Most bytes of a profile in one APP2 segment: 65,533 minus signature, number and count.
const CHUNK: usize = 65_519;
/// Most bytes of a profile that a thumbnail keeps, because it must stay small. Display profiles have 0.5
/// to 4 KB.
const MAX_PROFILE: usize = 64 * 1024;
/// Most bytes of a printer's profile, which is applied, not kept. Common ones have half a megabyte.
const MAX_INK_PROFILE: usize = 4 * 1024 * 1024;
/// Place of a profile's size in its header (ICC.1:2022 clause 7.2).
const SIZE: std::ops::Range<usize> = 0..4;
/// Place of the colour space, four letters.
const COLOUR_SPACE: std::ops::Range<usize> = 16..20;
/// Place of the signature `acsp`, which every profile has.
const FILE_SIGNATURE: std::ops::Range<usize> = 36..40;
/// Bytes of the shortest profile: its header and the number of its tags.
const SMALLEST: usize = 132;

/// The parts of a profile in a JPEG's APP2 segments: number, count, data.
pub(crate) struct Parts<'a>(Vec<(u8, u8, &'a [u8])>);

impl<'a> Parts<'a> {
    /// The parts in these payloads, which may be in any order.
    pub fn of(app2_payloads: impl IntoIterator<Item = &'a [u8]>) -> Parts<'a> {
        let part = |payload: &'a [u8]| match payload.strip_prefix(SIGNATURE)? {
            [number, count, data @ ..] => Some((*number, *count, data)),
            _ => None,
        };
        let mut parts: Vec<_> = app2_payloads.into_iter().filter_map(part).collect();
        parts.sort_by_key(|(number, ..)| *number);
        Parts(parts)
    }

    /// The number of bytes in all parts.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(.., data)| data.len()).sum()
    }

    /// Whether there are parts, but they do not make up exactly one profile.
    pub fn are_broken(&self) -> bool {
        let total = self.0.len();
        let are_all = self.0.iter().enumerate().all(|(index, (number, count, _))| {
            usize::from(*number) == index + 1 && usize::from(*count) == total
        });
        !self.0.is_empty() && (!are_all || self.bytes() == 0)
    }

    /// The profile, if it is complete and for pixels of `components` channels.
    pub fn profile(&self, components: u8) -> Option<Vec<u8>> {
        if self.are_broken() || self.bytes() > MAX_INK_PROFILE {
            return None;
        }
        let profile = self.0.iter().flat_map(|(.., data)| *data).copied().collect();
        Some(profile).filter(|profile: &Vec<u8>| fits(profile, components))
    }
}

/// Whether these bytes are a profile for pixels of `components` channels that is not too large. The
/// thumbnail gets a verbatim copy, so other content must not pass.
pub(crate) fn fits(profile: &[u8], components: u8) -> bool {
    let size = u32::try_from(profile.len()).unwrap_or(u32::MAX).to_be_bytes();
    let is_profile = profile.len() >= SMALLEST
        && profile.get(SIZE) == Some(&size)
        && profile.get(FILE_SIGNATURE) == Some(b"acsp");
    let (channels, limit) = match profile.get(COLOUR_SPACE) {
        Some(b"GRAY") => (1, MAX_PROFILE),
        Some(b"RGB ") => (3, MAX_PROFILE),
        Some(b"CMYK") => (4, MAX_INK_PROFILE),
        _ => return false,
    };
    is_profile && components == channels && profile.len() <= limit
}

/// Most tags of a profile; real ones have some dozens.
const MAX_TAGS: usize = 100;
/// The tags that a transform to other colours needs (ICC.1:2022 clauses 8.3 and 8.5.2): the tables to the
/// connection space, or primaries and curves, and the white point.
const ESSENTIAL_TAGS: [&[u8; 4]; 12] = [
    b"A2B0", b"A2B1", b"A2B2", b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"wtpt",
    b"chad", b"cicp",
];

/// A copy of the profile with only the tags that a transform needs, each once. moxcms 0.8 reads and copies
/// every tag, however often it is listed. `None` if the tags are invalid.
pub(crate) fn essentials(profile: &[u8]) -> Option<Vec<u8>> {
    let (header, rest) = profile.split_at_checked(SMALLEST - 4)?;
    let (count, table) = rest.split_first_chunk()?;
    let count = usize::try_from(u32::from_be_bytes(*count)).ok()?;
    let entries = table.as_chunks::<12>().0.get(..count).filter(|_| count <= MAX_TAGS)?;
    let mut tags = Vec::new();
    for name in ESSENTIAL_TAGS {
        let Some([_, _, _, _, place @ ..]) = entries.iter().find(|entry| entry.starts_with(name))
        else {
            continue;
        };
        let [offset, length] = [place.first_chunk()?, place.last_chunk()?]
            .map(|bytes| u32::from_be_bytes(*bytes) as usize);
        tags.push((name, profile.get(offset..)?.get(..length)?));
    }
    let mut table = Vec::with_capacity(12 * tags.len());
    let mut end = SMALLEST + 12 * tags.len();
    for (name, data) in &tags {
        table.extend_from_slice(*name);
        table.extend((end as u32).to_be_bytes());
        table.extend((data.len() as u32).to_be_bytes());
        end += data.len().next_multiple_of(4);
    }
    let (size, count) = ((end as u32).to_be_bytes(), (tags.len() as u32).to_be_bytes());
    let mut essentials = [&size, header.get(SIZE.end..)?, &count, &table].concat();
    for (_, data) in &tags {
        essentials.extend_from_slice(data);
        essentials.resize(essentials.len().next_multiple_of(4), 0);
    }
    Some(essentials)
}

/// Inserts the profile into a JPEG, in APP2 segments after its JFIF header.
pub(crate) fn embed(jpeg: Vec<u8>, profile: &[u8]) -> Vec<u8> {
    let after_jfif = match jpeg.get(4..6) {
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
    embedded.splice(after_jfif..after_jfif, segments);
    embedded
}

/// A profile of `length` bytes: a valid start, then numbers.
#[cfg(test)]
pub(crate) fn sample(colour_space: &[u8; 4], length: usize) -> Vec<u8> {
    let mut profile: Vec<u8> = (0..length).map(|i| i as u8).collect();
    profile[SIZE].copy_from_slice(&(length as u32).to_be_bytes());
    profile[COLOUR_SPACE].copy_from_slice(colour_space);
    profile[FILE_SIGNATURE].copy_from_slice(b"acsp");
    profile
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::jpeg;
    use crate::encode;
    use crate::{CancelFlag, Picture, Pixels, Size};

    fn chunk(number: u8, count: u8, data: &[u8]) -> Vec<u8> {
        [SIGNATURE, &[number, count], data].concat()
    }

    fn profile(payloads: &[&[u8]], components: u8) -> Option<Vec<u8>> {
        Parts::of(payloads.iter().copied()).profile(components)
    }

    #[test]
    fn an_embedded_profile_is_read_back_verbatim() {
        for length in [500, MAX_PROFILE] {
            let profile = sample(b"RGB ", length);
            let black = Picture::Packed(Pixels::black(Size { width: 8, height: 8 }, 3));
            let jpeg = encode::jpeg(&black, 0.9, Some(&profile)).unwrap();
            let header = jpeg::Header::read(&jpeg, &CancelFlag::default()).unwrap();
            assert_eq!(header.profile, Some(profile));
            assert!(turbojpeg::read_header(&jpeg).is_ok());
        }
    }

    #[test]
    fn parts_in_the_wrong_order_are_one_profile() {
        let whole = sample(b"GRAY", 300);
        let (first, second) = (chunk(1, 2, &whole[..100]), chunk(2, 2, &whole[100..]));
        assert_eq!(profile(&[&second, b"other APP2", &first], 1), Some(whole));
    }

    #[test]
    fn incomplete_unsuitable_and_huge_profiles_are_dropped() {
        let whole = sample(b"RGB ", 300);
        assert_eq!(profile(&[&chunk(1, 2, &whole)], 3), None, "a part is missing");
        let twice = [&chunk(1, 2, &whole[..100])[..], &chunk(1, 2, &whole[100..])];
        assert_eq!(profile(&twice, 3), None, "two first parts");
        let gray = sample(b"GRAY", 300);
        assert_eq!(profile(&[&chunk(1, 1, &gray)], 3), None, "gray of an RGB photo");
        assert_eq!(profile(&[&chunk(1, 1, &whole)], 1), None, "RGB profile of a gray photo");
        assert_eq!(profile(&[&chunk(1, 1, &sample(b"CMYK", 300))], 3), None);
        assert!(fits(&sample(b"RGB ", MAX_PROFILE), 3));
        assert!(!fits(&sample(b"RGB ", MAX_PROFILE + 1), 3));
    }

    #[test]
    fn content_that_only_resembles_a_profile_is_dropped() {
        let whole = sample(b"RGB ", 300);
        assert!(fits(&whole, 3));
        assert!(!fits(&whole[..299], 3), "shorter than it says");
        assert!(!fits(&[&whole[..], b"<script>"].concat(), 3), "longer than it says");
        assert!(!fits(&sample(b"RGB ", SMALLEST)[..SMALLEST - 1], 3), "no room for a tag");
        assert!(fits(&sample(b"RGB ", SMALLEST), 3));
        let mut unsigned = whole.clone();
        unsigned[36] = b'A';
        assert!(!fits(&unsigned, 3), "without the signature of a profile");
        let page = format!("<html>{:10}RGB <script>alert(1)</script>{:300}", "", "");
        assert!(!fits(page.as_bytes(), 3));
    }

    #[test]
    fn parts_are_broken_if_libjpeg_turbo_would_warn_about_them() {
        let broken = |payloads: &[&[u8]]| Parts::of(payloads.iter().copied()).are_broken();
        assert!(!broken(&[]));
        assert!(!broken(&[b"other APP2"]));
        assert!(!broken(&[&chunk(1, 1, b"x")]));
        assert!(broken(&[&chunk(1, 1, b"")]), "nothing in it");
        assert!(broken(&[&chunk(2, 1, b"x")]));
        assert!(broken(&[&chunk(0, 1, b"x")]));
        assert!(broken(&[&chunk(1, 2, b"x"), &chunk(1, 2, b"y")]));
    }

    #[test]
    fn a_printers_profile_keeps_each_needed_tag_once() {
        let profile = |tags: &[(&[u8; 4], u32, u32)]| {
            let mut profile = sample(b"CMYK", SMALLEST);
            profile[SMALLEST - 4..].copy_from_slice(&(tags.len() as u32).to_be_bytes());
            for (name, offset, length) in tags {
                profile.extend([&name[..], &offset.to_be_bytes(), &length.to_be_bytes()].concat());
            }
            profile.extend(b"descriptionTABLE-1TABLE-2");
            profile
        };
        let data = SMALLEST as u32 + 5 * 12;
        let whole = [
            (b"desc", data, 11),
            (b"A2B0", data + 11, 7),
            (b"A2B0", data + 18, 7),
            (b"desc", data, 11),
            (b"wtpt", data + 18, 7),
        ];
        let kept = essentials(&profile(&whole)).unwrap();
        assert_eq!(kept.len(), SMALLEST + 2 * 12 + 2 * 8);
        assert_eq!(kept[SIZE], (kept.len() as u32).to_be_bytes());
        assert_eq!(&kept[SMALLEST + 24..], b"TABLE-1\0TABLE-2\0");
        assert_eq!(essentials(&profile(&[(b"A2B0", data, u32::MAX)])), None, "beyond the end");
        assert_eq!(essentials(&profile(&vec![(b"desc", 0, 0); MAX_TAGS + 1])), None);
        assert!(essentials(&profile(&vec![(b"desc", 0, 0); MAX_TAGS])).is_some());
        assert_eq!(essentials(&kept[..SMALLEST + 5]), None, "cut within its tags");
    }
}
