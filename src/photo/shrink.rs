//! From a decoder's planes to a picture of the wanted size.

use std::ops::Range;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::{PhotoError, Picture, Pixels, Size};

/// What a decoder hands over: one packed plane, or luma and two chroma planes.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// All planes, one behind the other.
    pub data: Vec<u8>,
    /// One or three.
    pub planes: Vec<DecodedPlane>,
}

/// One plane of what a decoder hands over.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedPlane {
    /// Where its bytes are.
    pub range: Range<usize>,
    /// In samples.
    pub size: Size,
    /// 1 or 3.
    pub channels: usize,
    /// Width and height of what shows the picture, in samples; the rest is padding. 5323 pixels
    /// decoded at 3/8 are 1996.125 samples in a plane of 1997.
    pub content: (f64, f64),
}

impl Decoded {
    /// Resizes with Lanczos3 to `target`; a plane that has its size already is left as it is.
    ///
    /// # Errors
    /// [`PhotoError::Corrupt`] if the planes are not what they claim to be.
    pub fn shrink(&self, target: Size) -> Result<Picture, PhotoError> {
        let mut resizer = Resizer::new();
        let mut resize = |plane: &DecodedPlane, target, content| {
            self.resize(&mut resizer, plane, target, content)
        };
        match self.planes.as_slice() {
            [luma, chroma @ ..] if chroma.len() == 2 => {
                let half =
                    Size { width: target.width.div_ceil(2), height: target.height.div_ceil(2) };
                // An odd side's last chroma sample covers one pixel that is not there; where the
                // plane ends before it, the colours are stretched by less than that pixel.
                let stretch = |half, whole| f64::from(2 * half) / f64::from(whole);
                let [cb, cr] = [&chroma[0], &chroma[1]].map(|plane| {
                    let width = plane.content.0 * stretch(half.width, target.width);
                    let height = plane.content.1 * stretch(half.height, target.height);
                    resize(plane, half, (width, height))
                });
                Ok(Picture::Planar([resize(luma, target, luma.content)?, cb?, cr?]))
            }
            [packed] => Ok(Picture::Packed(resize(packed, target, packed.content)?)),
            other => Err(PhotoError::Corrupt(format!("it was decoded to {} planes", other.len()))),
        }
    }

    fn resize(
        &self,
        resizer: &mut Resizer,
        plane: &DecodedPlane,
        target: Size,
        content: (f64, f64),
    ) -> Result<Pixels, PhotoError> {
        let DecodedPlane { range, size: Size { width, height }, channels, .. } = plane.clone();
        let data = self.data.get(range).unwrap_or_default();
        if plane.size == target {
            return Ok(Pixels { data: data.to_vec(), size: target, channels });
        }
        let pixel_type = if channels == 1 { PixelType::U8 } else { PixelType::U8x3 };
        let content = (content.0.min(f64::from(width)), content.1.min(f64::from(height)));
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
            .crop(0.0, 0.0, content.0, content.1);
        let mut resized = Image::new(target.width, target.height, pixel_type);
        let source = ImageRef::new(width, height, data, pixel_type).map_err(refused)?;
        resizer.resize(&source, &mut resized, &options).map_err(refused)?;
        Ok(Pixels { data: resized.into_vec(), size: target, channels })
    }
}

fn refused(error: impl std::fmt::Display) -> PhotoError {
    PhotoError::Corrupt(format!("it cannot be resized: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plane that rises from left to right by `step` a sample.
    fn ramp(size: Size, step: f64, content: (f64, f64)) -> (Vec<u8>, DecodedPlane) {
        let row: Vec<u8> = (0..size.width).map(|x| (f64::from(x) * step) as u8).collect();
        let data = row.repeat(size.height as usize);
        let range = 0..data.len();
        (data, DecodedPlane { range, size, channels: 1, content })
    }

    #[test]
    fn padding_is_not_a_part_of_the_picture() {
        let size = Size { width: 100, height: 4 };
        let (mut data, plane) = ramp(size, 0.0, (80.0, 4.0));
        data.chunks_exact_mut(100).for_each(|row| row[83..].fill(255));
        let decoded = Decoded { data, planes: vec![plane] };
        let Ok(Picture::Packed(pixels)) = decoded.shrink(Size { width: 40, height: 2 }) else {
            panic!("one plane is packed");
        };
        assert!(pixels.data.iter().all(|value| *value < 8), "{:?}", pixels.data);
    }

    #[test]
    fn chroma_lies_where_luma_does() {
        // Both rise alike over the picture's width, the chroma planes at half the samples.
        for width in [40, 41] {
            let (luma, luma_plane) = ramp(Size { width: 80, height: 8 }, 3.0, (80.0, 8.0));
            let (chroma, chroma_plane) = ramp(Size { width: 40, height: 4 }, 6.0, (40.0, 4.0));
            let behind = |plane: &DecodedPlane, start| DecodedPlane {
                range: start..start + plane.range.len(),
                ..plane.clone()
            };
            let (cb, cr) =
                (behind(&chroma_plane, luma.len()), behind(&chroma_plane, luma.len() + 160));
            let data = [luma, chroma.clone(), chroma].concat();
            let decoded = Decoded { data, planes: vec![luma_plane, cb, cr] };
            let Ok(Picture::Planar([luma, cb, cr])) = decoded.shrink(Size { width, height: 4 })
            else {
                panic!("three planes are planar");
            };
            assert_eq!(cb, cr);
            assert_eq!(cb.size, Size { width: width.div_ceil(2), height: 2 });
            for x in 2..15 {
                let pair = (u16::from(luma.data[2 * x]) + u16::from(luma.data[2 * x + 1])) / 2;
                let difference = pair.abs_diff(u16::from(cb.data[x]));
                let one_pixel = 6;
                assert!(difference < one_pixel, "width {width}, sample {x}: {difference}");
            }
        }
    }

    #[test]
    fn planes_that_are_not_there_are_refused() {
        let (data, plane) = ramp(Size { width: 8, height: 8 }, 1.0, (8.0, 8.0));
        let beyond = DecodedPlane { range: 60..200, ..plane.clone() };
        let target = Size { width: 4, height: 4 };
        for planes in [vec![], vec![beyond], vec![plane.clone(), plane]] {
            let decoded = Decoded { data: data.clone(), planes };
            assert!(matches!(decoded.shrink(target), Err(PhotoError::Corrupt(_))));
        }
    }
}
