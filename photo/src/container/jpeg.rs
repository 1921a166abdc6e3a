//! The segments of a JPEG file (T.81 annex B).

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
    pub const APP0: u8 = 0xE0;
    pub const APP1: u8 = 0xE1;
    pub const APP2: u8 = 0xE2;
    pub const APP13: u8 = 0xED;
    pub const APP14: u8 = 0xEE;
    pub const APP15: u8 = 0xEF;
    pub const COM: u8 = 0xFE;
}

/// A marker with its payload.
pub(crate) struct Segment<'a> {
    pub marker: u8,
    /// The segment's content, without the two bytes of its length.
    pub payload: &'a [u8],
    /// The bytes from the marker to the end of the payload. A scan's entropy-coded data comes after them.
    pub position: Range<usize>,
}

/// Most markers outside the image data. 100 MB of metadata in segments of 64 KB has 1,600 of them, and 500
/// scans with all their tables have some thousands.
const MAX_MARKERS: usize = 8192;

/// Iterates over a JPEG's segments up to EOI, and skips entropy-coded data.
pub(crate) struct Segments<'a> {
    jpeg: &'a [u8],
    cancel: CancelFlag,
    position: usize,
    /// Whether the last segment began a scan, so that entropy-coded data comes next.
    is_in_scan: bool,
    /// Markers seen so far outside entropy-coded data.
    markers: usize,
    ended: bool,
}

impl<'a> Segments<'a> {
    pub fn new(jpeg: &'a [u8], cancel: &CancelFlag) -> Self {
        let cancel = cancel.clone();
        Segments { jpeg, cancel, position: 0, is_in_scan: false, markers: 0, ended: false }
    }

    /// Moves past the next marker that begins a segment and returns its code. Bytes that belong to no
    /// segment, such as entropy-coded data, are skipped: 0xFF 0x00 is a stuffed data byte (T.81 B.1.1.5),
    /// and RSTn and TEM stand alone.
    fn next_marker(&mut self) -> Result<u8, PhotoError> {
        loop {
            self.cancel.check()?;
            let code = self.next_code().ok_or_else(|| self.truncated())?;
            let begins_none =
                matches!(code, 0x00 | marker::TEM | marker::RST0..=marker::RST7 | marker::SOI);
            if begins_none && self.is_in_scan {
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

    /// The byte after the next 0xFF, which may be repeated (T.81 B.1.1.2).
    fn next_code(&mut self) -> Option<u8> {
        let rest = self.jpeg.get(self.position..)?;
        let fill = memchr::memchr(0xFF, rest)?;
        let (at, code) = rest.iter().enumerate().skip(fill).find(|(_, byte)| **byte != 0xFF)?;
        self.position += at + 1;
        Some(*code)
    }

    fn payload(&mut self) -> Option<&'a [u8]> {
        let rest = self.jpeg.get(self.position..)?;
        let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
        let payload = rest.get(2..length)?;
        self.position += length;
        Some(payload)
    }

    fn next_segment(&mut self) -> Result<Segment<'a>, PhotoError> {
        let marker = self.next_marker()?;
        let start = self.position - 2;
        let payload = match marker {
            marker::EOI => &[],
            _ => self.payload().ok_or_else(|| self.truncated())?,
        };
        self.is_in_scan = marker == marker::SOS;
        let position = start..self.position;
        Ok(Segment { marker, payload, position })
    }

    fn truncated(&self) -> PhotoError {
        let what = "its end-of-image marker is missing".into();
        PhotoError::Truncated { bytes: self.jpeg.len(), what }
    }
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

impl Segment<'_> {
    /// Whether libjpeg-turbo would warn about it: only versions 1.x of JFIF and Adobe's transforms 0 to 2
    /// are defined.
    pub fn is_odd(&self) -> bool {
        matches!(
            (self.marker, self.payload),
            (marker::APP0, [b'J', b'F', b'I', b'F', 0, 0 | 2..=255, ..])
                | (marker::APP14, [b'A', b'd', b'o', b'b', b'e', _, _, _, _, _, _, 3..=255, ..])
        )
    }

    /// Whether the picture stays the same without it.
    fn is_metadata(&self) -> bool {
        matches!(self.marker, marker::APP1..=marker::APP13 | marker::APP15 | marker::COM)
    }
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

/// A copy of the photo without metadata and without bytes that belong to no segment. JFIF's APP0 and
/// Adobe's APP14 stay, because they define the components' colours, unless libjpeg-turbo would warn about
/// them.
pub(crate) fn essentials(jpeg: &[u8], cancel: &CancelFlag) -> Vec<u8> {
    let segments: Vec<Segment> = Segments::new(jpeg, cancel).map_while(Result::ok).collect();
    let mut essentials = Vec::with_capacity(jpeg.len());
    essentials.extend([0xFF, marker::SOI]);
    for (segment, next) in segments.iter().zip(segments.iter().skip(1)) {
        if segment.is_metadata() || segment.is_odd() {
            continue;
        }
        let Range { start, end } = segment.position;
        let end = if segment.marker == marker::SOS { next.position.start } else { end };
        essentials.extend_from_slice(jpeg.get(start..end).unwrap_or_default());
    }
    essentials.extend([0xFF, marker::EOI]);
    essentials
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
