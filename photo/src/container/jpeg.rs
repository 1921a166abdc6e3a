//! The segments of a JPEG file (T.81 annex B).

use std::iter;
use std::mem;
use std::ops::Range;

use crate::{CancelFlag, PhotoError};

/// Marker codes (T.81 table B.1), without the 0xFF before them.
pub(crate) mod marker {
    pub const TEM: u8 = 0x01;
    pub const DHT: u8 = 0xC4;
    pub const JPG: u8 = 0xC8;
    pub const DAC: u8 = 0xCC;
    pub const RST0: u8 = 0xD0;
    pub const RST7: u8 = 0xD7;
    pub const SOI: u8 = 0xD8;
    pub const EOI: u8 = 0xD9;
    pub const SOS: u8 = 0xDA;
    pub const DQT: u8 = 0xDB;
    pub const DNL: u8 = 0xDC;
    pub const DRI: u8 = 0xDD;
    pub const APP0: u8 = 0xE0;
    pub const APP1: u8 = 0xE1;
    pub const APP2: u8 = 0xE2;
    pub const APP13: u8 = 0xED;
    pub const APP14: u8 = 0xEE;
    pub const APP15: u8 = 0xEF;
    pub const COM: u8 = 0xFE;

    /// The first code that T.81 uses; those below it are reserved, except TEM.
    pub const SOF0: u8 = 0xC0;
}

/// A marker with its payload.
pub(crate) struct Segment<'a> {
    pub marker: u8,
    /// The segment's content, without the two bytes of its length.
    pub payload: &'a [u8],
    /// The bytes from the marker to the end of the payload. A scan's entropy-coded data comes after them.
    pub position: Range<usize>,
    /// Whether another byte stands in the place of the marker's 0xFF.
    pub is_disguised: bool,
}

/// What is missing in a file that ends before its image does.
pub(crate) const NO_END: &str = "its end-of-image marker is missing";

/// Most markers outside the image data. 100 MB of metadata in segments of 64 KB has 1,600 of them, and 500
/// scans with all their tables have some thousands.
const MAX_MARKERS: usize = 8192;

/// What ends the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ImageEnd {
    /// EOI alone: a part of the image is still to come.
    #[default]
    Marker,
    /// EOI, the end of the file, or the beginning of another image.
    File,
    /// The end of the entropy-coded data, whatever comes after it except another scan.
    Data,
}

/// Iterates over a JPEG's segments up to EOI, and skips entropy-coded data.
pub(crate) struct Segments<'a> {
    jpeg: &'a [u8],
    cancel: CancelFlag,
    position: usize,
    /// What ends the image. Where that is not EOI, a segment of no bytes stands for it.
    pub image_end: ImageEnd,
    /// Whether the scan has restart markers. A decoder that looks for one passes over reserved codes
    /// (libjpeg-turbo, jdmarker.c, jpeg_resync_to_restart).
    pub has_restarts: bool,
    /// Whether the last segment began a scan, so that entropy-coded data comes next.
    is_in_scan: bool,
    /// Markers seen so far outside entropy-coded data.
    markers: usize,
    ended: bool,
}

impl<'a> Segments<'a> {
    pub fn new(jpeg: &'a [u8], cancel: &CancelFlag) -> Self {
        let has_start = jpeg.starts_with(&[0xFF, marker::SOI]);
        Segments {
            jpeg,
            cancel: cancel.clone(),
            position: if has_start { 2 } else { 0 },
            image_end: ImageEnd::Marker,
            has_restarts: false,
            is_in_scan: false,
            markers: has_start.into(),
            ended: false,
        }
    }

    /// The offset behind the last marker or segment.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Goes on at this offset, which lies in the entropy-coded data of the last segment.
    pub fn skip_to(&mut self, position: usize) {
        self.position = position;
    }

    /// Moves past the next marker that begins a segment and returns its code. Bytes that belong to no
    /// segment, such as entropy-coded data, are skipped: 0xFF 0x00 is a stuffed data byte (T.81 B.1.1.5),
    /// and RSTn and TEM stand alone.
    fn next_marker(&mut self) -> Result<u8, PhotoError> {
        loop {
            self.cancel.check()?;
            let code = next_code(self.jpeg, &mut self.position).ok_or_else(|| self.truncated())?;
            let begins_none =
                matches!(code, 0x00 | marker::TEM | marker::RST0..=marker::RST7 | marker::SOI);
            if self.ends_image(code) {
                return Ok(code);
            }
            let is_passed_over = self.has_restarts && code < marker::SOF0;
            if self.is_in_scan && (begins_none || is_passed_over) {
                continue;
            }
            self.markers += 1;
            if self.markers > MAX_MARKERS {
                let what = format!("it has more than {MAX_MARKERS} markers outside its image data");
                return Err(PhotoError::Corrupt(what));
            }
            if !begins_none {
                return Ok(code);
            }
        }
    }

