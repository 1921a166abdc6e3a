//! Drives the HEVC decoder over the slices of one picture (ITU-T H.265).
//!
//! heifer's own driver trusts the stream: slices may cover the same blocks again and again, name other
//! parameter sets, and go on after their data. Here each slice must begin where the last one ended.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use heifer_hevc_dec::Error;
use heifer_hevc_dec::nal::{NalUnit, NalUnitType};
use heifer_hevc_dec::params::{ParameterSets, Pps, Sps};
use heifer_hevc_dec::recon::{Frame, Reconstructor};
use heifer_hevc_dec::slice::SliceHeader;
use heifer_hevc_dec::syntax::{
    CodingUnit, Picture, SaoParams, Sink, SliceStats, TransformBlock, decode_slice_segment,
};

use crate::container::heif::{Nclx, corrupt, unsupported};
use crate::{CancelFlag, PhotoError, Size};

/// Most luma samples of a coded picture, and most of a side (level 7.2, table A.8 and clause A.4.1).
const MAX_SAMPLES: u64 = 142_606_336;
const MAX_SIDE: u32 = 33_776;
/// Most columns and rows of HEVC's own tiles (table A.9).
const MAX_TILES: (u32, u32) = (20, 22);
/// Most luma samples of a picture whose edges of blocks are smoothed. In a large one nobody sees them, and the
/// filter cannot be cancelled.
const MAX_SMOOTHED: u64 = 16_000_000;
/// Most bits of a sample.
const MAX_BITS: u8 = 12;
/// Most slice segments of a picture: heifer counts them in 16 bits.
const MAX_SLICES: usize = 65_535;
/// Most bytes of a configuration, which is compared with that of each tile. Common ones have a hundred.
const MAX_RECORD: usize = 65_536;
/// Most parameter sets of a configuration.
const MAX_PARAMETER_SETS: usize = 64;
/// Bytes behind the data of a slice. The arithmetic decoder takes them for the end of the slice, within a
/// block; it would take the zeros that it reads by itself for any number of blocks.
const END: [u8; 64] = [0xFF; 64];

/// What the slices of a picture are decoded with.
pub(super) struct Configuration {
    sets: ParameterSets,
    /// Bytes of the length before each NAL unit.
    length_size: usize,
}

/// What a configuration says of the decoded picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// The size of the coded picture.
    pub coded: Size,
    /// The first column and row that are shown, and the size of what is shown.
    pub start: (u32, u32),
    pub shown: Size,
    /// Columns and rows of luma for each sample of chroma; `None` if there is no chroma.
    pub subsampling: Option<(u32, u32)>,
    /// Bits of a sample of luma and of chroma.
    pub bits: [u8; 2],
    /// What the samples mean.
    pub nclx: Nclx,
}

impl Configuration {
    /// Reads an HEVC decoder configuration record (ISO/IEC 14496-15 clause 8.3.3.1).
    ///
    /// # Errors
    /// [`PhotoError::Corrupt`]; [`PhotoError::UnsupportedFormat`].
    pub fn read(record: &[u8]) -> Result<Configuration, PhotoError> {
        if record.len() > MAX_RECORD {
            return Err(corrupt("its decoder configuration is longer than that of any photo"));
        }
        let invalid = || corrupt("its decoder configuration is cut off");
        let (fixed, mut rest) = record.split_first_chunk::<23>().ok_or_else(invalid)?;
        let length_size = usize::from(fixed[21] & 3) + 1;
        let mut sets = ParameterSets::default();
        let mut count = 0;
        for _ in 0..fixed[22] {
            let ([_, high, low], units) = rest.split_first_chunk().ok_or_else(invalid)?;
            rest = units;
            for _ in 0..u16::from_be_bytes([*high, *low]) {
                count += 1;
                if count > MAX_PARAMETER_SETS {
                    return Err(corrupt("it has more parameter sets than any photo has"));
                }
                let (unit, behind) = split_unit(rest, 2).ok_or_else(invalid)?;
                rest = behind;
                let unit = NalUnit::parse(unit).map_err(refusal)?;
                if matches!(unit.header.unit_type, NalUnitType::Sps | NalUnitType::Pps) {
                    if unit.header.unit_type == NalUnitType::Sps {
                        sets.pps.clear(); // they were read by another one
                    }
                    sets.add(&unit).map_err(refusal)?;
                    // What comes after an SPS is read in time and memory that follow its size.
                    sets.sps.iter().flatten().try_for_each(refuse_large)?;
                }
            }
        }
        Ok(Configuration { sets, length_size })
    }

