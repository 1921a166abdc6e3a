//! Follows Huffman-coded data without decoding a picture, to find where each restart interval really ends.
//!
//! Cameras write stray bytes before restart markers and between scans, or number the markers wrongly.
//! Decoders drop such bytes and go on, but after libjpeg-turbo's first warning nobody knows whether it was
//! the only one. Here every block is followed: if an interval has all of its blocks, the bytes after it are
//! stray, and if one has not, the photo is damaged.

use std::iter;

use super::header::{Frame, is_frame};
use super::mend;
use crate::container::jpeg::{HuffmanTable, Segment, Segments, huffman_tables, marker, next_code};
use crate::{CancelFlag, PhotoError};

/// MCUs between two checks of the flag.
const STRIDE: usize = 1024;

/// A copy of a Huffman-coded image without stray bytes in its scans and after them, and with its restart
/// markers numbered from 0.
///
/// # Errors
/// [`PhotoError::Truncated`] and [`PhotoError::Corrupt`] if blocks are missing or damaged;
/// [`PhotoError::Cancelled`] once the flag is raised.
pub(in crate::decode) fn resynchronised(
    jpeg: &[u8],
    cancel: &CancelFlag,
) -> Result<Vec<u8>, PhotoError> {
    let mut image = Image::default();
    let mut copy = Vec::with_capacity(jpeg.len());
    copy.extend([0xFF, marker::SOI]);
    let mut segments = Segments::new(jpeg, cancel);
    segments.has_restarts = true;
    while let Some(segment) = segments.next().transpose()? {
        if segment.marker == marker::EOI {
            break;
        }
        if segment.is_metadata() {
            continue;
        }
        mend::write(segment.marker, segment.payload, &mut copy);
        if segment.marker != marker::SOS {
            image.read(&segment)?;
            continue;
        }
        let start = segment.position.end;
        let data = jpeg.get(start..).unwrap_or_default();
        segments.skip_to(start + image.follow(segment.payload, data, &mut copy, cancel)?);
        if image.is_complete() {
            break;
        }
    }
    copy.extend([0xFF, marker::EOI]);
    Ok(copy)
}

fn damaged() -> PhotoError {
    PhotoError::Corrupt("its image data breaks off or is invalid before a restart marker".into())
}

/// What the segments so far have defined.
#[derive(Default)]
struct Image {
    frame: Option<Frame>,
    /// Huffman tables by class, DC and AC, and by destination.
    tables: [[Option<Table>; 4]; 2],
    /// MCUs between restart markers, 0 for none.
    interval: usize,
    /// Which coefficients of each block of a progressive photo's components are not 0.
    nonzero: [Vec<u64>; 4],
    scanned: [bool; 4],
}

impl Image {
    fn read(&mut self, segment: &Segment) -> Result<(), PhotoError> {
        match (segment.marker, segment.payload) {
            (marker::DRI, &[high, low, ..]) => {
                self.interval = u16::from_be_bytes([high, low]).into()
            }
            (marker::DHT, payload) => self.read_tables(payload).ok_or_else(damaged)?,
            (code, payload) if is_frame(code) => self.frame = Some(Frame::read(code, payload)?),
            _ => {}
        }
        Ok(())
    }

    /// Reads the tables of a DHT segment.
    fn read_tables(&mut self, payload: &[u8]) -> Option<()> {
        for table in huffman_tables(payload) {
            let HuffmanTable { class, destination, counts, values } = table?;
            let class = self.tables.get_mut(usize::from(class))?;
            *class.get_mut(usize::from(destination))? = Some(Table::of(counts, values)?);
        }
        Some(())
    }

    /// Whether a sequential photo has had a scan of each component.
    fn is_complete(&self) -> bool {
        self.frame.as_ref().is_some_and(|frame| {
            !frame.is_progressive
                && self.scanned.iter().take(frame.components.len()).all(|one| *one)
        })
    }

