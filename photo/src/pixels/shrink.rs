//! Shrinks a decoder's planes to a picture of the target size.

use std::borrow::Cow;
use std::ops::Range;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3, U8x4};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};

use super::{Picture, Pixels};
use crate::{PhotoError, Size};

/// Rows of a single channel that are resized together, as the channels of one picture.
const LANES: usize = 4;
/// Parts in which that is done, so that no second plane is held beside the first. Each computes the filter's weights
/// anew, so a plane of few bytes is done at once.
const BANDS: usize = 4;
const FEW_BYTES: usize = 1 << 20;

/// Samples that are to be shrunk: one packed plane, or luma and two chroma planes.
pub(crate) struct Source<'a>(Vec<Plane<'a>>);

/// One plane of a source.
#[derive(Clone, Copy)]
struct Plane<'a> {
    data: &'a [u8],
    size: Size,
    channels: usize,
    /// The exact area of the picture.
    content: Area,
}

/// A decoder's output: one packed plane, or luma and two chroma planes.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The samples of all planes, one plane after another.
    pub data: Vec<u8>,
    /// The planes: one or three.
    pub planes: Vec<DecodedPlane>,
    /// How opaque the picture was before it was put on white, coarsely: one sample for each cell of a grid over the
    /// whole picture. `None` if it was opaque.
    pub opacity: Option<Pixels>,
}

/// One plane of a decoder's output.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedPlane {
    /// The plane's bytes in [`Decoded::data`].
    pub range: Range<usize>,
    /// Width and height in samples.
    pub size: Size,
    /// Channels of a sample, one byte each: 1 or 3.
    pub channels: usize,
    /// The exact area of the picture; the rest is padding, or cropped. For example, 5323 pixels decoded at
    /// 3/8 are 1996.125 samples in a plane of 1997.
    pub content: Area,
}

/// A part of a plane, in samples. Filters may need one that reaches beyond the plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// The distance from the left edge.
    pub left: f64,
    /// The distance from the upper edge.
    pub top: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
}

impl Decoded {
    /// The planes with every sample that is not wholly inside the picture overwritten by the nearest one
    /// that is. Such samples may hold anything, and filters reach beyond the picture's edge.
    pub(crate) fn without_padding(mut self) -> Decoded {
        for plane in &self.planes {
            if let Some(data) = self.data.get_mut(plane.range.clone()) {
                plane.overwrite_padding(data);
            }
        }
        self
    }

    /// The samples, to be shrunk.
    pub(crate) fn source(&self) -> Source<'_> {
        let planes = self.planes.iter().map(|plane| {
            let data = self.data.get(plane.range.clone()).unwrap_or_default();
            let DecodedPlane { size, channels, content, .. } = *plane;
            Plane { data, size, channels, content }
        });
        Source(planes.collect())
    }

    /// Resizes the whole picture to `target` with Lanczos3, and copies a plane that already has its size. `mirrored`
    /// says whether it will be mirrored along its width and along its height.
    ///
    /// # Errors
    /// [`PhotoError::Corrupt`] if a plane's range, size and number of channels do not fit its data.
    pub fn shrink(&self, target: Size, mirrored: (bool, bool)) -> Result<Picture, PhotoError> {
        self.source().shrink(Area::of_size(1.0, 1.0), target, mirrored)
    }
}

impl Picture {
    /// The samples, to be shrunk further. `mirrored` is what the picture itself was shrunk with.
    pub(crate) fn source(&self, mirrored: (bool, bool)) -> Source<'_> {
        fn plane(pixels: &Pixels, content: Area) -> Plane<'_> {
            Plane { data: &pixels.data, size: pixels.size, channels: pixels.channels, content }
        }
        match self {
            Picture::Packed(pixels) => Source(vec![plane(pixels, pixels.size.into())]),
            Picture::Planar([luma, cb, cr]) => {
                let side = |half: u32, whole: u32, is_mirrored: bool| {
                    let length = f64::from(whole) / 2.0;
                    (if is_mirrored { f64::from(half) - length } else { 0.0 }, length)
                };
                let (left, width) = side(cb.size.width, luma.size.width, mirrored.0);
                let (top, height) = side(cb.size.height, luma.size.height, mirrored.1);
                let chroma = Area { left, top, width, height };
                Source(vec![plane(luma, luma.size.into()), plane(cb, chroma), plane(cr, chroma)])
            }
        }
    }
}

