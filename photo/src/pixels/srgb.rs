//! Converts pictures to sRGB, for where a colour profile cannot go along.

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use super::{Picture, Pixels};
use crate::metadata::icc;

/// The picture in sRGB, as packed pixels; `None` if the profile is none for RGB.
pub(crate) fn to_srgb(picture: &Picture, profile: &[u8]) -> Option<Picture> {
    let profile = ColorProfile::new_from_slice(&icc::essentials(profile)?).ok()?;
    if profile.color_space != DataColorSpace::Rgb {
        return None;
    }
    let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
    let transform = profile.create_transform_8bit(Layout::Rgb, &srgb, Layout::Rgb, options).ok()?;
    let rgb = picture.to_rgb();
    let mut converted = Pixels::black(rgb.size, 3);
    transform.transform(&rgb.data, &mut converted.data).ok()?;
    Some(Picture::Packed(converted))
}

impl Picture {
    /// The picture as red, green and blue. Of gray, all three are the same.
    pub(crate) fn to_rgb(&self) -> Pixels {
        match self {
            Picture::Packed(rgb) if rgb.channels == 3 => rgb.clone(),
            Picture::Packed(gray) => {
                let data = gray.data.iter().flat_map(|value| [*value; 3]).collect();
                Pixels { data, size: gray.size, channels: 3 }
            }
            Picture::Planar(planes) => of_planes(planes),
        }
    }
}

/// Converts YCbCr to RGB (JFIF 1.02 page 3). Each chroma sample lies in the middle of four pixels, so that a pixel gets
/// nine sixteenths of its own, three of each neighbour's beside it, and one of the neighbour's across.
fn of_planes([luma, cb, cr]: &[Pixels; 3]) -> Pixels {
    let mut rgb = Pixels::black(luma.size, 3);
    let (width, half) = (luma.size.width as usize, cb.size.width as usize);
    let last_row = cb.size.height as usize - 1;
    let pixels =
        rgb.data.as_chunks_mut().0.chunks_exact_mut(width).zip(luma.data.chunks_exact(width));
    for (y, (row, luma)) in pixels.enumerate() {
        let near = (y / 2).min(last_row);
        let far = if y % 2 == 0 { near.saturating_sub(1) } else { (near + 1).min(last_row) };
        let [cb, cr] = [cb, cr].map(|plane| {
            let row = |at: usize| &plane.data[at * half..][..half];
            let rows = row(near).iter().zip(row(far));
            rows.map(|(near, far)| 3 * u16::from(*near) + u16::from(*far)).collect::<Vec<u16>>()
        });
        for (x, (pixel, luma)) in row.iter_mut().zip(luma).enumerate() {
            let near = x / 2;
            let far = if x % 2 == 0 { near.saturating_sub(1) } else { (near + 1).min(half - 1) };
            let [cb, cr] = [&cb, &cr].map(|row| f32::from(3 * row[near] + row[far]) / 16.0 - 128.0);
            let luma = f32::from(*luma);
            *pixel = [luma + 1.402 * cr, luma - 0.344_136 * cb - 0.714_136 * cr, luma + 1.772 * cb]
                .map(|channel| channel.round() as u8);
        }
    }
    rgb
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Size;

    fn plane(width: u32, height: u32, data: &[u8]) -> Pixels {
        Pixels { data: data.to_vec(), size: Size { width, height }, channels: 1 }
    }

    #[test]
    fn chroma_lies_in_the_middle_of_four_pixels() {
        let luma = plane(3, 2, &[128; 6]);
        let (cb, cr) = (plane(2, 1, &[128, 128]), plane(2, 1, &[128, 192]));
        let rgb = Picture::Planar([luma, cb, cr]).to_rgb();
        let red = |share: f32| (128.0 + 1.402 * 64.0 * share).round() as u8;
        let row: Vec<u8> = rgb.data.chunks(3).map(|pixel| pixel[0]).collect();
        assert_eq!(row, [[red(0.0), red(0.25), red(0.75)]; 2].concat());
    }

    #[test]
    fn gray_has_three_equal_channels() {
        let gray = Picture::Packed(plane(2, 1, &[7, 200]));
        assert_eq!(gray.to_rgb().data, [7, 7, 7, 200, 200, 200]);
    }

    #[test]
    fn colours_of_display_p3_become_those_of_srgb() {
        let p3 = ColorProfile::new_display_p3().encode().unwrap();
        let size = Size { width: 3, height: 1 };
        let data = vec![255, 255, 255, 128, 128, 128, 200, 100, 50];
        let picture = Picture::Packed(Pixels { data, size, channels: 3 });
        let Some(Picture::Packed(srgb)) = to_srgb(&picture, &p3) else { panic!("it is RGB") };
        // By the primaries of SMPTE EG 432-1 and IEC 61966-2-1.
        let expected = [255, 255, 255, 128, 128, 128, 215, 93, 31];
        for (found, expected) in srgb.data.iter().zip(expected) {
            assert!(found.abs_diff(expected) <= 1, "{:?}", srgb.data);
        }
        assert_eq!(to_srgb(&picture, b"no profile"), None);
    }
}