    /// Copies the data of a scan, and returns its length in the file up to the end of its last block.
    fn follow(
        &mut self,
        header: &[u8],
        data: &[u8],
        copy: &mut Vec<u8>,
        cancel: &CancelFlag,
    ) -> Result<usize, PhotoError> {
        let Image { frame: Some(frame), tables, interval, nonzero, scanned } = self else {
            return Err(damaged());
        };
        let parts = parts(header, frame, tables).ok_or_else(damaged)?;
        let selection = header.last_chunk::<3>().filter(|_| frame.is_progressive);
        let coding = Coding::of(selection);
        let mcus = match parts.as_slice() {
            [alone] => frame.blocks_of(alone.component),
            _ => frame.mcus(),
        } as usize;
        let mut bitmap = Vec::new();
        let mut kept = None;
        if let ([alone], Coding::AcFirst { .. } | Coding::AcRefinement { .. }) =
            (parts.as_slice(), coding)
        {
            kept = nonzero.get_mut(alone.component);
            bitmap = kept.as_deref_mut().map(std::mem::take).unwrap_or_default();
            bitmap.resize(mcus, 0);
        }
        for part in &parts {
            scanned.iter_mut().skip(part.component).take(1).for_each(|one| *one = true);
        }
        let interval = if *interval == 0 { mcus } else { *interval };
        let intervals = mcus.div_ceil(interval.max(1));
        let mut scan = Scan { parts, coding, bitmap, interval, mcus, intervals };
        let length = scan.copy(data, copy, cancel)?;
        if let Some(kept) = kept {
            *kept = scan.bitmap;
        }
        Ok(length)
    }
}

/// A component in a scan.
struct Part<'a> {
    /// Its index in the frame.
    component: usize,
    /// Blocks in each MCU.
    blocks: u64,
    dc: Option<&'a Table>,
    ac: Option<&'a Table>,
}

/// The components of a scan (T.81 B.2.3).
fn parts<'a>(
    header: &[u8],
    frame: &Frame,
    tables: &'a [[Option<Table>; 4]; 2],
) -> Option<Vec<Part<'a>>> {
    let (count, rest) = header.split_first()?;
    let ids = rest.get(..2 * usize::from(*count))?.as_chunks().0;
    let [dc_tables, ac_tables] = tables;
    let part = |(nth, [id, selectors]): (usize, &[u8; 2])| {
        let component = frame.index_of(nth, *id)?;
        let found = frame.components.get(component)?;
        let blocks = if ids.len() == 1 { 1 } else { u64::from(found.factors.0 * found.factors.1) };
        let dc = dc_tables.get(usize::from(selectors >> 4)).and_then(Option::as_ref);
        let ac = ac_tables.get(usize::from(selectors & 15)).and_then(Option::as_ref);
        Some(Part { component, blocks, dc, ac })
    };
    let parts: Vec<Part> = ids.iter().enumerate().map(part).collect::<Option<_>>()?;
    (1..=4).contains(&parts.len()).then_some(parts)
}

/// What the data of a scan gives (T.81 F.2.2, G.1.2).
#[derive(Clone, Copy)]
enum Coding {
    Sequential,
    DcFirst,
    DcRefinement,
    AcFirst { first: u8, last: u8 },
    AcRefinement { first: u8, last: u8 },
}

impl Coding {
    /// The coding of a scan with these parameters, if it is progressive.
    fn of(selection: Option<&[u8; 3]>) -> Coding {
        match selection {
            None => Coding::Sequential,
            Some([0, _, 0..=15]) => Coding::DcFirst,
            Some([0, ..]) => Coding::DcRefinement,
            Some(&[first, last, 0..=15]) => Coding::AcFirst { first, last: last.min(63) },
            Some(&[first, last, _]) => Coding::AcRefinement { first, last: last.min(63) },
        }
    }
}

