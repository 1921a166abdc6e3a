//! What a JPEG is and what it will cost, told by its segments alone.

use super::super::{PhotoError, Size, icc};
use super::segments::{Segments, marker};

/// The longest side that libjpeg-turbo decodes, in pixels (jmorecfg.h, JPEG_MAX_DIMENSION).
const MAX_SIDE: u32 = 65_500;

/// How often a block may be visited, all blocks and scans together. A scan can be coded in a few
/// bytes and still costs a pass over the whole picture; encoders write about ten, which a photo of
/// 500 megapixels may have.
const MAX_BLOCK_VISITS: u64 = 250_000_000;

/// What the segments of a JPEG say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// As stored, before orientation.
    pub size: Size,
    /// Components: 1 gray, 3 colour, 4 CMYK or YCCK.
    pub components: u8,
    /// Whether Adobe's segment says how the components are to be understood; with it, CMYK is
    /// stored inverted (Adobe Technical Note 5116, page 23).
    pub is_adobe: bool,
    /// The embedded colour profile, if it is whole and for as many components.
    pub profile: Option<Vec<u8>>,
    /// Whether chroma has less resolution than luma, as in nearly every photo, and both can be had
    /// as planes of their own.
    pub is_subsampled: bool,
    /// Blocks of 8x8 samples of all components, in whole units of their interleaving (T.81 A.2).
    blocks: u64,
    /// Whether the decoder must hold all coefficients: no scan alone gives the picture.
    is_held: bool,
}

/// A frame header (T.81 B.2.2).
struct Frame {
    size: Size,
    is_progressive: bool,
    is_arithmetic: bool,
    /// Horizontal and vertical sampling factors, at least of one component.
    components: Vec<(u32, u32)>,
}

impl Header {
    /// Reads a JPEG's segments up to its end-of-image marker; what follows that is not looked at.
    ///
    /// # Errors
    /// [`PhotoError::Truncated`] where the file ends before its image does, [`PhotoError::Corrupt`]
    /// where its segments make no sense, [`PhotoError::UnsupportedFormat`] for lossless,
    /// hierarchical and 12-bit files.
    pub fn read(jpeg: &[u8]) -> Result<Header, PhotoError> {
        let mut frame = None;
        let mut icc_chunks = Vec::new();
        let mut is_adobe = false;
        let (mut scans, mut image_bytes, mut end_of_last) = (0u64, 0, 0);
        for segment in Segments::new(jpeg) {
            let segment = segment?;
            if scans > 0 {
                image_bytes += segment.position.start - end_of_last;
            }
            end_of_last = segment.position.end;
            match segment.marker {
                marker::APP2 => icc_chunks.push(segment.payload),
                marker::APP14 => is_adobe |= segment.payload.starts_with(b"Adobe"),
                marker::SOS => scans += 1,
                code if is_frame(code) && frame.is_some() => {
                    return Err(PhotoError::Corrupt("it has two frame headers".into()));
                }
                code if is_frame(code) => frame = Some(Frame::read(code, segment.payload)?),
                _ => {}
            }
        }
        let frame =
            frame.ok_or_else(|| PhotoError::Corrupt("no size is given before its end".into()))?;
        if scans == 0 {
            return Err(PhotoError::Corrupt("it holds a size but no image".into()));
        }
        if scans * frame.blocks() > MAX_BLOCK_VISITS {
            return Err(PhotoError::Corrupt(format!(
                "it has {scans} scans, too many for its size"
            )));
        }
        if image_bytes < frame.least_image_bytes() {
            let what = format!("{image_bytes} bytes of image data cannot fill its size");
            return Err(PhotoError::Truncated { bytes: jpeg.len(), what });
        }
        let components = frame.components.len() as u8;
        Ok(Header {
            size: frame.size,
            components,
            is_adobe,
            profile: icc::profile(&icc_chunks, components),
            is_subsampled: frame.is_subsampled(),
            blocks: frame.blocks(),
            is_held: frame.is_progressive || scans > 1,
        })
    }

    /// Bytes of memory that decoding at `eighths` of the size takes.
    pub fn decoding_memory(&self, eighths: u32) -> u64 {
        let samples = match (self.components, self.is_subsampled) {
            (1, _) | (_, true) => self.blocks * 64,
            (components, false) => self.size.pixels() * u64::from(components),
        };
        let coefficients = if self.is_held { self.blocks * BYTES_OF_COEFFICIENTS } else { 0 };
        coefficients + samples * u64::from(eighths * eighths) / 64
    }
}