impl Source<'_> {
    /// Resizes a part of all planes to `target` with Lanczos3, and copies a plane that already has its size. The
    /// part is given as fractions of the picture's width and height.
    ///
    /// `mirrored` says whether the picture will be mirrored along its width and along its height. On an odd
    /// side, half of the last chroma sample lies outside the picture, and mirroring moves it to the other
    /// end.
    ///
    /// # Errors
    /// [`PhotoError::Corrupt`] if a plane's size and number of channels do not fit its data.
    pub fn shrink(
        &self,
        part: Area,
        target: Size,
        mirrored: (bool, bool),
    ) -> Result<Picture, PhotoError> {
        self.resize(FilterType::Lanczos3, part, target, mirrored)
    }

    /// Averages the whole picture, which will not be mirrored, to `target`: a sixth of the work of Lanczos3, and
    /// as good for something very small.
    ///
    /// # Errors
    /// [`PhotoError::Corrupt`] if a plane's size and number of channels do not fit its data.
    pub fn average(&self, target: Size) -> Result<Picture, PhotoError> {
        self.resize(FilterType::Box, Area::of_size(1.0, 1.0), target, (false, false))
    }

    fn resize(
        &self,
        filter: FilterType,
        part: Area,
        target: Size,
        mirrored: (bool, bool),
    ) -> Result<Picture, PhotoError> {
        let mut resizer = Resizer::new();
        match self.0.as_slice() {
            [luma, cb, cr] => {
                let half =
                    Size { width: target.width.div_ceil(2), height: target.height.div_ceil(2) };
                let luma = luma.resize(&mut resizer, filter, target, luma.content.part(part))?;
                let [cb, cr] = [cb, cr].map(|plane| {
                    let Area { left, top, width, height } = plane.content.part(part);
                    let (before, width) = chroma_side(width, half.width, target.width, mirrored.0);
                    let (above, height) =
                        chroma_side(height, half.height, target.height, mirrored.1);
                    let area = Area { left: left + before, top: top + above, width, height };
                    plane.resize(&mut resizer, filter, half, area)
                });
                Ok(Picture::Planar([luma, cb?, cr?]))
            }
            [packed] => {
                let area = packed.content.part(part);
                Ok(Picture::Packed(packed.resize(&mut resizer, filter, target, area)?))
            }
            other => Err(PhotoError::Corrupt(format!("it was decoded to {} planes", other.len()))),
        }
    }
}