    /// The layout of the picture.
    ///
    /// # Errors
    /// [`PhotoError::Corrupt`] and [`PhotoError::UnsupportedFormat`] if no decoder should try it.
    pub fn layout(&self) -> Result<Layout, PhotoError> {
        let mut all = self.sets.sps.iter().flatten();
        let (Some(sps), None) = (all.next(), all.next()) else {
            return Err(unsupported("with several sequence parameter sets, or none"));
        };
        let coded =
            Size { width: sps.pic_width_in_luma_samples, height: sps.pic_height_in_luma_samples };
        if sps.separate_colour_plane_flag {
            return Err(unsupported("with separate colour planes"));
        }
        let bits = [sps.bit_depth_luma, sps.bit_depth_chroma];
        if bits.iter().any(|bits| *bits > MAX_BITS) {
            return Err(unsupported("with more than 12 bits a sample"));
        }
        if !self.sets.pps.iter().flatten().all(has_few_tiles) {
            return Err(corrupt("it has more tiles than a level allows"));
        }
        let step = sps.chroma_subsampling();
        let [left, right, top, bottom] = sps.conf_win_offsets.map(u64::from);
        let side = |whole: u32, step: u32, start: u64, end: u64| {
            let length = u64::from(whole).checked_sub((start + end) * u64::from(step))?;
            let start = u32::try_from(start * u64::from(step)).ok()?;
            Some((start, u32::try_from(length).ok().filter(|length| *length > 0)?))
        };
        let across = side(coded.width, step.0, left, right);
        let down = side(coded.height, step.1, top, bottom);
        let (Some((left, width)), Some((top, height))) = (across, down) else {
            return Err(corrupt("it shows nothing of its picture"));
        };
        let subsampling = (sps.chroma_format_idc != 0).then_some(step);
        let (start, shown) = ((left, top), Size { width, height });
        Ok(Layout { coded, start, shown, subsampling, bits, nclx: nclx(sps) })
    }

    /// Decodes a picture whose [`Configuration::layout`] was checked, uncropped, with the edges of its blocks
    /// smoothed or as they are. The message of a failure names the bytes of the file.
    ///
    /// # Errors
    /// [`PhotoError::Truncated`] if a part of it is missing, [`PhotoError::Corrupt`],
    /// [`PhotoError::UnsupportedFormat`], and [`PhotoError::Cancelled`] within a block of the coding tree after
    /// the flag is raised.
    pub fn decode(
        &self,
        data: &[u8],
        file_bytes: usize,
        is_smoothed: bool,
        cancel: &CancelFlag,
    ) -> Result<Frame, PhotoError> {
        let missing = || missing(file_bytes);
        let mut slices = Slices { sets: &self.sets, file_bytes, started: None, previous: None };
        let mut rest = data;
        for _ in 0..MAX_SLICES {
            if rest.is_empty() {
                break;
            }
            cancel.check()?;
            let (unit, behind) = split_unit(rest, self.length_size).ok_or_else(missing)?;
            rest = behind;
            let unit = NalUnit::parse(unit).map_err(refusal)?;
            if !unit.header.unit_type.is_slice() || unit.header.layer_id != 0 {
                continue;
            }
            let begins_picture = unit.rbsp.first().is_some_and(|byte| byte & 0x80 != 0);
            if begins_picture && slices.started.is_some() {
                break; // only the first picture is shown
            }
            slices.decode(&unit, cancel)?;
        }
        let (picture, reconstructor) = slices.started.ok_or_else(missing)?;
        if !picture.is_complete() {
            return Err(missing());
        }
        drop(picture);
        Ok(reconstructor.finish(!is_smoothed))
    }
}

/// The slices of one picture.
struct Slices<'a> {
    sets: &'a ParameterSets,
    file_bytes: usize,
    /// What the slices so far have given.
    started: Option<(Picture<'a>, Reconstructor<'a>)>,
    /// The header of the last slice that does not depend on another one.
    previous: Option<SliceHeader>,
}

impl Slices<'_> {
    /// Decodes the next slice.
    fn decode(&mut self, unit: &NalUnit<'_>, cancel: &CancelFlag) -> Result<(), PhotoError> {
        let header =
            SliceHeader::parse(&unit.rbsp, &unit.header, self.sets, self.previous.as_ref());
        let header = header.map_err(refusal)?;
        let sets = self.sets.get(usize::from(header.slice_pic_parameter_set_id));
        let (pps, sps) = sets.map_err(refusal)?;
        let start = || (Picture::new(sps, pps), Reconstructor::new(sps, pps));
        let (picture, reconstructor) = self.started.get_or_insert_with(start);
        if !std::ptr::eq(picture.pps, pps) {
            return Err(unsupported("whose slices have different parameter sets"));
        }
        let next = picture.layout.ts_to_rs.get(picture.decoded_ctbs as usize);
        if next != Some(&header.slice_segment_address) {
            return Err(corrupt("a slice does not begin where the one before it ends"));
        }
        let slice = unit.rbsp.get(header.header_size..).unwrap_or_default();
        let slice_qp = header.slice_qp_y(self.sets).map_err(refusal)?;
        let ended = [slice, &END].concat();
        reconstructor.start_slice(&header);
        let mut sink = Cancellable { to: reconstructor, cancel };
        let decoded = sink.decode(picture, &header, slice_qp, &ended)?;
        let decoded = decoded.map_err(|error| match error == Error::UnexpectedEof {
            true => missing(self.file_bytes),
            false => refusal(error),
        })?;
        if let Some(error) = reconstructor.error.take() {
            return Err(refusal(error));
        }
        if decoded.end_position > slice.len() {
            return Err(missing(self.file_bytes));
        }
        if !header.dependent_slice_segment_flag {
            // Each dependent slice copies the header, and needs no entry points of another one.
            self.previous = Some(SliceHeader { entry_point_offsets: Vec::new(), ..header });
        }
        Ok(())
    }
}