/// A scan whose data is followed.
struct Scan<'a> {
    parts: Vec<Part<'a>>,
    coding: Coding,
    /// Which coefficients of each block are not 0, if the scan is one of AC coefficients.
    bitmap: Vec<u64>,
    /// MCUs in each restart interval, in the whole scan, and the number of intervals.
    interval: usize,
    mcus: usize,
    intervals: usize,
}

impl Scan<'_> {
    fn copy(
        &mut self,
        data: &[u8],
        copy: &mut Vec<u8>,
        cancel: &CancelFlag,
    ) -> Result<usize, PhotoError> {
        let has_all_restarts = self.intervals > 1 && self.has_all_restarts(data);
        let mut position = 0;
        for nth in 0..self.intervals {
            if nth > 0 {
                let number = (nth - 1) as u8 & 7;
                position =
                    behind_restart(data, position, number, has_all_restarts).ok_or_else(damaged)?;
                copy.extend([0xFF, marker::RST0 + number]);
            }
            let rest = data.get(position..).unwrap_or_default();
            let first = nth * self.interval;
            let last = (first + self.interval).min(self.mcus);
            position += copy_data(rest, self.bytes_of(rest, first..last, cancel)?, copy);
        }
        Ok(position)
    }

    /// Bytes that these MCUs take, without stuffed ones.
    fn bytes_of(
        &mut self,
        data: &[u8],
        mcus: std::ops::Range<usize>,
        cancel: &CancelFlag,
    ) -> Result<usize, PhotoError> {
        let mut bits = Bits::new(data);
        let mut end_of_band_run = 0;
        for mcu in mcus {
            if mcu % STRIDE == 0 {
                cancel.check()?;
            }
            let mut none = 0;
            let nonzero = self.bitmap.get_mut(mcu).unwrap_or(&mut none);
            for part in &self.parts {
                for _ in 0..part.blocks {
                    part.follow(self.coding, &mut bits, nonzero, &mut end_of_band_run)
                        .ok_or_else(damaged)?;
                }
            }
        }
        Ok(bits.taken())
    }

    /// Whether the scan has as many restart markers as intervals need.
    fn has_all_restarts(&self, data: &[u8]) -> bool {
        let mut position = 0;
        let codes = iter::from_fn(|| next_code(data, &mut position));
        let is_restart = |code: &u8| (marker::RST0..=marker::RST7).contains(code);
        let codes = codes.take_while(|code| *code < marker::SOF0 || is_restart(code));
        codes.filter(is_restart).count() + 1 == self.intervals
    }
}

/// The offset behind the restart marker of this number, which comes next. If the scan has all of its markers,
/// only their numbers are wrong; else libjpeg-turbo's rules say whether this is the one (jdmarker.c,
/// jpeg_resync_to_restart).
fn behind_restart(data: &[u8], from: usize, number: u8, has_all_restarts: bool) -> Option<usize> {
    let mut position = from;
    loop {
        let code = next_code(data, &mut position)?;
        match code {
            marker::RST0..=marker::RST7 => match (code - marker::RST0).wrapping_sub(number) & 7 {
                0 | 3..=5 => return Some(position),
                _ if has_all_restarts => return Some(position),
                6 | 7 => {}
                _ => return None,
            },
            0..marker::SOF0 => {}
            _ => return None,
        }
    }
}

/// Copies this many bytes of data, not counting stuffed ones, and returns the length that they take.
fn copy_data(data: &[u8], bytes: usize, copy: &mut Vec<u8>) -> usize {
    let mut position = 0;
    for _ in 0..bytes {
        let Some(byte) = data.get(position) else { break };
        position += 1;
        copy.push(*byte);
        if *byte == 0xFF {
            let rest = data.get(position..).unwrap_or_default();
            position += rest.iter().take_while(|byte| **byte == 0xFF).count() + 1;
            copy.push(0);
        }
    }
    position
}

