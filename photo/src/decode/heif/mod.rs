//! HEIC: the primary picture, one tile after another. Tiles are reduced and gathered in planes as soon as
//! they are decoded, so that no more than one is held at its full size.

mod alpha;
mod colour;
mod hdr;
mod hevc;
mod planes;

use std::borrow::Cow;

pub(super) use self::colour::Colours;
use self::hevc::{Configuration, Layout};
use self::planes::{Plane, Samples};
use crate::container::heif::{Crop, Picture, Pictures, Tiles, corrupt, unsupported};
use crate::metadata::icc;
use crate::pixels::samples::opacity_of;
use crate::pixels::{Area, Decoded, DecodedPlane};
use crate::{CancelFlag, DctScale, Orientation, PhotoError, Size};

/// Most samples of all tiles, of luma and chroma: 220 megapixels in 4:2:0.
const MAX_SAMPLES: u64 = 330_000_000;
/// Copies of a tile's data: put together, without its escapes, and with an end.
const COPIES_OF_DATA: u64 = 3;

/// The properties of a photo that stand before its pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The size of what is shown, before it is turned.
    pub size: Size,
    /// The turn that makes it upright.
    pub orientation: Orientation,
    /// The colour profile that the thumbnail keeps.
    pub profile: Option<Vec<u8>>,
    /// What the samples mean.
    pub colours: Colours,
    /// The size of the whole picture, and the part of it that is shown.
    whole: Size,
    crop: Crop,
    /// The tiles, and those of alpha.
    tiling: Tiling,
    alpha: Option<Tiling>,
}

/// What decides how tiles are decoded and what that takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tiling {
    layout: Layout,
    tiles: u64,
    /// The size of all coded tiles together, of which the picture can be a small part.
    stored: Size,
    /// Most bytes of a tile's data.
    largest: u64,
    /// The largest power of two by which all planes of each tile can be divided.
    divisor: u32,
}

/// Reads the primary picture's description, and the configuration of its tiles.
///
/// # Errors
/// Any [`PhotoError`] that can be found without decoding the photo; [`PhotoError::Cancelled`].
pub(super) fn header(photo: &[u8], cancel: &CancelFlag) -> Result<Header, PhotoError> {
    let pictures = Pictures::of(photo, cancel)?;
    let picture = pictures.primary()?;
    let tiling = Tiling::of(&pictures.tiles(&picture)?, cancel)?;
    let alpha = pictures.alpha_of(&picture)?;
    let alpha = alpha.map(|alpha| alpha_tiling(&pictures, &alpha, picture.size, cancel));
    let alpha = alpha.transpose()?;
    let channels = if tiling.layout.subsampling.is_some() { 3 } else { 1 };
    let profile = picture.profile.filter(|profile| icc::fits(profile, channels));
    let colours = Colours::of(picture.nclx.unwrap_or(tiling.layout.nclx), profile.is_some());
    if colours.is_rgb() && tiling.layout.subsampling != Some((1, 1)) {
        return Err(corrupt("its red, green and blue have different sizes"));
    }
    // Gray has no primaries that a profile could tell.
    let of_primaries = || colours.profile().filter(|_| channels > 1);
    let profile = profile.map(<[u8]>::to_vec).or_else(of_primaries);
    let header = Header {
        size: picture.crop.size,
        orientation: picture.orientation,
        profile,
        colours,
        whole: picture.size,
        crop: picture.crop,
        tiling,
        alpha,
    };
    if header.tilings().map(Tiling::samples).sum::<u64>() > MAX_SAMPLES {
        let Size { width, height } = header.whole;
        return Err(unsupported(&format!("of {width}x{height} pixels")));
    }
    Ok(header)
}

fn alpha_tiling(
    pictures: &Pictures<'_>,
    alpha: &Picture<'_>,
    size: Size,
    cancel: &CancelFlag,
) -> Result<Tiling, PhotoError> {
    if alpha.size != size {
        return Err(unsupported("whose alpha has another size"));
    }
    Tiling::of(&pictures.tiles(alpha)?, cancel)
}

