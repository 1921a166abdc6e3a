//! Image sequences, such as bursts, cinemagraphs and animated stickers: a track's first picture, and its alpha
//! (ISO/IEC 23008-12 clause 7, ISO/IEC 14496-12 clause 8).

use super::super::{Chunk, chunks};
use super::items::MAX_SEARCHED;
use super::picture::{
    Crop, Picture, Tile, Tiles, of_another_coding, read_colours, says_alpha, size,
};
use super::{Numbers, corrupt, media_box, unsupported};
use crate::{CancelFlag, Orientation, PhotoError};

/// Bytes of a sample entry before its boxes (ISO/IEC 14496-12 clause 12.1.3).
const ENTRY_BYTES: usize = 78;
/// Where the width stands in it, before the height.
const ENTRY_WIDTH: usize = 24;

/// The tracks of a file.
pub(crate) struct Sequence<'a> {
    file: &'a [u8],
    tracks: Vec<Boxes<'a>>,
    cancel: &'a CancelFlag,
}

/// The data of a box that holds other boxes.
#[derive(Clone, Copy)]
struct Boxes<'a> {
    data: &'a [u8],
    cancel: &'a CancelFlag,
}

/// How the pictures of a track are coded.
struct SampleEntry<'a> {
    /// The coding, such as `hvc1`.
    kind: [u8; 4],
    /// Width and height.
    sides: (u64, u64),
    boxes: Boxes<'a>,
}

impl<'a> Sequence<'a> {
    /// The tracks of the file's movie; `None` if there is no movie.
    pub fn of(file: &'a [u8], cancel: &'a CancelFlag) -> Option<Sequence<'a>> {
        let movie = Boxes { data: file, cancel }.inside(&[b"moov"])?;
        let tracks = movie.all().filter(|inner| inner.name == b"trak");
        let tracks = tracks.map(|track| Boxes { data: track.data, cancel }).collect();
        Some(Sequence { file, tracks, cancel })
    }

    /// The first picture of the first track that is shown.
    ///
    /// # Errors
    /// [`PhotoError::Corrupt`] if it is not described whole; [`PhotoError::UnsupportedFormat`].
    pub fn first(&self) -> Result<Picture<'a>, PhotoError> {
        let is_shown = |track: &Boxes<'_>| {
            track.handler().is_some_and(|handler| matches!(&handler, b"pict" | b"vide"))
        };
        let number = self.tracks.iter().position(is_shown);
        self.picture(number.ok_or_else(|| unsupported("with no track of pictures"))?)
    }

    /// The first picture of another one's alpha.
    ///
    /// # Errors
    /// As those of [`Sequence::first`].
    pub fn alpha_of(&self, picture: &Picture<'_>) -> Result<Option<Picture<'a>>, PhotoError> {
        picture.alpha.map(|alpha| self.picture(alpha as usize)).transpose()
    }

    fn picture(&self, number: usize) -> Result<Picture<'a>, PhotoError> {
        self.cancel.check()?;
        let track = self.track(number)?;
        let entry = track.sample_entry()?;
        let size = size(entry.sides.0, entry.sides.1);
        let size = size.ok_or_else(|| corrupt("it does not tell its size"))?;
        let mut crop = Crop { left: 0, top: 0, size };
        let (mut nclx, mut profile) = (None, None);
        for property in entry.boxes.all() {
            match property.name {
                b"clap" => crop = Crop::read(property.data, size).unwrap_or(crop),
                _ => read_colours(&property, &mut nclx, &mut profile),
            }
        }
        let id = track.id();
        let is_alpha = |other: &Boxes<'_>| id.is_some_and(|id| other.is_alpha_of(id));
        let alpha = self.tracks.iter().position(is_alpha);
        Ok(Picture {
            size,
            crop,
            orientation: track.orientation()?,
            nclx,
            profile,
            item: u32::try_from(number).unwrap_or(u32::MAX),
            kind: entry.kind,
            alpha: alpha.and_then(|alpha| u32::try_from(alpha).ok()),
            is_premultiplied: false,
        })
    }

    fn track(&self, number: usize) -> Result<Boxes<'a>, PhotoError> {
        self.tracks.get(number).copied().ok_or_else(|| corrupt("a track is missing"))
    }

    /// The picture as the only tile, if it is coded as HEVC.
    ///
    /// # Errors
    /// [`PhotoError::UnsupportedFormat`] if it is coded in another way;
    /// [`PhotoError::Corrupt`] and [`PhotoError::Truncated`] if it is not there.
    pub fn tiles(&self, picture: &Picture<'_>) -> Result<Tiles<'a>, PhotoError> {
        if !matches!(&picture.kind, b"hvc1" | b"hev1") {
            return Err(of_another_coding(picture.kind));
        }
        let track = self.track(picture.item as usize)?;
        let configuration = track.sample_entry()?.boxes.inside(&[b"hvcC"]);
        let configuration = configuration.ok_or_else(|| corrupt("a track has no hvcC"))?.data;
        let (offset, length) = track.first_sample()?;
        let data = usize::try_from(offset).ok().and_then(|offset| self.file.get(offset..));
        let data = data.and_then(|data| data.get(..length));
        let data = data.ok_or_else(|| PhotoError::image_data_is_missing(self.file.len()))?;
        let tile = Tile { configuration, data: vec![data] };
        Ok(Tiles { columns: 1, size: picture.size, tiles: vec![tile] })
    }
}