impl Plane<'_> {
    fn resize(
        &self,
        resizer: &mut Resizer,
        filter: FilterType,
        target: Size,
        area: Area,
    ) -> Result<Pixels, PhotoError> {
        if area.rounds_up_to(target) {
            return self.corner(target);
        }
        let border = self.border_for(area);
        let bordered = match border {
            0 => Cow::Borrowed(self.data),
            _ => Cow::Owned(with_border(self, border)),
        };
        let Size { width, height } = self.size;
        let size = Size { width: width + 2 * border, height: height + 2 * border };
        let offset = f64::from(border);
        let area = Area { left: offset + area.left, top: offset + area.top, ..area };
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
        let is_resized_both_ways =
            area.width != f64::from(target.width) && area.height != f64::from(target.height);
        if self.channels == 1 && is_resized_both_ways {
            let data = resize_gray(resizer, options, &bordered, size, area, target)?;
            return Ok(Pixels { data, size: target, channels: 1 });
        }
        let options = options.crop(area.left, area.top, area.width, area.height);
        let resize = if self.channels == 1 { resize::<U8> } else { resize::<U8x3> };
        let data = resize(resizer, options, &bordered, size, target)?;
        Ok(Pixels { data, size: target, channels: self.channels })
    }

    /// Copies the samples of the top left corner.
    fn corner(&self, size: Size) -> Result<Pixels, PhotoError> {
        let [row_length, wanted] =
            [self.size, size].map(|size| size.width as usize * self.channels);
        let mut corner = Vec::with_capacity(wanted * size.height as usize);
        for row in self.data.chunks_exact(row_length.max(1)).take(size.height as usize) {
            corner.extend_from_slice(&row[..wanted.min(row.len())]);
        }
        if corner.len() != wanted * size.height as usize {
            return Err(refused("a plane is too small"));
        }
        Ok(Pixels { data: corner, size, channels: self.channels })
    }

    /// The number of samples by which this area reaches beyond the plane.
    fn border_for(&self, area: Area) -> u32 {
        let right = area.left + area.width - f64::from(self.size.width);
        let bottom = area.top + area.height - f64::from(self.size.height);
        [-area.left, -area.top, right, bottom].into_iter().fold(0.0, f64::max).ceil() as u32
    }
}

/// [`resize`] of one type.
type Resize = fn(&mut Resizer, ResizeOptions, &[u8], Size, Size) -> Result<Vec<u8>, PhotoError>;

/// Resizes samples whose type is known when this is compiled: else the code for all types of fast_image_resize would be
/// in the package.
fn resize<P: PixelTrait>(
    resizer: &mut Resizer,
    options: ResizeOptions,
    samples: &[u8],
    size: Size,
    target: Size,
) -> Result<Vec<u8>, PhotoError> {
    let source = TypedImageRef::<P>::from_buffer(size.width, size.height, samples);
    let mut resized = vec![0; target.width as usize * target.height as usize * size_of::<P>()];
    let mut picture =
        TypedImage::<P>::from_buffer(target.width, target.height, &mut resized).map_err(refused)?;
    resizer.resize_typed(&source.map_err(refused)?, &mut picture, &options).map_err(refused)?;
    Ok(resized)
}

/// Resizes one channel: first along the columns, as fast_image_resize does it, then along the rows, of which four are
/// taken as the channels of one picture. The bytes are the same, in two thirds of the time: along the rows of a
/// single channel it is slow.
fn resize_gray(
    resizer: &mut Resizer,
    options: ResizeOptions,
    samples: &[u8],
    size: Size,
    area: Area,
    target: Size,
) -> Result<Vec<u8>, PhotoError> {
    let options = options.use_alpha(false); // the fourth row is no alpha
    let along_columns = options.crop(0.0, area.top, size.width.into(), area.height);
    let shortened = Size { height: target.height, ..size };
    let columns = resize::<U8>(resizer, along_columns, samples, size, shortened)?;

    let width = size.width as usize;
    let mut along_rows = |resize: Resize, rows: &[u8], height: usize| {
        let height = u32::try_from(height).unwrap_or(u32::MAX);
        let options = options.crop(area.left, 0.0, area.width, height.into());
        resize(resizer, options, rows, Size { height, ..size }, Size { height, ..target })
    };
    let bands = bands(columns.len());
    let band_rows = (target.height as usize).div_ceil(bands).next_multiple_of(LANES);
    let mut data = Vec::with_capacity(target.width as usize * target.height as usize);
    for band in columns.chunks(band_rows * width) {
        let (fours, rest) = band.split_at(band.len() / (LANES * width) * (LANES * width));
        if !fours.is_empty() {
            let height = fours.len() / (LANES * width);
            let resized = along_rows(resize::<U8x4>, &interleaved(fours, width), height)?;
            put_apart(&resized, target.width as usize, &mut data);
        }
        if !rest.is_empty() {
            data.extend(along_rows(resize::<U8>, rest, rest.len() / width)?);
        }
    }
    Ok(data)
}