impl Part<'_> {
    /// Moves past a block; `None` if its code is invalid or the data ends before.
    fn follow(
        &self,
        coding: Coding,
        bits: &mut Bits,
        nonzero: &mut u64,
        end_of_band_run: &mut u32,
    ) -> Option<()> {
        match coding {
            Coding::Sequential => {
                bits.skip_dc(self.dc?)?;
                bits.skip_ac(self.ac?)
            }
            Coding::DcFirst => bits.skip_dc(self.dc?),
            Coding::DcRefinement => bits.take(1).map(|_| ()),
            Coding::AcFirst { .. } if *end_of_band_run > 0 => {
                *end_of_band_run -= 1;
                Some(())
            }
            Coding::AcRefinement { first, last } if *end_of_band_run > 0 => {
                *end_of_band_run -= 1;
                bits.correct(*nonzero, first, last)
            }
            Coding::AcFirst { first, last } => {
                bits.first_ac(self.ac?, first..=last, nonzero, end_of_band_run)
            }
            Coding::AcRefinement { first, last } => {
                bits.refine_ac(self.ac?, first..=last, nonzero, end_of_band_run)
            }
        }
    }
}

/// A Huffman table (T.81 annex C).
struct Table {
    /// For the next eight bits: a code's length and value, or length 0 if the code is longer.
    short: Vec<(u8, u8)>,
    /// For each length from 1: one more than the largest code, and what to add to a code to get the index of
    /// its value.
    lengths: [(u32, i64); 16],
    values: Vec<u8>,
}

impl Table {
    /// The table of this many codes of each length; `None` if there are more than such lengths have.
    fn of(counts: &[u8], values: &[u8]) -> Option<Table> {
        let mut short = vec![(0, 0); 256];
        let mut lengths = [(0, 0); 16];
        let (mut code, mut index) = (0u32, 0usize);
        for ((length, count), slot) in (1u8..).zip(counts).zip(&mut lengths) {
            let count = u32::from(*count);
            if code + count > 1 << length {
                return None;
            }
            let of_length = values.get(index..index + count as usize)?;
            for (code, value) in (code..).zip(of_length).filter(|_| length <= 8) {
                let first = (code as usize) << (8 - length);
                let same = short.iter_mut().skip(first).take(1 << (8 - length));
                same.for_each(|entry| *entry = (length, *value));
            }
            *slot = (code + count, index as i64 - i64::from(code));
            (code, index) = ((code + count) << 1, index + count as usize);
        }
        Some(Table { short, lengths, values: values.to_vec() })
    }

    /// The length and the value of the code that these 16 bits begin with.
    fn find(&self, bits: u32) -> Option<(u8, u8)> {
        match self.short.get(bits as usize >> 8) {
            Some((0, _)) | None => {}
            Some(found) => return Some(*found),
        }
        for (length, (end, offset)) in (1u8..).zip(&self.lengths).skip(8) {
            let code = bits >> (16 - length);
            if code < *end {
                let index = usize::try_from(i64::from(code) + offset).ok()?;
                return Some((length, *self.values.get(index)?));
            }
        }
        None
    }
}

/// Reads bits of entropy-coded data up to a marker.
struct Bits<'a> {
    data: &'a [u8],
    position: usize,
    /// Bits that were read, the next one being the highest of the last `count`.
    buffer: u64,
    count: u8,
    /// Bytes read, without stuffed ones.
    read: usize,
    is_at_marker: bool,
}