impl Tiling {
    /// What the tiles have in common: they share a configuration, or have equal ones.
    fn of(tiles: &Tiles<'_>, cancel: &CancelFlag) -> Result<Tiling, PhotoError> {
        let first = tiles.tiles.first().ok_or_else(|| corrupt("it has no tiles"))?;
        let layout = Configuration::read(first.configuration)?.layout()?;
        let mut largest = 0;
        for tile in &tiles.tiles {
            cancel.check()?;
            if tile.configuration != first.configuration {
                return Err(unsupported("whose tiles have different configurations"));
            }
            let bytes = tile.data.iter().map(|part| part.len() as u64).sum::<u64>();
            largest = largest.max(bytes);
        }
        if layout.shown != tiles.size {
            return Err(corrupt("its tiles are not as large as it says"));
        }
        let count = tiles.tiles.len() as u64;
        let (across, down) = layout.subsampling.unwrap_or((1, 1));
        let Size { width, height } = tiles.size;
        if count > 1 && (width % across != 0 || height % down != 0) {
            return Err(corrupt("its tiles have a half sample of chroma"));
        }
        let divisors = [width / across, height / down].map(|side| side & side.wrapping_neg());
        let divisor = if count == 1 { u32::MAX } else { divisors[0].min(divisors[1]) };
        let rows = count / u64::from(tiles.columns.max(1));
        let stored = Size {
            width: layout.coded.width.saturating_mul(tiles.columns),
            height: layout.coded.height.saturating_mul(u32::try_from(rows).unwrap_or(u32::MAX)),
        };
        Ok(Tiling { layout, tiles: count, stored, largest, divisor })
    }

    fn samples(self) -> u64 {
        self.tiles.saturating_mul(self.layout.samples())
    }

    fn memory(self, reduction: u32) -> u64 {
        let is_smoothed = self.layout.is_smoothed(reduction);
        self.layout.memory(is_smoothed) + COPIES_OF_DATA * self.largest
    }
}

impl Header {
    /// The tilings of the picture and of its alpha.
    fn tilings(&self) -> impl Iterator<Item = Tiling> {
        [Some(self.tiling), self.alpha].into_iter().flatten()
    }

    /// The number of samples of a side that become one while tiles are gathered, 1 or 2. A mean of more would
    /// cost quality and save hardly any time.
    fn reduction(&self, scale: DctScale) -> u32 {
        let wanted = if 2 * scale.eighths() <= DctScale::FULL.eighths() { 2 } else { 1 };
        self.tilings().map(|tiling| tiling.divisor).fold(wanted, u32::min)
    }

    /// The size of what is decoded, of the picture or of its alpha.
    pub fn stored(&self) -> Size {
        let sizes = self.tilings().map(|tiling| tiling.stored);
        sizes.max_by_key(|size| size.pixels()).unwrap_or(self.whole)
    }

    /// Most bytes that decoding at this scale takes.
    pub fn memory(&self, scale: DctScale) -> u64 {
        let reduction = self.reduction(scale);
        let reduced = |step| Plane::size(self.whole, step, reduction).pixels();
        let chroma = self.tiling.layout.subsampling.map_or(0, |step| 2 * reduced(step));
        let luma = reduced((1, 1));
        // Planes of red, green and blue are copied to pixels.
        let copies = if self.colours.is_rgb() { 2 } else { 1 };
        // After alpha, a plane of chroma is held twice while it is copied behind luma.
        let alpha = self.alpha.map_or(0, |_| luma).max(chroma / 2);
        let of_a_tile = self.tilings().map(|tiling| tiling.memory(reduction)).max();
        let of_a_tile = of_a_tile.unwrap_or_default();
        (luma + chroma) * copies + alpha + of_a_tile
    }

    /// Whether luma and chroma stay apart.
    pub fn is_planar(&self) -> bool {
        self.tiling.layout.subsampling.is_some() && !self.colours.is_rgb()
    }

    /// The share of the full size at which the photo is decoded, in eighths.
    pub fn eighths(&self, scale: DctScale) -> u32 {
        8 / self.reduction(scale)
    }
}

