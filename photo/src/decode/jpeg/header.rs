//! Reads a JPEG's properties and the cost of decoding it from its segments alone.

use super::mend;
use crate::container::jpeg::{ImageEnd, NO_END, Segment, Segments, huffman_tables, marker};
use crate::metadata::icc;
use crate::{CancelFlag, DctScale, PhotoError, Size};

/// The longest side that libjpeg-turbo decodes, in pixels (jmorecfg.h, JPEG_MAX_DIMENSION).
const MAX_SIDE: u32 = 65_500;

/// Most scans of a photo. Encoders write some ten; libjpeg-turbo's own fuzzers stop at this number too.
const MAX_SCANS: u64 = 500;

/// Most nanoseconds of CPU time for all scans, besides one pass over the picture. A scan of a few bytes
/// still costs a pass over all blocks. This is enough for the ten scans that encoders write for 200
/// megapixels.
const MAX_COST: u64 = 600_000_000;
/// Nanoseconds that each byte of image data adds to [`MAX_COST`], because larger photos have more bytes.
const COST_OF_A_BYTE: u64 = 16;
/// Most nanoseconds that bytes add: those of 37 MB. Bytes between scans need not belong to the image.
const MAX_COST_OF_BYTES: u64 = 600_000_000;

/// Most nanoseconds that decoding an arithmetic-coded picture may take.
const MAX_ARITHMETIC_COST: u64 = 1_500_000_000;
/// Nanoseconds for each of its blocks and bytes.
const ARITHMETIC_COST_OF_A_BLOCK: u64 = 80;
const ARITHMETIC_COST_OF_A_BYTE: u64 = 15;
/// How many times as much as in Huffman coding an almost empty scan costs in arithmetic coding.
const ARITHMETIC_BY_HUFFMAN: u64 = 2;

/// Bytes that libjpeg-turbo allocates for an APP2 segment in addition to its payload.
const SEGMENT_OVERHEAD: u64 = 128;

/// A JPEG's properties, as its segments give them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Size as stored, before the orientation is applied.
    pub size: Size,
    /// Number of components: 1 gray, 3 colour, 4 CMYK or YCCK.
    pub components: u8,
    /// Whether Adobe's segment defines the components' colours; if so, CMYK is stored inverted (Adobe
    /// Technical Note 5116, page 23).
    pub is_adobe: bool,
    /// The embedded colour profile, if it is complete and fits the number of components.
    pub profile: Option<Vec<u8>>,
    /// Whether chroma has a lower resolution than luma, as in nearly every photo, so that the decoder can
    /// return them as separate planes.
    pub is_subsampled: bool,
    /// Blocks of 8x8 samples in all components, padded to whole MCUs (T.81 A.2).
    blocks: u64,
    /// Whether the decoder must hold all coefficients, because no single scan holds the picture.
    is_held: bool,
    /// Where the image ends, if libjpeg-turbo would warn about the file; it then gets a mended copy.
    pub(super) mended_to: Option<usize>,
    /// Whether the file has no end-of-image marker.
    pub(super) lacks_end: bool,
    pub(super) is_progressive: bool,
    pub(super) is_arithmetic: bool,
    /// Whether the entropy-coded data has restart markers.
    pub(super) has_restarts: bool,
    /// Nanoseconds that decoding takes, roughly.
    pub(super) cost: u64,
    /// Bytes of the file that are held a second time, for the decoder or by it.
    kept: u64,
}

/// A frame header (T.81 B.2.2).
pub(super) struct Frame {
    pub size: Size,
    pub is_progressive: bool,
    is_arithmetic: bool,
    /// The components, at least one.
    pub components: Vec<Component>,
}

/// A component of a frame.
pub(super) struct Component {
    pub id: u8,
    /// Horizontal and vertical sampling factors.
    pub factors: (u32, u32),
    /// Whether a scan has given any of its coefficients.
    is_scanned: bool,
    /// The lowest bit of each coefficient that the scans of a progressive photo have given so far.
    lowest_bits: [Option<u8>; 64],
}

/// The parameters of a progressive scan (T.81 B.2.3, G.1.1.1).
struct Selection {
    /// The first and the last coefficient of the scan.
    first: u8,
    last: u8,
    /// The lowest bit that earlier scans have given, 0 if there were none.
    high: u8,
    /// The lowest bit that this scan gives.
    low: u8,
}