/// Bytes of a block's coefficients: 64 of 16 bits.
const BYTES_OF_COEFFICIENTS: u64 = 128;

impl Frame {
    fn read(code: u8, payload: &[u8]) -> Result<Frame, PhotoError> {
        let &[precision, h1, h0, w1, w0, count, ref components @ ..] = payload else {
            return Err(PhotoError::Corrupt("its frame header is too short".into()));
        };
        let kind = match code {
            0xC0..=0xC2 | 0xC9 | 0xCA if precision == 8 => None,
            0xC3 | 0xCB => Some("a lossless JPEG".to_owned()),
            0xC0..=0xC2 | 0xC9 | 0xCA => Some(format!("a JPEG of {precision} bits a sample")),
            _ => Some("a hierarchical JPEG".to_owned()),
        };
        if let Some(kind) = kind {
            return Err(PhotoError::UnsupportedFormat(kind));
        }
        let width = u32::from(u16::from_be_bytes([w1, w0]));
        let height = u32::from(u16::from_be_bytes([h1, h0]));
        match (width, height, count) {
            (0, ..) | (.., 0) => {
                return Err(PhotoError::Corrupt("it has no columns or no components".into()));
            }
            // Its height would follow its image, in a DNL segment (T.81 B.2.5).
            (_, 0, _) => {
                let kind = "a JPEG that does not tell its height";
                return Err(PhotoError::UnsupportedFormat(kind.into()));
            }
            (w, h, _) if w.max(h) > MAX_SIDE => {
                let kind = format!("a JPEG of {w}x{h} pixels, with a side of more than {MAX_SIDE}");
                return Err(PhotoError::UnsupportedFormat(kind));
            }
            _ => {}
        }
        let components: Vec<(u32, u32)> = components
            .chunks_exact(3)
            .take(usize::from(count))
            .map(|component| (u32::from(component[1] >> 4), u32::from(component[1] & 15)))
            .collect();
        let is_legal = |(h, v): &(u32, u32)| (1..=4).contains(h) && (1..=4).contains(v);
        if components.len() != usize::from(count) || !components.iter().all(is_legal) {
            return Err(PhotoError::Corrupt("its frame header makes no sense".into()));
        }
        let size = Size { width, height };
        let (is_progressive, is_arithmetic) = (matches!(code, 0xC2 | 0xCA), code >= 0xC9);
        Ok(Frame { size, is_progressive, is_arithmetic, components })
    }

    /// Whether TurboJPEG knows the sampling by name: 4:2:2, 4:2:0, 4:4:0, 4:1:1 or 4:4:1.
    fn is_subsampled(&self) -> bool {
        let known = [(2, 1), (2, 2), (1, 2), (4, 1), (1, 4)];
        matches!(&self.components[..], [luma, (1, 1), (1, 1)] if known.contains(luma))
    }

    fn largest_factors(&self) -> (u32, u32) {
        let (h, v): (Vec<u32>, Vec<u32>) = self.components.iter().copied().unzip();
        (h.into_iter().max().unwrap_or(1), v.into_iter().max().unwrap_or(1))
    }

    /// Blocks of 8x8 samples of all components, in whole units of their interleaving (T.81 A.2).
    fn blocks(&self) -> u64 {
        let Size { width, height } = self.size;
        let (h, v) = self.largest_factors();
        let units = u64::from(width.div_ceil(8 * h)) * u64::from(height.div_ceil(8 * v));
        let of_a_unit: u64 = self.components.iter().map(|(h, v)| u64::from(h * v)).sum();
        units * of_a_unit
    }

    /// Bytes without which not even a picture of one colour can be coded: Huffman codes spend a bit
    /// on each block's first coefficient (T.81 F.1.2.1) and, but in a progressive scan, one on its
    /// end. Arithmetic coding may spend less than a bit.
    fn least_image_bytes(&self) -> usize {
        let Size { width, height } = self.size;
        let ((h, v), (most_h, most_v)) = (self.components[0], self.largest_factors());
        let across = u64::from((width * h).div_ceil(8 * most_h));
        let down = u64::from((height * v).div_ceil(8 * most_v));
        let bits = match (self.is_arithmetic, self.is_progressive) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        };
        (across * down * bits / 8) as usize
    }
}