/// Decodes at this scale, or at a larger one if the tiles do not allow it.
///
/// # Errors
/// Any [`PhotoError`] of the decoder; [`PhotoError::Cancelled`].
pub(super) fn decode(
    photo: &[u8],
    header: &Header,
    scale: DctScale,
    cancel: &CancelFlag,
) -> Result<Decoded, PhotoError> {
    let pictures = Pictures::of(photo, cancel)?;
    let picture = pictures.primary()?;
    let reduction = header.reduction(scale);
    let layout = &header.tiling.layout;
    let levels = header.colours.luma_levels(layout.bits[0]);
    let mut planes = vec![Plane::new(header.whole, (1, 1), reduction, levels)];
    for step in layout.subsampling.into_iter().flat_map(|step| [step; 2]) {
        let levels = header.colours.chroma_levels(layout.bits[1]);
        planes.push(Plane::new(header.whole, step, reduction, levels));
    }
    gather(&pictures.tiles(&picture)?, layout, &mut planes, photo.len(), cancel)?;
    let mut opacity = None;
    if let (Some(tiling), Some(alpha)) = (header.alpha, pictures.alpha_of(&picture)?) {
        let levels = colour::full_range_levels(tiling.layout.bits[0]);
        let mut plane = [Plane::new(header.whole, (1, 1), reduction, levels)];
        gather(&pictures.tiles(&alpha)?, &tiling.layout, &mut plane, photo.len(), cancel)?;
        let [alpha] = plane;
        alpha::put_on_white(&mut planes, &alpha, picture.is_premultiplied, &header.colours);
        opacity = opacity_of(&alpha.data, alpha.reduced);
    }
    Ok(Decoded { opacity, ..header.decoded(planes, reduction) })
}

/// Decodes tiles one after another, and puts each into the planes.
fn gather(
    tiles: &Tiles<'_>,
    layout: &Layout,
    planes: &mut [Plane],
    file_bytes: usize,
    cancel: &CancelFlag,
) -> Result<(), PhotoError> {
    let first = tiles.tiles.first().ok_or_else(|| corrupt("it has no tiles"))?;
    let configuration = Configuration::read(first.configuration)?;
    let is_smoothed = planes.iter().all(|plane| layout.is_smoothed(plane.reduction));
    for (number, tile) in (0..).zip(&tiles.tiles) {
        let data = match tile.data.as_slice() {
            [part] => Cow::Borrowed(*part),
            parts => Cow::Owned(parts.concat()),
        };
        let frame = configuration.decode(&data, file_bytes, is_smoothed, cancel)?;
        let left = number % tiles.columns * tiles.size.width;
        let top = number / tiles.columns * tiles.size.height;
        let components = frame.planes.iter().zip(frame.widths);
        for (plane, (data, width)) in planes.iter_mut().zip(components) {
            let (across, down) = plane.step;
            let start = (layout.start.0 / across, layout.start.1 / down);
            let samples = Samples { data, stride: width as usize, start };
            plane.put(samples, (left, top), tiles.size);
        }
    }
    Ok(())
}

impl Header {
    /// The planes as a picture, of which the part inside of the crop is shown.
    fn decoded(&self, planes: Vec<Plane>, reduction: u32) -> Decoded {
        let Crop { left, top, size } = self.crop;
        let content = |(across, down): (u32, u32)| {
            let [across, down] = [across, down].map(|step| f64::from(step * reduction));
            Area {
                left: f64::from(left) / across,
                top: f64::from(top) / down,
                width: f64::from(size.width) / across,
                height: f64::from(size.height) / down,
            }
        };
        if let ([green, blue, red], true) = (planes.as_slice(), self.colours.is_rgb()) {
            let pixels = red.data.iter().zip(&green.data).zip(&blue.data);
            let data: Vec<u8> = pixels.flat_map(|((r, g), b)| [*r, *g, *b]).collect();
            let (range, size) = (0..data.len(), red.reduced);
            let plane = DecodedPlane { range, size, channels: 3, content: content((1, 1)) };
            return Decoded { data, planes: vec![plane], opacity: None };
        }
        let mut decoded = Decoded { data: Vec::new(), planes: Vec::new(), opacity: None };
        let length = planes.iter().map(|plane| plane.data.len()).sum::<usize>();
        for plane in planes {
            let start = decoded.data.len();
            let range = start..start + plane.data.len();
            let content = content(plane.step);
            let size = plane.reduced;
            decoded.planes.push(DecodedPlane { range, size, channels: 1, content });
            match start {
                0 => {
                    decoded.data = plane.data;
                    decoded.data.reserve_exact(length - decoded.data.len());
                }
                _ => decoded.data.extend_from_slice(&plane.data),
            }
        }
        decoded
    }
}
