//! The segments of a JPEG file, one after the other (T.81 annex B).

use std::ops::Range;

use super::super::PhotoError;

/// Marker codes (T.81 table B.1), without the 0xFF before them.
pub(super) mod marker {
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

/// A marker and what belongs to it.
pub(super) struct Segment<'a> {
    pub marker: u8,
    /// Without the two bytes of its length.
    pub payload: &'a [u8],
    /// From the marker to the end of the payload; entropy-coded data follows a scan's.
    pub position: Range<usize>,
}

/// The segments of a JPEG in order, ending with EOI; entropy-coded data is passed over.
pub(super) struct Segments<'a> {
    jpeg: &'a [u8],
    position: usize,
    ended: bool,
}

impl<'a> Segments<'a> {
    pub fn new(jpeg: &'a [u8]) -> Self {
        Segments { jpeg, position: 0, ended: false }
    }

    /// Moves behind the next marker and returns its code. Bytes that belong to no segment, such as
    /// entropy-coded data, are skipped: 0xFF 0x00 is a stuffed data byte (T.81 B.1.1.5), repeated
    /// 0xFF fill (B.1.1.2), and RSTn and TEM stand alone.
    fn next_marker(&mut self) -> Option<u8> {
        loop {
            let rest = self.jpeg.get(self.position..)?;
            self.position += memchr::memchr(0xFF, rest)? + 1;
            match *self.jpeg.get(self.position)? {
                0xFF => {}
                0x00 | marker::TEM | marker::RST0..=marker::RST7 | marker::SOI => {
                    self.position += 1
                }
                code => {
                    self.position += 1;
                    return Some(code);
                }
            }
        }
    }

    fn payload(&mut self) -> Option<&'a [u8]> {
        let length = self.jpeg.get(self.position..self.position + 2)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let payload = self.jpeg.get(self.position + 2..self.position + length)?;
        self.position += length;
        Some(payload)
    }

    fn next_segment(&mut self) -> Option<Segment<'a>> {
        let marker = self.next_marker()?;
        let start = self.position - 2;
        let payload = if marker == marker::EOI { &[] } else { self.payload()? };
        let position = start..self.position;
        Some(Segment { marker, payload, position })
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Result<Segment<'a>, PhotoError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let segment = self.next_segment().ok_or_else(|| PhotoError::Truncated {
            bytes: self.jpeg.len(),
            what: "its end-of-image marker is missing".into(),
        });
        self.ended = !matches!(&segment, Ok(segment) if segment.marker != marker::EOI);
        Some(segment)
    }
}

/// What the APP1 segments before the first scan hold: EXIF, XMP.
pub fn app1(jpeg: &[u8]) -> impl Iterator<Item = &[u8]> {
    Segments::new(jpeg)
        .map_while(Result::ok)
        .take_while(|segment| segment.marker != marker::SOS)
        .filter(|segment| segment.marker == marker::APP1)
        .map(|segment| segment.payload)
}

/// The photo without metadata and without bytes that belong to no segment. JFIF's APP0 and Adobe's
/// APP14 stay, for they say what the components' colours are; but for what they cannot say.
pub(super) fn essentials(jpeg: &[u8]) -> Vec<u8> {
    let segments: Vec<Segment> = Segments::new(jpeg).map_while(Result::ok).collect();
    let mut essentials = vec![0xFF, marker::SOI];
    for (segment, next) in segments.iter().zip(segments.iter().skip(1)) {
        let Range { start, end } = segment.position;
        match (segment.marker, segment.payload) {
            (marker::APP1..=marker::APP13 | marker::APP15 | marker::COM, _) => {}
            // Only versions 1.x of JFIF and transforms 0 to 2 of Adobe are defined.
            (marker::APP0, [b'J', b'F', b'I', b'F', 0, 0 | 2..=255, ..]) => {}
            (marker::APP14, [b'A', b'd', b'o', b'b', b'e', _, _, _, _, _, _, 3..=255, ..]) => {}
            (marker::SOS, _) => essentials.extend_from_slice(&jpeg[start..next.position.start]),
            _ => essentials.extend_from_slice(&jpeg[start..end]),
        }
    }
    essentials.extend([0xFF, marker::EOI]);
    essentials
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restart_markers_stuffed_and_fill_bytes_are_image_data() {
        let data = b"\x11\xFF\x00\x22\xFF\xD0\x33\xFF\xD7\xFF\x01\xFF\xFF\xFF";
        let jpeg = [b"\xFF\xD8\xFF\xDA\0\x03\x44", &data[..], b"\xD9"].concat();
        let segments: Vec<(u8, Vec<u8>)> = Segments::new(&jpeg)
            .map(|segment| segment.unwrap())
            .map(|segment| (segment.marker, segment.payload.to_vec()))
            .collect();
        assert_eq!(segments, [(marker::SOS, vec![0x44]), (marker::EOI, vec![])]);
    }
}