impl Header {
    /// Reads a JPEG's segments up to its end-of-image marker, and nothing after it.
    ///
    /// # Errors
    /// [`PhotoError::Truncated`] if the file ends before its image does, [`PhotoError::Corrupt`] if its
    /// segments are invalid or would cost more than a photo of this size can,
    /// [`PhotoError::UnsupportedFormat`] for lossless, hierarchical and 12-bit files,
    /// [`PhotoError::Cancelled`] once the flag is raised.
    pub fn read(jpeg: &[u8], cancel: &CancelFlag) -> Result<Header, PhotoError> {
        let mut walk = Walk { end_of_last: 2, ..Walk::default() };
        let mut segments = Segments::new(jpeg, cancel);
        while let Some(segment) = segments.next() {
            match segment.and_then(|segment| walk.add(segment)) {
                Ok(()) => {}
                Err(PhotoError::Cancelled) => return Err(PhotoError::Cancelled),
                Err(error) => {
                    let in_scan = segments.position().saturating_sub(2);
                    walk.end_after_complete_scan(in_scan).ok_or(error)?;
                    break;
                }
            }
            segments.image_end = walk.may_end_at();
            segments.has_restarts = walk.has_restarts;
        }
        walk.finish(jpeg)
    }

    /// Bytes of memory that decoding at this scale takes.
    pub fn decoding_memory(&self, scale: DctScale) -> u64 {
        let samples = match (self.components, self.is_subsampled) {
            (1, _) | (_, true) => self.blocks * 64,
            (components, false) => self.size.pixels() * u64::from(components),
        };
        let coefficients = if self.is_held { self.blocks * BYTES_OF_COEFFICIENTS } else { 0 };
        coefficients + samples * u64::from(scale.eighths().pow(2)) / 64 + self.kept
    }
}

/// The state of a walk over a JPEG's segments.
#[derive(Default)]
struct Walk<'a> {
    frame: Option<Frame>,
    app2: Vec<&'a [u8]>,
    /// Adobe's colour transform (Adobe Technical Note 5116, page 23), if its segment has one.
    transform: Option<u8>,
    is_adobe: bool,
    is_odd: bool,
    has_restarts: bool,
    costs: ScanCosts,
    /// The marker of the last segment, and the offset at which it ended.
    last: u8,
    end_of_last: usize,
    /// The offset of the first marker after a scan that completed the image.
    end_of_complete_scan: Option<usize>,
    /// The offset of the last scan's data.
    data: usize,
    /// The offset of EOI, or of what stands in its place.
    image_end: usize,
    lacks_end: bool,
}