    /// Whether the image ends before this marker, although it is not EOI.
    fn ends_image(&self, code: u8) -> bool {
        let is_data = match code {
            0x00 | marker::RST0..=marker::RST7 | marker::EOI => true,
            marker::SOS => self.is_at_scan_header(),
            _ => self.has_restarts && code < marker::SOF0,
        };
        match self.image_end {
            ImageEnd::Marker => false,
            ImageEnd::File => self.is_in_scan && code == marker::SOI,
            ImageEnd::Data => self.is_in_scan && !is_data,
        }
    }

    /// Whether the length and the number of components of a scan header come next (T.81 B.2.3).
    fn is_at_scan_header(&self) -> bool {
        let next = self.jpeg.get(self.position..).and_then(<[u8]>::first_chunk);
        matches!(next, Some([0, length, count @ 1..=4]) if *length == 6 + 2 * count)
    }

    fn payload(&mut self) -> Option<&'a [u8]> {
        let rest = self.jpeg.get(self.position..)?;
        let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
        // libjpeg-turbo takes a length that does not count itself as no payload (jdmarker.c, skip_variable).
        let length = length.max(2);
        let payload = rest.get(2..length)?;
        self.position += length;
        Some(payload)
    }

    /// The segment after the last one, if another byte stands in the place of its marker's 0xFF. Only
    /// metadata is recognised like that: decoders do not read a disguised segment, and find all that they
    /// need behind it.
    fn disguised(&mut self) -> Option<Segment<'a>> {
        let start = self.position;
        let [not_a_marker, marker] = *self.jpeg.get(start..)?.first_chunk()?;
        if self.is_in_scan || not_a_marker == 0xFF || !is_metadata(marker) {
            return None;
        }
        self.position += 2;
        let payload = self.payload();
        let next = self.jpeg.get(self.position..).and_then(<[u8]>::first_chunk);
        match (payload, next) {
            (Some(payload), Some([0xFF, 1..=0xFF])) => {
                self.markers += 1;
                Some(Segment {
                    marker,
                    payload,
                    position: start..self.position,
                    is_disguised: true,
                })
            }
            _ => {
                self.position = start;
                None
            }
        }
    }

    fn next_segment(&mut self) -> Result<Segment<'a>, PhotoError> {
        if let Some(disguised) = self.disguised() {
            return Ok(disguised);
        }
        let marker = match self.next_marker() {
            Err(PhotoError::Truncated { .. }) if self.image_end != ImageEnd::Marker => {
                return Ok(end_of_image(self.jpeg.len()));
            }
            other => other?,
        };
        let start = self.position - 2;
        if self.ends_image(marker) {
            return Ok(end_of_image(start));
        }
        let payload = match marker {
            marker::EOI => &[],
            _ => self.payload().ok_or_else(|| self.truncated())?,
        };
        self.is_in_scan = marker == marker::SOS;
        let position = start..self.position;
        Ok(Segment { marker, payload, position, is_disguised: false })
    }

    fn truncated(&self) -> PhotoError {
        PhotoError::Truncated { bytes: self.jpeg.len(), what: NO_END.into() }
    }
}

/// Moves behind the next marker or stuffed byte, and returns its code: the byte after 0xFF, which may be
/// repeated (T.81 B.1.1.2).
pub(crate) fn next_code(data: &[u8], position: &mut usize) -> Option<u8> {
    let rest = data.get(*position..)?;
    let fill = memchr::memchr(0xFF, rest)?;
    let (at, code) = rest.iter().enumerate().skip(fill).find(|(_, byte)| **byte != 0xFF)?;
    *position += at + 1;
    Some(*code)
}

impl<'a> Iterator for Segments<'a> {
    type Item = Result<Segment<'a>, PhotoError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let segment = self.next_segment();
        self.ended = !matches!(&segment, Ok(segment) if segment.marker != marker::EOI);
        Some(segment)
    }
}

/// An end of the image that has no marker.
fn end_of_image(position: usize) -> Segment<'static> {
    let position = position..position;
    Segment { marker: marker::EOI, payload: &[], position, is_disguised: false }
}

/// Whether the picture stays the same without segments of this marker.
fn is_metadata(marker: u8) -> bool {
    matches!(marker, marker::APP1..=marker::APP13 | marker::APP15 | marker::COM)
}

impl Segment<'_> {
    /// Whether the picture stays the same without it.
    pub fn is_metadata(&self) -> bool {
        is_metadata(self.marker)
    }
}

/// A Huffman table (T.81 B.2.4.2).
pub(crate) struct HuffmanTable<'a> {
    /// 0 for DC, 1 for AC.
    pub class: u8,
    /// Its number among those of its class, up to 3.
    pub destination: u8,
    /// The number of codes of each length, from 1 to 16 bits.
    pub counts: &'a [u8; 16],
    /// The values of the codes, at most 256.
    pub values: &'a [u8],
}

