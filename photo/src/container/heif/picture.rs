//! The picture that is shown: its size and colours, how it is cropped and turned, and its tiles.

use super::super::{Chunk, chunks};
use super::items::Meta;
use super::sequence::Sequence;
use super::stills::Stills;
use super::{Numbers, media_box, unsupported};
use crate::{CancelFlag, Orientation, PhotoError, Size};

/// The types of auxiliary pictures that hold alpha (ISO/IEC 23000-22 clause 7.3.5.2, ISO/IEC 23008-12 annex B.3).
const ALPHA_TYPES: [&[u8]; 2] =
    [b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1"];

/// A picture, as its item or its track describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picture<'a> {
    /// Its size before it is cropped and turned.
    pub size: Size,
    /// The part that is shown.
    pub crop: Crop,
    /// The turn that makes it upright.
    pub orientation: Orientation,
    /// What its samples mean.
    pub nclx: Option<Nclx>,
    /// Its colour profile, unchecked.
    pub profile: Option<&'a [u8]>,
    /// The item or track that holds its pixels or refers to its tiles, and what that is.
    pub(super) item: u32,
    pub(super) kind: [u8; 4],
    /// The item or track of its alpha.
    pub(super) alpha: Option<u32>,
    /// Whether its colours are already multiplied by alpha.
    pub is_premultiplied: bool,
}

/// A part of a picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crop {
    pub left: u32,
    pub top: u32,
    pub size: Size,
}

/// What samples mean, in the codes of ITU-T H.273.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nclx {
    pub primaries: u16,
    pub transfer: u16,
    pub matrix: u16,
    pub is_full_range: bool,
}

/// The tiles of a picture, in rows from the top. A picture of one item has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tiles<'a> {
    /// The number of tiles in a row.
    pub columns: u32,
    /// The size of each tile. Those of the last column and the last row can reach beyond the picture.
    pub size: Size,
    pub tiles: Vec<Tile<'a>>,
}

/// A part of a picture that is coded by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tile<'a> {
    /// The configuration of its decoder, the data of `hvcC`.
    pub configuration: &'a [u8],
    /// The parts of its data.
    pub data: Vec<&'a [u8]>,
}