impl<'a> Walk<'a> {
    fn add(&mut self, segment: Segment<'a>) -> Result<(), PhotoError> {
        let start = segment.position.start;
        let between = start.saturating_sub(self.end_of_last);
        let is_after_scan = self.last == marker::SOS;
        match self.costs.scans {
            0 => {}
            _ => self.costs.image_bytes += between as u64,
        }
        if is_after_scan {
            self.end_of_complete_scan = self.is_complete().then_some(start);
        }
        self.is_odd |= !is_after_scan && between > 0 || mend::is_odd(&segment);
        (self.last, self.end_of_last) = (segment.marker, segment.position.end);
        let is_complete = self.end_of_complete_scan.is_some();
        match (segment.marker, &mut self.frame) {
            (marker::EOI, _) => {
                (self.image_end, self.lacks_end) = (start, segment.position.is_empty());
            }
            (marker::APP2, _) => self.app2.push(segment.payload),
            (marker::APP14, _) => {
                self.is_adobe |= segment.payload.starts_with(b"Adobe");
                self.transform = mend::transform(segment.payload).copied().or(self.transform);
            }
            (marker::DRI, _) => self.has_restarts = segment.payload.iter().any(|byte| *byte != 0),
            (marker::SOS, frame) => {
                self.costs.scans += 1;
                self.data = segment.position.end;
                if let Some(frame) = frame {
                    self.costs.cost += frame.scan(segment.payload)?;
                    self.is_odd |=
                        !frame.is_progressive && mend::sequential(segment.payload).is_some();
                }
            }
            (code, Some(_)) if is_frame(code) => {
                return Err(PhotoError::Corrupt("it has two frame headers".into()));
            }
            (code, frame) if is_frame(code) => *frame = Some(Frame::read(code, segment.payload)?),
            (code, _) if is_complete && !is_possible_after_scan(code, segment.payload) => {
                return Err(PhotoError::Corrupt("it has an unknown segment".into()));
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the scans so far give the whole image. That of an arithmetic-coded one cannot be told from
    /// its data.
    fn is_complete(&self) -> bool {
        self.frame.as_ref().is_some_and(|frame| !frame.is_arithmetic && frame.is_complete())
    }

    fn may_end_at(&self) -> ImageEnd {
        match &self.frame {
            Some(frame) if self.is_complete() && frame.is_progressive => ImageEnd::File,
            Some(_) if self.is_complete() => ImageEnd::Data,
            _ => ImageEnd::Marker,
        }
    }

    /// Ends the image after the scan that completed it, if what follows is no part of a JPEG. `in_scan` is
    /// that scan's end, unless a segment came after it.
    fn end_after_complete_scan(&mut self, in_scan: usize) -> Option<()> {
        let is_in_scan = self.last == marker::SOS && self.is_complete();
        let end = self.end_of_complete_scan.or(is_in_scan.then_some(in_scan))?;
        (self.image_end, self.lacks_end) = (end, true);
        Some(())
    }

    /// The header of this file, once all segments are read.
    fn finish(self, jpeg: &[u8]) -> Result<Header, PhotoError> {
        let Walk { frame, app2, is_adobe, has_restarts, mut costs, lacks_end, .. } = self;
        let bytes = jpeg.len();
        // A video may hold what looks like the end marker that the image lacks.
        let trailer = mend::trailer(jpeg, self.data).filter(|start| *start < self.image_end);
        let lacks_end = lacks_end || trailer.is_some();
        let frame = frame.ok_or_else(|| {
            PhotoError::Corrupt("it has no frame header, so its size is unknown".into())
        })?;
        if costs.scans == 0 {
            return Err(PhotoError::Corrupt("it has a frame header but no scan".into()));
        }
        // A decoder shows the colours of such a component as if they were gray, and reports nothing.
        if !frame.components.iter().all(|component| component.is_scanned) {
            let what = if lacks_end { NO_END } else { "a component has no scan" };
            return Err(PhotoError::Truncated { bytes, what: what.into() });
        }
        (costs.frames, costs.passes) = (1, frame.cost_of_a_pass());
        costs.refuse_too_much()?;
        frame.refuse_too_much_arithmetic(&costs)?;
        if costs.image_bytes < frame.least_image_bytes() {
            let what = match lacks_end {
                true => NO_END.into(),
                false => {
                    format!("{} bytes of image data are too few for its size", costs.image_bytes)
                }
            };
            return Err(PhotoError::Truncated { bytes, what });
        }
        let components = frame.components.len() as u8;
        let profile = icc::Parts::of(app2.iter().copied());
        let is_transform_odd =
            self.transform.is_some_and(|one| mend::known_transform(one, components) != one);
        let is_odd = self.is_odd || profile.are_broken() || is_transform_odd || lacks_end;
        let image_end = self.image_end.min(trailer.unwrap_or(bytes));
        let is_held = frame.is_progressive || costs.scans > 1;
        // Either a mended copy, or all APP2 segments and two more copies of the profile: the one that is
        // read, and the one in the header.
        let segment_bytes = |payload: &&[u8]| payload.len() as u64 + SEGMENT_OVERHEAD;
        let mut kept = match is_odd {
            true => bytes as u64,
            false => app2.iter().map(segment_bytes).sum::<u64>() + 2 * profile.bytes() as u64,
        };
        // The copy without the stray bytes that only decoding finds.
        if !frame.is_arithmetic && (has_restarts || is_held) {
            kept += bytes as u64;
        }
        Ok(Header {
            size: frame.size,
            components,
            is_adobe,
            profile: profile.profile(components),
            is_subsampled: frame.is_subsampled(),
            blocks: frame.blocks(),
            is_held,
            mended_to: is_odd.then_some(image_end),
            lacks_end,
            is_progressive: frame.is_progressive,
            is_arithmetic: frame.is_arithmetic,
            has_restarts,
            cost: costs.cost + costs.image_bytes * COST_OF_A_BYTE,
            kept,
        })
    }
}

/// The cost of a picture's scans, in all of its streams together.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::decode) struct ScanCosts {
    frames: u64,
    scans: u64,
    /// Nanoseconds that the scans take even if they are empty.
    cost: u64,
    /// Nanoseconds of one pass over each picture, as a baseline photo takes.
    passes: u64,
    image_bytes: u64,
}

impl ScanCosts {
    /// Adds a stream, as far as it can be followed. Its decoder reports what is wrong with it.
    ///
    /// # Errors
    /// [`PhotoError::Corrupt`] if the segments it can follow are invalid; [`PhotoError::Cancelled`].
    pub fn add(&mut self, jpeg: &[u8], cancel: &CancelFlag) -> Result<(), PhotoError> {
        let mut frame: Option<Frame> = None;
        self.image_bytes += jpeg.len() as u64;
        for segment in Segments::new(jpeg, cancel) {
            let segment = match segment {
                Ok(segment) => segment,
                Err(PhotoError::Truncated { .. }) => break,
                Err(error) => return Err(error),
            };
            match (segment.marker, &mut frame) {
                (marker::SOS, Some(frame)) => {
                    self.scans += 1;
                    self.cost += frame.scan(segment.payload)?;
                }
                (code, None) if is_frame(code) => {
                    let read = Frame::read(code, segment.payload)?;
                    self.passes += read.cost_of_a_pass();
                    self.frames += 1;
                    frame = Some(read);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Refuses scans that cost more than those of any photo.
    ///
    /// # Errors
    /// [`PhotoError::Corrupt`] if they are too many or too expensive.
    pub fn refuse_too_much(&self) -> Result<(), PhotoError> {
        let paid_by_bytes = (self.image_bytes * COST_OF_A_BYTE).min(MAX_COST_OF_BYTES);
        let affordable = MAX_COST + paid_by_bytes;
        if self.scans > self.frames * MAX_SCANS || self.cost > self.passes + affordable {
            let scans = self.scans;
            return Err(PhotoError::Corrupt(format!(
                "it has {scans} scans, too many for its size"
            )));
        }
        Ok(())
    }
}

/// Bytes of a block's coefficients: 64 of 16 bits.
const BYTES_OF_COEFFICIENTS: u64 = 128;

impl Frame {
    pub fn read(code: u8, payload: &[u8]) -> Result<Frame, PhotoError> {
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
            // The height would follow in a DNL segment after the image (T.81 B.2.5).
            (_, 0, _) => {
                let kind = "a JPEG without a height in its frame header";
                return Err(PhotoError::UnsupportedFormat(kind.into()));
            }
            (w, h, _) if w.max(h) > MAX_SIDE => {
                let kind = format!("a JPEG of {w}x{h} pixels, with a side of more than {MAX_SIDE}");
                return Err(PhotoError::UnsupportedFormat(kind));
            }
            _ => {}
        }
        let components: Vec<Component> = components
            .as_chunks()
            .0
            .iter()
            .take(usize::from(count))
            .map(|[id, factors, _]| {
                let factors = (u32::from(factors >> 4), u32::from(factors & 15));
                Component { id: *id, factors, is_scanned: false, lowest_bits: [None; 64] }
            })
            .collect();
        let is_legal = |component: &Component| {
            let (h, v) = component.factors;
            (1..=4).contains(&h) && (1..=4).contains(&v)
        };
        if components.len() != usize::from(count) || !components.iter().all(is_legal) {
            return Err(PhotoError::Corrupt("its frame header is invalid".into()));
        }
        let size = Size { width, height };
        let (is_progressive, is_arithmetic) = (matches!(code, 0xC2 | 0xCA), code >= 0xC9);
        Ok(Frame { size, is_progressive, is_arithmetic, components })
    }

    /// Whether TurboJPEG has a name for the sampling: 4:2:2, 4:2:0, 4:4:0, 4:1:1 or 4:4:1.
    fn is_subsampled(&self) -> bool {
        let known = [(2, 1), (2, 2), (1, 2), (4, 1), (1, 4)];
        let factors: Vec<(u32, u32)> = self.components.iter().map(|one| one.factors).collect();
        matches!(&factors[..], [luma, (1, 1), (1, 1)] if known.contains(luma))
    }

    /// Whether the scans so far give every bit of every coefficient.
    fn is_complete(&self) -> bool {
        let is_known = |component: &Component| match self.is_progressive {
            true => component.lowest_bits.iter().all(|bit| *bit == Some(0)),
            false => component.is_scanned,
        };
        self.components.iter().all(is_known)
    }

    pub fn largest_factors(&self) -> (u32, u32) {
        let (h, v): (Vec<u32>, Vec<u32>) = self.components.iter().map(|one| one.factors).unzip();
        (h.into_iter().max().unwrap_or(1), v.into_iter().max().unwrap_or(1))
    }

    /// Blocks of 8x8 samples in all components, padded to whole MCUs.
    fn blocks(&self) -> u64 {
        self.mcus() * self.components.iter().map(Component::blocks_of_an_mcu).sum::<u64>()
    }

    /// The MCUs (minimum coded units) of a scan of all components (T.81 A.2).
    pub fn mcus(&self) -> u64 {
        let Size { width, height } = self.size;
        let (most_h, most_v) = self.largest_factors();
        u64::from(width.div_ceil(8 * most_h)) * u64::from(height.div_ceil(8 * most_v))
    }

    /// The blocks of a scan of this component alone (T.81 A.2.2).
    pub fn blocks_of(&self, component: usize) -> u64 {
        let Size { width, height } = self.size;
        let (h, v) = self.components.get(component).map_or((1, 1), |one| one.factors);
        let (most_h, most_v) = self.largest_factors();
        u64::from((width * h).div_ceil(8 * most_h)) * u64::from((height * v).div_ceil(8 * most_v))
    }

    /// Nanoseconds of CPU time that a scan takes even if it is empty. Its header says which blocks are
    /// visited, and which of their coefficients.
    ///
    /// # Errors
    /// [`PhotoError::Corrupt`] if a progressive scan does not continue the scans before it, which
    /// libjpeg-turbo would report only after decoding everything (jdphuff.c, start_pass_phuff_decoder).
    fn scan(&mut self, header: &[u8]) -> Result<u64, PhotoError> {
        let (count, rest) = header.split_first().unwrap_or((&0, &[]));
        let (ids, rest) = rest.split_at_checked(2 * usize::from(*count)).unwrap_or_default();
        let selection = match *rest {
            [first, last, approximation, ..] if self.is_progressive => {
                let (high, low) = (approximation >> 4, approximation & 15);
                Some(Selection { first, last, high, low })
            }
            _ => None,
        };
        let mcus = self.mcus();
        let mut visited = 0;
        for (nth, [id, _]) in ids.as_chunks().0.iter().enumerate() {
            let component = self.index_of(nth, *id);
            let Some(component) = component.and_then(|at| self.components.get_mut(at)) else {
                continue;
            };
            visited += mcus * component.blocks_of_an_mcu();
            component.is_scanned = true;
            if let Some(selection) = &selection {
                component.refine(selection)?;
            }
        }
        let block_cost =
            selection.map_or(COST_OF_A_BLOCK, |one| one.cost_of_a_block(self.is_arithmetic));
        Ok(visited * block_cost)
    }

    /// The index of the component with this id that a scan names as its nth. libjpeg-turbo searches it from
    /// the frame's nth on (jdmarker.c, get_sos).
    pub fn index_of(&self, nth: usize, id: u8) -> Option<usize> {
        let mut candidates = self.components.iter().enumerate().skip(nth);
        candidates.find(|(_, component)| component.id == id).map(|(index, _)| index)
    }

    fn cost_of_a_pass(&self) -> u64 {
        self.blocks() * COST_OF_A_BLOCK
    }

    /// Refuses an arithmetic-coded picture that would take longer than 2 s: even an empty block takes a
    /// few decisions. Such photos hardly exist.
    fn refuse_too_much_arithmetic(&self, costs: &ScanCosts) -> Result<(), PhotoError> {
        let cost = self.blocks() * ARITHMETIC_COST_OF_A_BLOCK
            + costs.image_bytes * ARITHMETIC_COST_OF_A_BYTE
            + costs.cost * ARITHMETIC_BY_HUFFMAN;
        if self.is_arithmetic && cost > MAX_ARITHMETIC_COST {
            let Size { width, height } = self.size;
            let kind = format!("an arithmetic-coded JPEG of {width}x{height} pixels");
            return Err(PhotoError::UnsupportedFormat(kind));
        }
        Ok(())
    }

    /// Fewest bytes that can code even a picture of one colour. Huffman coding spends one bit on each
    /// block's first coefficient (T.81 F.1.2.1) and, except in a progressive scan, one bit on its end.
    /// Arithmetic coding may spend less than a bit.
    fn least_image_bytes(&self) -> u64 {
        let bits = match (self.is_arithmetic, self.is_progressive) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        };
        self.blocks_of(0) * bits / 8
    }
}

impl Component {
    /// Blocks of 8x8 samples in each MCU of a scan of all components.
    fn blocks_of_an_mcu(&self) -> u64 {
        let (h, v) = self.factors;
        u64::from(h * v)
    }

    /// Records a scan, which must give the next bit of each of its coefficients.
    fn refine(&mut self, selection: &Selection) -> Result<(), PhotoError> {
        let Selection { first, last, high, low } = *selection;
        let is_possible = first <= last && (first == 0 || self.lowest_bits[0].is_some());
        let is_next = |bit: &Option<u8>| bit.unwrap_or(0) == high && (high == 0 || high == low + 1);
        match self.lowest_bits.get_mut(usize::from(first)..=usize::from(last)) {
            Some(bits) if is_possible && bits.iter().all(is_next) => bits.fill(Some(low)),
            _ => return Err(PhotoError::Corrupt("its scans are not in order".into())),
        }
        Ok(())
    }
}

impl Selection {
    /// Nanoseconds for each block, measured with scans that hold nothing but end-of-block codes.
    fn cost_of_a_block(&self, is_arithmetic: bool) -> u64 {
        // Arithmetic coding cannot end many blocks with one code: each takes a decision.
        let decision = if is_arithmetic { 20 } else { 0 };
        match (self.first, self.high) {
            (0, 0) => COST_OF_A_BLOCK,
            (_, 0) => 12,
            // Encoders refine it by one bit at most; here, each block is read for itself.
            (0, 2..) => COST_OF_A_REFINED_DC,
            // Each coefficient is visited (jdphuff.c, decode_mcu_AC_refine).
            _ => 8 + decision + u64::from(self.last.saturating_sub(self.first)) / 2,
        }
    }
}

/// Nanoseconds for decoding a block, or its first coefficient.
const COST_OF_A_BLOCK: u64 = 20;
/// Nanoseconds for a bit of a block's first coefficient that no encoder writes in a scan of its own.
const COST_OF_A_REFINED_DC: u64 = 14;

/// Whether a segment may come between the scans of an image or after them (T.81 B.2.4, B.2.5).
fn is_possible_after_scan(code: u8, payload: &[u8]) -> bool {
    match code {
        marker::DHT => huffman_tables(payload).all(|table| table.is_some()),
        marker::DQT | marker::DAC | marker::DNL | marker::APP0..=marker::APP15 | marker::COM => {
            true
        }
        _ => false,
    }
}

/// Whether a marker begins a frame: SOF0 to SOF15, except three codes in that range with other meanings.
pub(super) fn is_frame(code: u8) -> bool {
    (0xC0..=0xCF).contains(&code) && ![marker::DHT, marker::JPG, marker::DAC].contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{coded, gradient, gradient_jpeg};

    fn read(jpeg: &[u8]) -> Result<Header, PhotoError> {
        Header::read(jpeg, &CancelFlag::default())
    }

    #[test]
    fn the_header_gives_size_and_components() {
        for channels in [1, 3] {
            let header = read(&gradient_jpeg(37, 21, channels)).unwrap();
            assert_eq!(header.size, Size { width: 37, height: 21 });
            assert_eq!(usize::from(header.components), channels);
        }
    }

    #[test]
    fn every_prefix_that_ends_before_the_image_data_is_refused() {
        let jpeg = gradient_jpeg(64, 48, 3);
        let scan = memchr::memmem::find(&jpeg, &[0xFF, marker::SOS]).unwrap();
        for length in 0..scan + 14 {
            assert!(
                matches!(read(&jpeg[..length]), Err(PhotoError::Truncated { .. })),
                "{length} of {} bytes",
                jpeg.len()
            );
        }
    }

    #[test]
    fn only_an_image_of_which_no_scan_is_missing_may_lack_its_end_marker() {
        let without_end = |jpeg: &[u8]| read(&jpeg[..jpeg.len() - 2]);
        let picture = gradient(100, 60, 3);
        for is_progressive in [false, true] {
            let jpeg = coded(&picture, is_progressive, false);
            assert!(without_end(&jpeg).is_ok_and(|header| header.lacks_end));
            // Nothing in arithmetic-coded data tells that it is whole.
            let refusal = without_end(&coded(&picture, is_progressive, true)).unwrap_err();
            assert_eq!(refusal.name(), "TruncatedPhoto");
        }
        let progressive = coded(&picture, true, false);
        let last_scan = memchr::memmem::rfind(&progressive, &[0xFF, marker::DHT]).unwrap();
        let refusal = read(&progressive[..last_scan]).unwrap_err();
        assert_eq!(refusal.name(), "TruncatedPhoto");
    }

    #[test]
    fn a_photo_without_scan_or_with_two_frames_is_refused() {
        let jpeg = gradient_jpeg(8, 8, 1);
        let find = |code| memchr::memmem::find(&jpeg, &[0xFF, code]).unwrap();
        let (frame, tables) = (find(0xC0), find(marker::DHT));
        let no_scan = [&jpeg[..tables], &[0xFF, marker::EOI]].concat();
        let two_frames = [&jpeg[..tables], &jpeg[frame..]].concat();
        for bad in [no_scan, two_frames] {
            assert!(matches!(read(&bad), Err(PhotoError::Corrupt(_))));
        }
    }

    /// A progressive gray JPEG of `side` x `side` pixels with `bytes` of image data. After its first scan
    /// follow empty ones with these spectral selections and approximations.
    fn with_scans(side: u16, bytes: usize, scans: &[[u8; 3]]) -> Result<Header, PhotoError> {
        let [high, low] = side.to_be_bytes();
        let header =
            |selection: &[u8; 3]| [&[0xFF, marker::SOS, 0, 8, 1, 7, 0][..], selection].concat();
        let frame = [0xFF, 0xC2, 0, 11, 8, high, low, high, low, 1, 7, 0x11, 0];
        let scans: Vec<u8> = scans.iter().flat_map(header).collect();
        let (begin, end) = ([0xFF, marker::SOI], [0xFF, marker::EOI]);
        read(&[&begin[..], &frame, &header(&[0, 0, 13]), &vec![0; bytes], &scans, &end].concat())
    }

    /// Scans that give these coefficients bit by bit, from the 13th down.
    fn bit_by_bit(first: u8, last: u8) -> Vec<[u8; 3]> {
        let refinements = (1..=13).rev().map(|high| [first, last, high << 4 | (high - 1)]);
        [[first, last, 13]].into_iter().chain(refinements).collect()
    }

    #[test]
    fn more_scans_than_a_photo_of_this_size_needs_are_refused() {
        // Besides one pass, 600 ms are allowed, and 16 ns for each byte of image data. A first scan of AC
        // coefficients takes 12 ns a block, a refinement of them 39 ns, and one of DC 14 ns, the last one 8 ns.
        for (scans, side) in [
            (vec![[1, 63, 0]; 100], 5656),
            (bit_by_bit(1, 63), 8616),
            (bit_by_bit(0, 0)[1..].to_vec(), 14_848),
        ] {
            let blocks = |side: u16| usize::from(side / 8).pow(2);
            let taken = with_scans(side, blocks(side) / 8, &scans);
            assert!(taken.is_ok(), "{side}: {taken:?}");
            let side = side + 150;
            let refusal = with_scans(side, blocks(side) / 8 + 1, &scans).unwrap_err();
            let count = format!("{} scans", scans.len() + 1);
            assert!(refusal.to_string().contains(&count), "{side}: {refusal}");
            assert!(
                with_scans(side, 8 * blocks(side), &scans).is_ok(),
                "more bytes pay for more scans"
            );
        }
        assert!(with_scans(8, 1, &[[1, 63, 0]; 499]).is_ok());
        assert!(with_scans(8, 1, &[[1, 63, 0]; 500]).is_err(), "however small it is");
    }

    #[test]
    fn each_scan_must_give_the_next_bit_of_its_coefficients() {
        let taken = |scans: &[[u8; 3]]| with_scans(8, 1, scans).is_ok();
        assert!(taken(&bit_by_bit(1, 63)));
        assert!(taken(
            &[bit_by_bit(0, 0)[1..].to_vec(), bit_by_bit(1, 5), bit_by_bit(6, 63)].concat()
        ));
        assert!(taken(&[[1, 63, 0], [1, 63, 0]]), "libjpeg-turbo accepts this");
        for wrong in [
            &[[1, 63, 0x10]][..],
            &[[1, 63, 0x02], [1, 63, 0x10]],
            &[[1, 63, 0x02], [1, 63, 0x20]],
            &[[1, 63, 0x01], [1, 63, 0x10], [1, 63, 0x10]],
            &[[1, 5, 0x01], [1, 63, 0x10]],
            &[[1, 64, 0]],
            &[[5, 4, 0]],
        ] {
            assert!(!taken(wrong), "{wrong:x?}");
        }
        let without_component = [0xFF, marker::SOS, 0, 6, 0, 5, 4, 0x21];
        assert!(
            Frame::read(0xC2, &[8, 0, 8, 0, 8, 1, 7, 0x11, 0])
                .unwrap()
                .scan(&without_component[4..])
                .is_ok()
        );
        let before_dc = [0xFF, marker::SOS, 0, 8, 1, 7, 0, 1, 63, 0, 0xFF, marker::EOI];
        let frame = [0xFF, marker::SOI, 0xFF, 0xC2, 0, 11, 8, 0, 8, 0, 8, 1, 7, 0x11, 0];
        assert!(read(&[&frame[..], &before_dc].concat()).is_err());
    }

    #[test]
    fn a_single_scan_is_accepted_at_any_size() {
        for side in [7000, 65_500] {
            let blocks = usize::from(side).div_ceil(8).pow(2);
            assert!(with_scans(side, blocks / 8 + 1, &[]).is_ok());
        }
    }

    #[test]
    fn the_scans_that_encoders_write_are_accepted_for_the_largest_photos() {
        // The ten scans of YCbCr by jcparam.c, jpeg_simple_progression, here for 4:2:0.
        let size = Size { width: 25_000, height: 20_000 };
        let component = |id, factor| Component {
            id,
            factors: (factor, factor),
            is_scanned: false,
            lowest_bits: [None; 64],
        };
        let components = vec![component(1, 2), component(2, 1), component(3, 1)];
        let mut frame = Frame { size, is_progressive: true, is_arithmetic: false, components };
        let scans: [(&[u8], [u8; 3]); 10] = [
            (&[1, 2, 3], [0, 0, 1]),
            (&[1], [1, 5, 2]),
            (&[3], [1, 63, 1]),
            (&[2], [1, 63, 1]),
            (&[1], [6, 63, 2]),
            (&[1], [1, 63, 0x21]),
            (&[1, 2, 3], [0, 0, 0x10]),
            (&[3], [1, 63, 0x10]),
            (&[2], [1, 63, 0x10]),
            (&[1], [1, 63, 0x10]),
        ];
        let mut cost = 0;
        let mut scan = |(ids, selection): &(&[u8], [u8; 3])| {
            let components = ids.iter().flat_map(|id| [*id, 0]).collect::<Vec<_>>();
            frame.scan(&[&[ids.len() as u8][..], &components, selection].concat()).unwrap()
        };
        scans.iter().for_each(|one| cost += scan(one));
        // 500 megapixels at half a bit each.
        assert!(cost < frame.cost_of_a_pass() + MAX_COST + 31_000_000 * COST_OF_A_BYTE, "{cost}");
        assert!(cost * 2 / 5 < frame.cost_of_a_pass() * 2 / 5 + MAX_COST, "200 empty megapixels");
    }

    #[test]
    fn copies_of_parts_of_the_file_are_counted() {
        let jpeg = gradient_jpeg(100, 60, 3);
        let memory = |jpeg: &[u8]| read(jpeg).unwrap().decoding_memory(DctScale::FULL);
        let with = |inserted: &[u8]| [&jpeg[..20], inserted, &jpeg[20..]].concat();
        let plain = memory(&jpeg);
        let segment = |payload: &[u8]| {
            [&[0xFF, marker::APP2], &(payload.len() as u16 + 2).to_be_bytes()[..], payload].concat()
        };
        assert_eq!(
            memory(&with(&segment(&[7; 1000]).repeat(3))),
            plain + 3 * (1000 + SEGMENT_OVERHEAD)
        );
        let part = segment(&[b"ICC_PROFILE\0\x01\x01", &[7; 500][..]].concat());
        assert_eq!(memory(&with(&part)), plain + 514 + SEGMENT_OVERHEAD + 2 * 500);
        for odd in [&b"\0"[..], &part.repeat(2), b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0\x07"] {
            let odd = with(odd);
            assert_eq!(memory(&odd), plain + odd.len() as u64);
        }
    }

    #[test]
    fn a_size_too_large_for_the_image_data_is_refused() {
        let mut jpeg = gradient_jpeg(640, 480, 3);
        let frame = memchr::memmem::find(&jpeg, &[0xFF, 0xC0]).unwrap();
        jpeg[frame + 5..frame + 9].copy_from_slice(&[0xF0, 0, 0xF0, 0]);
        assert!(matches!(read(&jpeg), Err(PhotoError::Truncated { .. })));
    }

    #[test]
    fn memory_follows_from_the_blocks_and_the_coding() {
        let memory = |jpeg: &[u8], eighths| {
            read(jpeg).unwrap().decoding_memory(DctScale::of_eighths(eighths))
        };
        let picture = gradient(100, 60, 3);
        // 4:2:0 has MCUs of 16x16 pixels: 7 by 4 of them, each of six blocks of 64 samples.
        let samples = 7 * 4 * 6 * 64;
        assert_eq!(memory(&coded(&picture, false, false), 8), samples);
        assert_eq!(memory(&coded(&picture, false, false), 4), samples / 4);
        let progressive = coded(&picture, true, false);
        // Its coefficients, and a copy without stray bytes between its scans.
        let held = 2 * samples + progressive.len() as u64;
        assert_eq!(memory(&progressive, 8), samples + held);
    }

    #[test]
    fn lossless_hierarchical_and_12_bit_files_are_refused_by_name() {
        let frame = |code| Frame::read(code, &[12, 0, 8, 0, 8, 1]).err().unwrap().to_string();
        assert!(frame(0xC1).contains("12 bits"));
        assert!(frame(0xC3).contains("lossless"));
        assert!(frame(0xC5).contains("hierarchical"));
    }

    #[test]
    fn a_scan_finds_its_components_from_its_own_place_on() {
        let frame = [8, 0, 8, 0, 8, 3, 1, 0x11, 0, 1, 0x11, 0, 2, 0x11, 0];
        let frame = Frame::read(0xC0, &frame).unwrap();
        for (nth, id, found) in
            [(0, 1, Some(0)), (1, 1, Some(1)), (2, 1, None), (0, 2, Some(2)), (0, 3, None)]
        {
            assert_eq!(frame.index_of(nth, id), found, "{nth} {id}");
        }
    }

    #[test]
    fn impossible_sizes_are_refused() {
        let frame = |size: [u8; 4], components| {
            let components =
                [&[components], &[1, 0x11, 0].repeat(usize::from(components))[..]].concat();
            Frame::read(0xC0, &[&[8], &size[..], &components].concat()).err().unwrap().name()
        };
        assert_eq!(frame([0, 8, 0, 0], 3), "CorruptPhoto", "no width");
        assert_eq!(frame([0, 8, 0, 8], 0), "CorruptPhoto", "no components");
        assert_eq!(frame([0, 0, 0, 8], 3), "UnsupportedFormat", "a height that follows the image");
        assert_eq!(frame([0xFF, 0xDD, 0, 8], 3), "UnsupportedFormat", "65501 rows");
        assert!(
            Frame::read(0xC0, &[8, 0xFF, 0xDC, 0xFF, 0xDC, 1, 1, 0x11, 0]).is_ok(),
            "65500 rows"
        );
    }
}