fn bands(bytes: usize) -> usize {
    if bytes <= FEW_BYTES { 1 } else { BANDS }
}

/// Most bytes that a single channel takes while it is resized, if it has this many after the first step: those, and the
/// rows that are put together, before and after they are resized.
pub(crate) fn memory_along_rows(bytes: u64) -> u64 {
    let bands = bands(usize::try_from(bytes).unwrap_or(usize::MAX));
    bytes + 2 * bytes.div_ceil(bands as u64)
}

/// Each four rows as one row of pixels of four channels.
fn interleaved(rows: &[u8], width: usize) -> Vec<u8> {
    let mut pixels = vec![0; rows.len()];
    for (rows, pixels) in
        rows.chunks_exact(LANES * width).zip(pixels.chunks_exact_mut(LANES * width))
    {
        let [a, b, c, d] = four_rows(rows, width);
        let samples = a.iter().zip(b).zip(c).zip(d);
        for (pixel, (((a, b), c), d)) in pixels.as_chunks_mut().0.iter_mut().zip(samples) {
            *pixel = [*a, *b, *c, *d];
        }
    }
    pixels
}

/// Appends the channels of such rows as rows.
fn put_apart(pixels: &[u8], width: usize, rows: &mut Vec<u8>) {
    for pixels in pixels.chunks_exact(LANES * width) {
        let pixels: &[[u8; LANES]] = pixels.as_chunks().0;
        for lane in 0..LANES {
            rows.extend(pixels.iter().map(|pixel| pixel[lane]));
        }
    }
}

fn four_rows(rows: &[u8], width: usize) -> [&[u8]; LANES] {
    let (upper, lower) = rows.split_at(2 * width);
    let ((a, b), (c, d)) = (upper.split_at(width), lower.split_at(width));
    [a, b, c, d]
}

impl Area {
    /// The area of a picture that begins at the plane's corner.
    pub fn of_size(width: f64, height: f64) -> Area {
        Area { left: 0.0, top: 0.0, width, height }
    }

    /// A part of the area, given as fractions of its width and height.
    fn part(self, part: Area) -> Area {
        Area {
            left: self.left + part.left * self.width,
            top: self.top + part.top * self.height,
            width: part.width * self.width,
            height: part.height * self.height,
        }
    }

    /// Whether the area already has the target's size, apart from a last sample that is only partly
    /// covered.
    fn rounds_up_to(self, target: Size) -> bool {
        let size = (f64::from(target.width), f64::from(target.height));
        (self.left, self.top) == (0.0, 0.0) && (self.width.ceil(), self.height.ceil()) == size
    }
}

impl From<Size> for Area {
    fn from(size: Size) -> Area {
        Area::of_size(size.width.into(), size.height.into())
    }
}

impl DecodedPlane {
    fn overwrite_padding(&self, data: &mut [u8]) {
        let row_length = (self.size.width as usize * self.channels).max(1);
        // A picture of less than a sample has none that is wholly inside.
        let columns = (self.content.width.floor() as usize).max(1) * self.channels;
        let rows = (self.content.height.floor() as usize).max(1) * row_length;
        if columns < row_length {
            for row in data.chunks_exact_mut(row_length) {
                let (inside, beyond) = row.split_at_mut(columns);
                let last = &inside[columns - self.channels..];
                beyond.chunks_exact_mut(self.channels).for_each(|one| one.copy_from_slice(last));
            }
        }
        if rows < data.len() {
            let (inside, beyond) = data.split_at_mut(rows);
            let last = &inside[rows - row_length..];
            beyond.chunks_exact_mut(row_length).for_each(|row| row.copy_from_slice(last));
        }
    }
}

/// The start and the length of a side's chroma, in samples of the decoded plane. The result has `half`
/// samples, each as wide as two of the `whole` pixels.
fn chroma_side(content: f64, half: u32, whole: u32, is_mirrored: bool) -> (f64, f64) {
    let length = content * f64::from(2 * half) / f64::from(whole);
    (if is_mirrored { content - length } else { 0.0 }, length)
}