impl<'a> Bits<'a> {
    fn new(data: &'a [u8]) -> Bits<'a> {
        Bits { data, position: 0, buffer: 0, count: 0, read: 0, is_at_marker: false }
    }

    /// Bytes of which a bit was taken.
    fn taken(&self) -> usize {
        self.read - usize::from(self.count / 8)
    }

    fn fill(&mut self) {
        while self.count <= 56 && !self.is_at_marker {
            let Some(byte) = self.data.get(self.position) else { break };
            let next = match byte {
                0xFF => next_code(self.data, &mut self.position),
                _ => {
                    self.position += 1;
                    Some(0)
                }
            };
            self.is_at_marker = next != Some(0);
            if !self.is_at_marker {
                self.buffer = self.buffer << 8 | u64::from(*byte);
                self.count += 8;
                self.read += 1;
            }
        }
    }

    /// Takes up to 16 bits.
    fn take(&mut self, length: u8) -> Option<u32> {
        if self.count < length {
            self.fill();
        }
        self.count = self.count.checked_sub(length)?;
        Some((self.buffer >> self.count) as u32 & ((1 << length) - 1))
    }

    fn decode(&mut self, table: &Table) -> Option<u8> {
        if self.count < 16 {
            self.fill();
        }
        let next = match self.count {
            0..16 => self.buffer << (16 - self.count),
            count => self.buffer >> (count - 16),
        };
        let (length, value) = table.find(next as u32 & 0xFFFF)?;
        self.count = self.count.checked_sub(length)?;
        Some(value)
    }

    fn skip_dc(&mut self, table: &Table) -> Option<()> {
        let length = self.decode(table)?;
        self.take(length.min(16)).map(|_| ())
    }

    /// Moves past the AC coefficients of a sequential block (T.81 F.2.2.2).
    fn skip_ac(&mut self, table: &Table) -> Option<()> {
        let mut k = 1;
        while k < 64 {
            let symbol = self.decode(table)?;
            match (symbol >> 4, symbol & 15) {
                (15, 0) => k += 16,
                (_, 0) => break,
                (run, length) => {
                    self.take(length)?;
                    k += run + 1;
                }
            }
        }
        Some(())
    }

    /// The number of blocks that end with this one (T.81 G.1.2.2).
    fn end_of_bands(&mut self, run: u8) -> Option<u32> {
        Some((1 << run) + self.take(run)?)
    }

    /// Moves past the first scan of a block's AC coefficients (T.81 G.1.2.2).
    fn first_ac(
        &mut self,
        table: &Table,
        band: std::ops::RangeInclusive<u8>,
        nonzero: &mut u64,
        end_of_band_run: &mut u32,
    ) -> Option<()> {
        let mut k = *band.start();
        while k <= *band.end() {
            let symbol = self.decode(table)?;
            match (symbol >> 4, symbol & 15) {
                (15, 0) => k += 16,
                (run, 0) => {
                    *end_of_band_run = self.end_of_bands(run)? - 1;
                    break;
                }
                (run, length) => {
                    self.take(length)?;
                    k += run;
                    *nonzero |= 1u64.checked_shl(k.into()).unwrap_or(0);
                    k += 1;
                }
            }
        }
        Some(())
    }

    /// Moves past the next bit of a block's AC coefficients (T.81 G.1.2.3; jdphuff.c,
    /// decode_mcu_AC_refine).
    fn refine_ac(
        &mut self,
        table: &Table,
        band: std::ops::RangeInclusive<u8>,
        nonzero: &mut u64,
        end_of_band_run: &mut u32,
    ) -> Option<()> {
        let (mut k, last) = band.into_inner();
        while k <= last {
            let symbol = self.decode(table)?;
            let (mut zeros, length) = (symbol >> 4, symbol & 15);
            match (zeros, length) {
                (15, 0) => {}
                (run, 0) => {
                    *end_of_band_run = self.end_of_bands(run)? - 1;
                    return self.correct(*nonzero, k, last);
                }
                _ => self.take(1).map(|_| ())?,
            }
            while k <= last {
                if *nonzero >> k & 1 == 1 {
                    self.take(1)?;
                } else if zeros == 0 {
                    break;
                } else {
                    zeros -= 1;
                }
                k += 1;
            }
            if length > 0 && k <= last {
                *nonzero |= 1 << k;
            }
            k += 1;
        }
        Some(())
    }

    /// Moves past the correction bits of the coefficients that are not 0.
    fn correct(&mut self, nonzero: u64, first: u8, last: u8) -> Option<()> {
        for _ in (first..=last).filter(|k| nonzero >> k & 1 == 1) {
            self.take(1)?;
        }
        Some(())
    }
}