/// The pictures of a file: its items, or the tracks of a sequence where no item is the primary picture.
pub(crate) enum Pictures<'a> {
    Stills(Stills<'a>),
    Sequence(Sequence<'a>),
}

impl<'a> Pictures<'a> {
    /// Reads the lists of a file, but no picture.
    ///
    /// # Errors
    /// [`PhotoError::Truncated`] if the file has no such lists, and [`PhotoError::Cancelled`].
    pub fn of(file: &'a [u8], cancel: &'a CancelFlag) -> Result<Pictures<'a>, PhotoError> {
        let meta = Meta::of(file, cancel);
        if meta.as_ref().and_then(Meta::primary).is_none()
            && let Some(sequence) = Sequence::of(file, cancel)
        {
            return Ok(Pictures::Sequence(sequence));
        }
        let mut boxes = chunks(Some(file), media_box, cancel);
        let meta = meta.ok_or_else(|| match boxes.any(|one| one.name == b"mini") {
            true => unsupported("in the short form of small pictures (mini)"),
            false => PhotoError::Truncated {
                bytes: file.len(),
                what: "the list of its pictures is missing".into(),
            },
        })?;
        Stills::of(meta, cancel).map(Pictures::Stills)
    }

    /// The picture that is shown where only one is: the primary item, or the first picture of a sequence.
    ///
    /// # Errors
    /// [`PhotoError::Corrupt`] if it is not described whole; [`PhotoError::UnsupportedFormat`].
    pub fn primary(&self) -> Result<Picture<'a>, PhotoError> {
        match self {
            Pictures::Stills(stills) => stills.primary(),
            Pictures::Sequence(sequence) => sequence.first(),
        }
    }

    /// The picture of another one's alpha.
    ///
    /// # Errors
    /// As those of [`Pictures::primary`].
    pub fn alpha_of(&self, picture: &Picture<'_>) -> Result<Option<Picture<'a>>, PhotoError> {
        match self {
            Pictures::Stills(stills) => stills.alpha_of(picture),
            Pictures::Sequence(sequence) => sequence.alpha_of(picture),
        }
    }

    /// The tiles of a picture, if they are coded as HEVC.
    ///
    /// # Errors
    /// [`PhotoError::UnsupportedFormat`] if they are coded in another way;
    /// [`PhotoError::Corrupt`] and [`PhotoError::Truncated`] if they are not all there.
    pub fn tiles(&self, picture: &Picture<'_>) -> Result<Tiles<'a>, PhotoError> {
        match self {
            Pictures::Stills(stills) => stills.tiles(picture),
            Pictures::Sequence(sequence) => sequence.tiles(picture),
        }
    }
}

/// The size of the primary picture as displayed.
pub(crate) fn displayed_size(file: &[u8], cancel: &CancelFlag) -> Option<Size> {
    let picture = Pictures::of(file, cancel).and_then(|pictures| pictures.primary()).ok()?;
    Some(picture.orientation.displayed(picture.crop.size))
}

/// The refusal of a picture that is not coded as HEVC.
pub(super) fn of_another_coding(kind: [u8; 4]) -> PhotoError {
    unsupported(&format!("of the coding {}", kind.escape_ascii()))
}

/// Whether an `auxC` of an item, or an `auxi` of a track, says that the picture is another one's alpha.
pub(super) fn says_alpha(data: &[u8]) -> bool {
    // A full box, whose text ends with a zero. The text may be as long as the file.
    let text = data.get(4..).unwrap_or_default();
    let mut behind = ALPHA_TYPES.iter().filter_map(|kind| text.strip_prefix(*kind));
    behind.any(|rest| matches!(rest, [] | [0, ..]))
}

/// Takes what a property says of colours (ISO/IEC 14496-12 clause 12.1.5).
pub(super) fn read_colours<'a>(
    property: &Chunk<'a>,
    nclx: &mut Option<Nclx>,
    profile: &mut Option<&'a [u8]>,
) {
    if property.name != b"colr" {
        return;
    }
    match property.data.split_first_chunk() {
        Some((b"nclx", codes)) => *nclx = Nclx::read(codes).or(*nclx),
        Some((b"prof" | b"rICC", icc)) => *profile = Some(icc),
        _ => {}
    }
}

impl Nclx {
    fn read(codes: &[u8]) -> Option<Nclx> {
        let mut numbers = Numbers(codes);
        let mut code = || numbers.uint(2).map(|code| code as u16);
        let (primaries, transfer, matrix) = (code()?, code()?, code()?);
        let is_full_range = numbers.uint(1)? & 0x80 != 0;
        Some(Nclx { primaries, transfer, matrix, is_full_range })
    }
}

impl Crop {
    /// The clean aperture of a picture of this size: a width, a height and the distance between the centres,
    /// all fractions (ISO/IEC 14496-12 clause 12.1.4).
    pub(super) fn read(data: &[u8], of: Size) -> Option<Crop> {
        let mut numbers = Numbers(data);
        let mut fraction = || {
            let (above, below) = (numbers.small(4)? as i32, numbers.small(4)? as i32);
            (below != 0).then(|| f64::from(above) / f64::from(below))
        };
        let (width, height) = (fraction()?, fraction()?);
        let (left, width) = side(width, fraction()?, of.width)?;
        let (top, height) = side(height, fraction()?, of.height)?;
        Some(Crop { left, top, size: Size { width, height } })
    }
}

/// The start and the length of a side of a clean aperture, in whole pixels of a side of this length.
fn side(length: f64, offset: f64, whole: u32) -> Option<(u32, u32)> {
    let start = (offset + (f64::from(whole) - length) / 2.0).round().max(0.0);
    let end = (start + length.round()).min(f64::from(whole));
    (start < end).then_some((start as u32, (end - start) as u32))
}

pub(super) fn size(width: u64, height: u64) -> Option<Size> {
    let (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    (width > 0 && height > 0).then_some(Size { width, height })
}