/// A copy of the plane with its outermost samples repeated `border` times on every side.
fn with_border(plane: &Plane<'_>, border: u32) -> Vec<u8> {
    let (channels, border) = (plane.channels, border as usize);
    let mut rows =
        plane.data.chunks_exact((plane.size.width as usize * channels).max(1)).peekable();
    let mut bordered = Vec::new();
    let mut is_first = true;
    while let Some(row) = rows.next() {
        let is_last = rows.peek().is_none();
        let at_an_end = usize::from(is_first) + usize::from(is_last);
        for _ in 0..=at_an_end * border {
            bordered.extend(row[..channels].iter().cycle().take(border * channels));
            bordered.extend_from_slice(row);
            bordered.extend(row[row.len() - channels..].iter().cycle().take(border * channels));
        }
        is_first = false;
    }
    bordered
}

fn refused(error: impl std::fmt::Display) -> PhotoError {
    PhotoError::Corrupt(format!("it cannot be resized: {error}"))
}

#[cfg(test)]
mod tests {
    use fast_image_resize::PixelType;
    use fast_image_resize::images::{Image, ImageRef};

    use super::*;

    /// A plane whose values rise from left to right by `step` for each sample.
    fn ramp(size: Size, step: f64, (width, height): (f64, f64)) -> (Vec<u8>, DecodedPlane) {
        let content = Area::of_size(width, height);
        let row: Vec<u8> = (0..size.width).map(|x| (f64::from(x) * step) as u8).collect();
        let data = row.repeat(size.height as usize);
        let range = 0..data.len();
        (data, DecodedPlane { range, size, channels: 1, content })
    }

    /// Shrinks as fast_image_resize does by itself.
    fn resized_directly(plane: &Plane<'_>, target: Size, area: Area) -> Vec<u8> {
        let Size { width, height } = plane.size;
        let source = ImageRef::new(width, height, plane.data, PixelType::U8).unwrap();
        let mut resized = Image::new(target.width, target.height, PixelType::U8);
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
            .crop(area.left, area.top, area.width, area.height);
        Resizer::new().resize(&source, &mut resized, &options).unwrap();
        resized.into_vec()
    }

    #[test]
    fn rows_that_are_shrunk_together_have_the_bytes_of_each_alone() {
        for (width, height, target_width, target_height) in [
            (64, 64, 16, 16),
            (61, 47, 30, 23),
            (97, 33, 12, 5),
            (40, 90, 39, 3),
            (33, 20, 7, 1),
            (20, 20, 50, 41),
        ] {
            let (size, target) =
                (Size { width, height }, Size { width: target_width, height: target_height });
            let data: Vec<u8> =
                (0..width * height).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
            for area in [
                Area::from(size),
                Area {
                    left: 1.25,
                    top: 0.5,
                    width: f64::from(width) - 2.5,
                    height: f64::from(height) - 1.75,
                },
            ] {
                let plane = Plane { data: &data, size, channels: 1, content: area };
                let shrunk =
                    plane.resize(&mut Resizer::new(), FilterType::Lanczos3, target, area).unwrap();
                assert_eq!(
                    shrunk.data,
                    resized_directly(&plane, target, area),
                    "{size:?} {target:?}"
                );
            }
        }
    }

    #[test]
    fn padding_is_not_a_part_of_the_picture() {
        let size = Size { width: 100, height: 4 };
        let (mut data, plane) = ramp(size, 0.0, (80.0, 4.0));
        data.chunks_exact_mut(100).for_each(|row| row[83..].fill(255));
        let decoded = Decoded { data, planes: vec![plane], opacity: None };
        let Ok(Picture::Packed(pixels)) =
            decoded.shrink(Size { width: 40, height: 2 }, (false, false))
        else {
            panic!("one plane is packed");
        };
        assert!(pixels.data.iter().all(|value| *value < 8), "{:?}", pixels.data);
    }