/// Whether a marker begins a frame: SOF0 to SOF15, three of whose codes mean something else.
fn is_frame(code: u8) -> bool {
    (0xC0..=0xCF).contains(&code) && ![marker::DHT, marker::JPG, marker::DAC].contains(&code)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{coded, gradient, gradient_jpeg};
    use super::*;

    #[test]
    fn the_header_tells_size_and_components() {
        for channels in [1, 3] {
            let header = Header::read(&gradient_jpeg(37, 21, channels)).unwrap();
            assert_eq!(header.size, Size { width: 37, height: 21 });
            assert_eq!(usize::from(header.components), channels);
        }
    }

    #[test]
    fn every_prefix_of_a_photo_is_refused() {
        let jpeg = gradient_jpeg(64, 48, 3);
        for length in 0..jpeg.len() {
            assert!(
                matches!(Header::read(&jpeg[..length]), Err(PhotoError::Truncated { .. })),
                "{length} of {} bytes",
                jpeg.len()
            );
        }
    }

    #[test]
    fn a_photo_of_no_scan_or_two_frames_is_refused() {
        let jpeg = gradient_jpeg(8, 8, 1);
        let find = |code| memchr::memmem::find(&jpeg, &[0xFF, code]).unwrap();
        let (frame, tables) = (find(0xC0), find(marker::DHT));
        let no_scan = [&jpeg[..tables], &[0xFF, marker::EOI]].concat();
        let two_frames = [&jpeg[..tables], &jpeg[frame..]].concat();
        for bad in [no_scan, two_frames] {
            assert!(matches!(Header::read(&bad), Err(PhotoError::Corrupt(_))));
        }
    }

    #[test]
    fn more_scans_than_a_photo_of_its_size_can_need_are_refused() {
        // 7000x7000 gray pixels are 875x875 blocks, which 326 scans visit 249.6 million times.
        let mut jpeg = gradient_jpeg(7000, 7000, 1);
        jpeg.truncate(jpeg.len() - 2);
        let with_scans = |count: usize| {
            let more = [0xFF, marker::SOS, 0, 2].repeat(count - 1);
            Header::read(&[&jpeg[..], &more, &[0xFF, marker::EOI]].concat())
        };
        assert!(with_scans(326).is_ok());
        let refusal = with_scans(327).unwrap_err();
        assert!(refusal.to_string().contains("327 scans"), "{refusal}");
    }

    #[test]
    fn a_size_that_the_image_data_cannot_fill_is_refused() {
        let mut jpeg = gradient_jpeg(640, 480, 3);
        let frame = memchr::memmem::find(&jpeg, &[0xFF, 0xC0]).unwrap();
        jpeg[frame + 5..frame + 9].copy_from_slice(&[0xF0, 0, 0xF0, 0]);
        assert!(matches!(Header::read(&jpeg), Err(PhotoError::Truncated { .. })));
    }

    #[test]
    fn memory_is_told_by_the_blocks_and_the_way_of_coding() {
        let memory = |jpeg: &[u8], eighths| Header::read(jpeg).unwrap().decoding_memory(eighths);
        let picture = gradient(100, 60, 3);
        // 4:2:0 in units of 16x16: 7 by 4 of them, each of six blocks of 64 samples.
        let samples = 7 * 4 * 6 * 64;
        assert_eq!(memory(&coded(&picture, false, false), 8), samples);
        assert_eq!(memory(&coded(&picture, false, false), 4), samples / 4);
        assert_eq!(memory(&coded(&picture, true, false), 8), samples + 2 * samples);
    }

    #[test]
    fn lossless_hierarchical_and_twelve_bit_files_are_named() {
        let frame = |code| Frame::read(code, &[12, 0, 8, 0, 8, 1]).err().unwrap().to_string();
        assert!(frame(0xC1).contains("12 bits"));
        assert!(frame(0xC3).contains("lossless"));
        assert!(frame(0xC5).contains("hierarchical"));
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        let frame = |size: [u8; 4], components| {
            let components =
                [&[components], &[1, 0x11, 0].repeat(usize::from(components))[..]].concat();
            Frame::read(0xC0, &[&[8], &size[..], &components].concat()).err().unwrap().name()
        };
        assert_eq!(frame([0, 8, 0, 0], 3), "CorruptPhoto", "no width");
        assert_eq!(frame([0, 8, 0, 8], 0), "CorruptPhoto", "no components");
        assert_eq!(frame([0, 0, 0, 8], 3), "UnsupportedFormat", "a height given later");
        assert_eq!(frame([0xFF, 0xDD, 0, 8], 3), "UnsupportedFormat", "65501 rows");
        assert!(
            Frame::read(0xC0, &[8, 0xFF, 0xDC, 0xFF, 0xDC, 1, 1, 0x11, 0]).is_ok(),
            "65500 rows"
        );
    }
}