impl Layout {
    /// The number of samples of a coded picture.
    pub fn samples(&self) -> u64 {
        let luma = self.coded.pixels();
        luma + self.subsampling.map_or(0, |(across, down)| 2 * luma / u64::from(across * down))
    }

    /// Whether the edges of blocks are smoothed in a picture that is reduced by this.
    pub fn is_smoothed(&self, reduction: u32) -> bool {
        reduction == 1 && self.coded.pixels() <= MAX_SMOOTHED
    }

    /// Most bytes that decoding takes: samples of 16 bits, those of luma once more to smooth edges, and some bytes
    /// for each block of 4x4.
    pub fn memory(&self, is_smoothed: bool) -> u64 {
        let luma = self.coded.pixels();
        let copied = if is_smoothed { luma } else { 0 };
        2 * (self.samples() + copied) + BYTES_OF_A_BLOCK * luma / 16
    }
}

/// Bytes that heifer holds for a block of 4x4, and for its part of a block of the coding tree.
const BYTES_OF_A_BLOCK: u64 = 24;

/// Passes the blocks of a slice on until the flag is raised.
struct Cancellable<'a, 'b> {
    to: &'a mut Reconstructor<'b>,
    cancel: &'a CancelFlag,
}

/// What unwinds through the decoder, which knows no other way to stop.
struct Cancelled;

impl Cancellable<'_, '_> {
    fn decode(
        &mut self,
        picture: &mut Picture<'_>,
        header: &SliceHeader,
        slice_qp: i32,
        data: &[u8],
    ) -> Result<Result<SliceStats, Error>, PhotoError> {
        // After the flag, neither picture nor reconstructor is used again.
        let decode = || decode_slice_segment(picture, header, slice_qp, data, self);
        catch_unwind(AssertUnwindSafe(decode)).map_err(|payload| match payload.downcast() {
            Ok(cancelled) => {
                let Cancelled = *cancelled;
                PhotoError::Cancelled
            }
            Err(panic) => resume_unwind(panic),
        })
    }
}

impl Sink for Cancellable<'_, '_> {
    fn sao(&mut self, x: u32, y: u32, parameters: &SaoParams) {
        self.to.sao(x, y, parameters);
    }

    fn transform_block(&mut self, block: &TransformBlock<'_>) {
        self.to.transform_block(block);
    }

    fn pcm(&mut self, x: u32, y: u32, log2_size: u8, samples: [&[u16]; 3]) {
        self.to.pcm(x, y, log2_size, samples);
    }

    fn coding_unit(&mut self, unit: &CodingUnit) {
        self.to.coding_unit(unit);
        if self.cancel.check().is_err() {
            resume_unwind(Box::new(Cancelled));
        }
    }
}

fn refuse_large(sps: &Sps) -> Result<(), PhotoError> {
    let (width, height) = (sps.pic_width_in_luma_samples, sps.pic_height_in_luma_samples);
    let samples = u64::from(width) * u64::from(height);
    if samples > MAX_SAMPLES || width.max(height) > MAX_SIDE {
        return Err(unsupported(&format!("with a tile of {width}x{height} pixels")));
    }
    Ok(())
}

fn has_few_tiles(pps: &Pps) -> bool {
    pps.tiles
        .as_ref()
        .is_none_or(|tiles| tiles.num_columns <= MAX_TILES.0 && tiles.num_rows <= MAX_TILES.1)
}

/// The first NAL unit, after its length of `length_size` bytes, and what follows it.
fn split_unit(bytes: &[u8], length_size: usize) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_at_checked(length_size)?;
    let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    rest.split_at_checked(length)
}

/// The refusal of a picture that ends too soon, in a file of this many bytes.
fn missing(bytes: usize) -> PhotoError {
    PhotoError::Truncated { bytes, what: "a tile of the picture is not whole".into() }
}

fn refusal(error: Error) -> PhotoError {
    match error {
        Error::Unimplemented(what) => unsupported(&format!("with {what}")),
        Error::UnexpectedEof | Error::Invalid(_) | Error::HashMismatch(_) => {
            corrupt(&format!("the HEVC decoder says \"{error}\""))
        }
    }
}

/// What the stream says of its samples, as far as its container does not. Gray has full range unless
/// something is said of it, as in libheif.
fn nclx(sps: &Sps) -> Nclx {
    let untold =
        Nclx { primaries: 2, transfer: 2, matrix: 2, is_full_range: sps.chroma_format_idc == 0 };
    let told = sps.vui.as_ref().map(|vui| Nclx {
        primaries: vui.colour_primaries.into(),
        transfer: vui.transfer_characteristics.into(),
        matrix: vui.matrix_coeffs.into(),
        is_full_range: vui.video_full_range_flag,
    });
    told.filter(|told| *told != Nclx { is_full_range: false, ..untold }).unwrap_or(untold)
}