impl<'a> Boxes<'a> {
    fn all(self) -> impl Iterator<Item = Chunk<'a>> {
        chunks(Some(self.data), media_box, self.cancel).take(MAX_SEARCHED)
    }

    /// The first box with the first name, and so on inside of it.
    fn inside(self, path: &[&[u8; 4]]) -> Option<Boxes<'a>> {
        path.iter().try_fold(self, |outer, name| {
            let found = outer.all().find(|inner| inner.name == *name)?;
            Some(Boxes { data: found.data, ..self })
        })
    }

    fn numbers(self, path: &[&[u8; 4]]) -> Option<(u64, Numbers<'a>)> {
        Numbers::of_box(self.inside(path)?.data)
    }

    /// What a track holds, such as `pict` (clause 8.4.3).
    fn handler(self) -> Option<[u8; 4]> {
        let (_, mut numbers) = self.numbers(&[b"mdia", b"hdlr"])?;
        numbers.skip(4)?; // a reserved number
        numbers.0.first_chunk().copied()
    }

    /// The number by which other tracks refer to a track (clause 8.3.2).
    fn id(self) -> Option<u64> {
        let (version, mut numbers) = self.numbers(&[b"tkhd"])?;
        numbers.skip(if version == 0 { 8 } else { 16 })?; // times of creation and modification
        numbers.uint(4)
    }

    /// The turn that a track's matrix asks for (clause 8.3.2).
    fn orientation(self) -> Result<Orientation, PhotoError> {
        let matrix = || {
            let (version, mut numbers) = self.numbers(&[b"tkhd"])?;
            // Times, the ID, the duration; reserved numbers, the layer, the group and the volume.
            numbers.skip(if version == 0 { 20 } else { 32 } + 16)?;
            let mut number = || numbers.small(4).map(|number| (number as i32).signum());
            let (a, b, _, c, d) = (number()?, number()?, number()?, number()?, number()?);
            Some((a, b, c, d))
        };
        let orientation = match matrix().ok_or_else(|| corrupt("a track has no header"))? {
            (1, 0, 0, 1) => Orientation::Upright,
            (-1, 0, 0, 1) => Orientation::MirroredHorizontally,
            (-1, 0, 0, -1) => Orientation::UpsideDown,
            (1, 0, 0, -1) => Orientation::MirroredVertically,
            (0, 1, 1, 0) => Orientation::Transposed,
            (0, 1, -1, 0) => Orientation::TurnClockwise,
            (0, -1, -1, 0) => Orientation::Transversed,
            (0, -1, 1, 0) => Orientation::TurnCounterClockwise,
            _ => return Err(unsupported("that is turned by other angles than 90 degrees")),
        };
        Ok(orientation)
    }

    /// Whether this track holds the alpha of the track with this ID (ISO/IEC 23008-12 clause 7.5.3).
    fn is_alpha_of(self, id: u64) -> bool {
        let refers = self.inside(&[b"tref", b"auxl"]).is_some_and(|references| {
            let mut ids = Numbers(references.data);
            std::iter::from_fn(|| ids.uint(4)).any(|one| one == id)
        });
        let kind = || self.sample_entry().ok()?.boxes.inside(&[b"auxi"]);
        refers
            && self.handler() == Some(*b"auxv")
            && kind().is_some_and(|kind| says_alpha(kind.data))
    }

    fn samples(self) -> Result<Boxes<'a>, PhotoError> {
        let samples = self.inside(&[b"mdia", b"minf", b"stbl"]);
        samples.ok_or_else(|| corrupt("a track has no table of its pictures"))
    }

    /// The first sample entry (clause 8.5.2).
    fn sample_entry(self) -> Result<SampleEntry<'a>, PhotoError> {
        let samples = self.samples()?;
        let entry = || {
            let (_, mut numbers) = samples.numbers(&[b"stsd"])?;
            numbers.skip(4)?; // their number
            let entry = media_box(numbers.0)?;
            let (fixed, boxes) = entry.data.split_at_checked(ENTRY_BYTES)?;
            let mut sides = Numbers(fixed.get(ENTRY_WIDTH..)?);
            let sides = (sides.uint(2)?, sides.uint(2)?);
            let boxes = Boxes { data: boxes, ..self };
            Some(SampleEntry { kind: *entry.name.first_chunk()?, sides, boxes })
        };
        entry().ok_or_else(|| corrupt("a track does not tell how it is coded"))
    }

    /// Where the first picture lies in the file, and its bytes (clauses 8.7.3 and 8.7.5).
    fn first_sample(self) -> Result<(u64, usize), PhotoError> {
        let samples = self.samples()?;
        let size = || {
            let (_, mut numbers) = samples.numbers(&[b"stsz"])?;
            let of_all = numbers.uint(4)?;
            let count = numbers.uint(4)?;
            if count == 0 || of_all != 0 { Some(of_all) } else { numbers.uint(4) }
        };
        let compact_size = || {
            let (_, mut numbers) = samples.numbers(&[b"stz2"])?;
            let bits = numbers.uint(4)?;
            numbers.skip(4)?; // their number
            match bits {
                4 => numbers.uint(1).map(|two| two >> 4),
                8 | 16 => numbers.uint(bits as usize / 8),
                _ => None,
            }
        };
        let offset = || {
            let short = samples.numbers(&[b"stco"]).map(|(_, numbers)| (numbers, 4));
            let long = || samples.numbers(&[b"co64"]).map(|(_, numbers)| (numbers, 8));
            let (mut numbers, width) = short.or_else(long)?;
            numbers.skip(4)?; // their number
            numbers.uint(width)
        };
        let place = size().or_else(compact_size).zip(offset());
        let place = place.and_then(|(size, offset)| Some((offset, usize::try_from(size).ok()?)));
        place.ok_or_else(|| unsupported("whose first picture is not in its table"))
    }
}