    #[test]
    fn samples_beyond_the_picture_are_overwritten_by_those_inside() {
        let size = Size { width: 3, height: 3 };
        for (content, expected) in [
            ((3.0, 3.0), [1, 2, 3, 4, 5, 6, 7, 8, 9]),
            ((2.5, 3.0), [1, 2, 2, 4, 5, 5, 7, 8, 8]),
            ((3.0, 1.25), [1, 2, 3, 1, 2, 3, 1, 2, 3]),
            ((0.5, 2.0), [1, 1, 1, 4, 4, 4, 4, 4, 4]),
        ] {
            let (width, height) = content;
            let content = Area::of_size(width, height);
            let plane = DecodedPlane { range: 0..9, size, channels: 1, content };
            let decoded = Decoded { data: (1..10).collect(), planes: vec![plane], opacity: None };
            assert_eq!(decoded.without_padding().data, expected, "{content:?}");
        }
    }

    #[test]
    fn chroma_stays_aligned_with_luma() {
        // Luma and chroma rise equally over the picture's width; chroma has half the samples.
        for (width, is_mirrored) in [(40, false), (41, false), (40, true), (41, true)] {
            let (luma, luma_plane) = ramp(Size { width: 80, height: 8 }, 3.0, (80.0, 8.0));
            let (chroma, chroma_plane) = ramp(Size { width: 40, height: 4 }, 6.0, (40.0, 4.0));
            let behind = |start| DecodedPlane {
                range: start..start + chroma_plane.range.len(),
                ..chroma_plane.clone()
            };
            let planes = vec![luma_plane, behind(luma.len()), behind(luma.len() + chroma.len())];
            let decoded =
                Decoded { data: [luma, chroma.clone(), chroma].concat(), planes, opacity: None };
            let picture = decoded.shrink(Size { width, height: 4 }, (is_mirrored, false)).unwrap();
            let Picture::Planar([mut luma, mut cb, cr]) = picture else {
                panic!("three planes are planar");
            };
            assert_eq!(cb, cr);
            assert_eq!(cb.size, Size { width: width.div_ceil(2), height: 2 });
            if is_mirrored {
                luma.mirror_horizontally();
                cb.mirror_horizontally();
            }
            // The ends are left out: there the filters meet different neighbours.
            for x in 2..18 {
                let pair = (u16::from(luma.data[2 * x]) + u16::from(luma.data[2 * x + 1])) / 2;
                let difference = pair.abs_diff(u16::from(cb.data[x]));
                assert!(difference <= 3, "{width} {is_mirrored}, sample {x}: {difference}");
            }
        }
    }

    #[test]
    fn a_plane_of_the_targets_size_is_copied() {
        let (data, plane) = ramp(Size { width: 12, height: 6 }, 9.0, (10.25, 4.5));
        let decoded = Decoded { data: data.clone(), planes: vec![plane], opacity: None };
        let target = Size { width: 11, height: 5 };
        let picture = decoded.shrink(target, (false, false)).unwrap();
        let expected = data.chunks(12).take(5).flat_map(|row| row[..11].to_vec()).collect();
        let pixels = Pixels { data: expected, size: target, channels: 1 };
        assert_eq!(picture, Picture::Packed(pixels));
    }

    #[test]
    fn planes_that_do_not_fit_their_data_are_refused() {
        let (data, plane) = ramp(Size { width: 8, height: 8 }, 1.0, (8.0, 8.0));
        let beyond = DecodedPlane { range: 60..200, ..plane.clone() };
        let target = Size { width: 4, height: 4 };
        for planes in [vec![], vec![beyond], vec![plane.clone(), plane]] {
            let decoded = Decoded { data: data.clone(), planes, opacity: None };
            assert!(matches!(decoded.shrink(target, (false, false)), Err(PhotoError::Corrupt(_))));
        }
    }
}