/// The tables of a DHT segment's payload. The last one is `None` if it is invalid or breaks off.
pub(crate) fn huffman_tables(mut payload: &[u8]) -> impl Iterator<Item = Option<HuffmanTable<'_>>> {
    iter::from_fn(move || {
        let rest = mem::take(&mut payload);
        if rest.is_empty() {
            return None;
        }
        let split = split_huffman_table(rest);
        Some(split.map(|(table, behind)| {
            payload = behind;
            table
        }))
    })
}

fn split_huffman_table(payload: &[u8]) -> Option<(HuffmanTable<'_>, &[u8])> {
    let (selector, rest) = payload.split_first()?;
    let (class, destination) = (selector >> 4, selector & 15);
    let (counts, rest) = rest.split_first_chunk()?;
    let length = counts.iter().copied().map(usize::from).sum();
    let (values, behind) = rest.split_at_checked(length)?;
    let is_valid = class <= 1 && destination <= 3 && length <= 256;
    is_valid.then_some((HuffmanTable { class, destination, counts, values }, behind))
}

/// Bytes in which a JPEG's first segment is looked for: more than one segment and the stray bytes before it.
const BEGINNING: usize = 1 << 17;

/// Whether a file that begins with SOI is a JPEG, although the next marker is not right behind it: two whole
/// segments follow, of kinds that can be the first ones of a file, with or without stray bytes between them.
pub(crate) fn begins(file: &[u8]) -> bool {
    let beginning = file.get(..BEGINNING).unwrap_or(file);
    let is_possible = |segment: &Segment| {
        let kinds = marker::SOF0..=marker::SOF0 + 2;
        let others = [marker::APP0, marker::APP14, marker::DQT, marker::DHT, marker::DRI];
        segment.is_metadata() || kinds.contains(&segment.marker) || others.contains(&segment.marker)
    };
    let mut segments = Segments::new(beginning, &CancelFlag::default());
    (0..2).all(|_| matches!(segments.next(), Some(Ok(segment)) if is_possible(&segment)))
}

/// The markers and payloads of the segments before the first scan, among which are those of metadata: EXIF and
/// XMP in APP1, image resources in APP13.
pub(crate) fn app_segments<'a>(
    jpeg: &'a [u8],
    cancel: &CancelFlag,
) -> impl Iterator<Item = (u8, &'a [u8])> + use<'a> {
    Segments::new(jpeg, cancel)
        .map_while(Result::ok)
        .take_while(|segment| segment.marker != marker::SOS)
        .map(|segment| (segment.marker, segment.payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restart_markers_and_stuffed_and_fill_bytes_are_image_data() {
        let data = b"\x11\xFF\x00\x22\xFF\xD0\x33\xFF\xD7\xFF\x01\xFF\xFF\xFF";
        let jpeg = [b"\xFF\xD8\xFF\xDA\0\x03\x44", &data[..], b"\xD9"].concat();
        let segments: Vec<(u8, Vec<u8>)> = Segments::new(&jpeg, &CancelFlag::default())
            .map(|segment| segment.unwrap())
            .map(|segment| (segment.marker, segment.payload.to_vec()))
            .collect();
        assert_eq!(segments, [(marker::SOS, vec![0x44]), (marker::EOI, vec![])]);
    }

    fn count_markers(jpeg: &[u8]) -> Result<usize, PhotoError> {
        Segments::new(jpeg, &CancelFlag::default())
            .try_fold(0, |count, segment| segment.map(|_| count + 1))
    }

    #[test]
    fn markers_are_limited_outside_image_data_only() {
        let end = [0xFF, marker::EOI];
        for many in [&b"\xFF\xFE\0\x02"[..], b"\xFF\xD0", b"\xFF\x01", b"\xFF\0", b"\xFF\xD8"] {
            let flood = |count| [&b"\xFF\xD8"[..], &many.repeat(count), &end].concat();
            assert!(count_markers(&flood(MAX_MARKERS - 2)).is_ok(), "{many:?}");
            assert!(
                matches!(count_markers(&flood(MAX_MARKERS - 1)), Err(PhotoError::Corrupt(_))),
                "{many:?}"
            );
        }
        let data = b"\xFF\xD0\xFF\0\xFF\x01".repeat(MAX_MARKERS);
        let scan = [&b"\xFF\xD8\xFF\xDA\0\x02"[..], &data, &end].concat();
        assert_eq!(count_markers(&scan), Ok(2));
    }

    #[test]
    fn a_raised_flag_stops_the_walk() {
        let cancel = CancelFlag::default();
        let mut segments = Segments::new(b"\xFF\xD8\xFF\xFE\0\x02\xFF\xFE\0\x02", &cancel);
        assert!(matches!(segments.next(), Some(Ok(_))));
        cancel.raise();
        assert!(matches!(segments.next(), Some(Err(PhotoError::Cancelled))));
    }
}
