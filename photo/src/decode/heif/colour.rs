//! What the samples of a video codec mean (ITU-T H.273), and what becomes of them in a JPEG, which has full
//! range, the matrix of BT.601 and, without a profile, the colours of sRGB (JFIF 1.02).

use moxcms::ColorProfile;

use super::hdr::{self, Transfer};
use crate::container::heif::Nclx;
use crate::{Picture, Pixels};

/// Place of the time at which a profile was made (ICC.1:2022 clause 7.2).
const PROFILE_TIME: std::ops::Range<usize> = 24..36;

/// The meaning of a picture's samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::decode) struct Colours {
    nclx: Nclx,
    /// Whether a profile of the file says what the colours are.
    has_profile: bool,
}

/// What luma and chroma become: luma gets a share of each chroma, and each chroma becomes a mixture of both.
/// Gray stays as it is, in every matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Mixture {
    luma: [f32; 2],
    cb: [f32; 2],
    cr: [f32; 2],
}

/// Red, green and blue less luma, for each unit of the two chroma samples.
pub(super) type Matrix = [[f32; 2]; 3];

impl Colours {
    pub fn of(nclx: Nclx, has_profile: bool) -> Colours {
        Colours { nclx, has_profile }
    }

    /// Whether the planes are green, blue and red.
    pub fn is_rgb(&self) -> bool {
        self.nclx.matrix == 0
    }

    /// The value of 8 bits and full range for each sample of luma.
    pub fn luma_levels(&self, bits: u8) -> Vec<u8> {
        match self.nclx.is_full_range {
            true => full_range_levels(bits),
            false => levels(bits, |sample| (sample / unit(bits) - 16.0) / 219.0),
        }
    }

    /// The value of 8 bits and full range for each sample of chroma, in which 128 is gray.
    pub fn chroma_levels(&self, bits: u8) -> Vec<u8> {
        if self.is_rgb() {
            return self.luma_levels(bits);
        }
        let gray = 128.0 * unit(bits);
        let range = if self.nclx.is_full_range { largest(bits) } else { 224.0 * unit(bits) };
        levels(bits, |sample| (sample - gray) / range + 128.0 / 255.0)
    }

    /// The profile for colours that are none of sRGB's, if the file has none. The same photo always gets the
    /// same one, although moxcms puts the time into it.
    pub fn profile(&self) -> Option<Vec<u8>> {
        let profile = match self.nclx.primaries {
            _ if self.has_profile || self.transfer().is_some() => return None,
            9 => ColorProfile::new_bt2020(),
            12 => ColorProfile::new_display_p3(),
            _ => return None,
        };
        let mut profile = profile.encode().ok()?;
        profile.get_mut(PROFILE_TIME)?.fill(0);
        Some(profile)
    }

    /// The transfer of a picture with high dynamic range, which no profile of the file explains.
    fn transfer(&self) -> Option<Transfer> {
        match self.nclx.transfer {
            16 if !self.has_profile => Some(Transfer::Pq),
            18 if !self.has_profile => Some(Transfer::Hlg),
            _ => None,
        }
    }

    /// The picture as a JPEG can hold it.
    pub fn to_jpeg(self, picture: Picture) -> Picture {
        if let Some(transfer) = self.transfer() {
            return hdr::to_srgb(picture, self.matrix(), transfer, self.nclx.primaries);
        }
        match picture {
            Picture::Planar(mut planes) => {
                if !self.is_bt_601() {
                    Mixture::of(self.matrix()).apply(&mut planes);
                }
                Picture::Planar(planes)
            }
            packed @ Picture::Packed(_) => packed,
        }
    }

    fn is_bt_601(&self) -> bool {
        self.matrix() == matrix_of(0.299, 0.114)
    }

    /// The matrix of the picture (H.273 table 4). Where nothing says which, it is that of JFIF, as in libheif.
    fn matrix(&self) -> Matrix {
        match (self.nclx.matrix, self.nclx.primaries) {
            (1, _) | (12, 1) => matrix_of(0.2126, 0.0722),
            (4, _) => matrix_of(0.30, 0.11),
            (7, _) => matrix_of(0.212, 0.087),
            (8, _) => [[-1.0, 1.0], [1.0, 0.0], [-1.0, -1.0]], // YCgCo
            (9 | 10, _) | (12, 9) => matrix_of(0.2627, 0.0593),
            (12, 12) => matrix_of(0.229, 0.0793),
            _ => matrix_of(0.299, 0.114),
        }
    }
}

/// The value of 8 bits for each sample of full range.
pub(super) fn full_range_levels(bits: u8) -> Vec<u8> {
    levels(bits, |sample| sample / largest(bits))
}

/// What 1 in 8 bits is in this many bits (H.273 equations 20 to 28).
fn unit(bits: u8) -> f64 {
    f64::from(1u32 << (bits - 8))
}

fn largest(bits: u8) -> f64 {
    f64::from((1u32 << bits) - 1)
}

fn levels(bits: u8, level: impl Fn(f64) -> f64) -> Vec<u8> {
    (0..1u32 << bits).map(|sample| (level(sample.into()) * 255.0).round() as u8).collect()
}

/// The matrix with these shares of red and blue in luma (H.273 equations 38 to 43).
fn matrix_of(red: f32, blue: f32) -> Matrix {
    let (of_red, of_blue) = (2.0 * (1.0 - red), 2.0 * (1.0 - blue));
    let green = 1.0 - red - blue;
    [[0.0, of_red], [-blue * of_blue / green, -red * of_red / green], [of_blue, 0.0]]
}

impl Mixture {
    /// From this matrix to that of JFIF.
    fn of([[red_cb, red_cr], [green_cb, green_cr], [blue_cb, blue_cr]]: Matrix) -> Mixture {
        let luma = |red, green, blue| 0.299 * red + 0.587 * green + 0.114 * blue;
        let (luma_cb, luma_cr) = (luma(red_cb, green_cb, blue_cb), luma(red_cr, green_cr, blue_cr));
        Mixture {
            luma: [luma_cb, luma_cr],
            cb: [(blue_cb - luma_cb) / 1.772, (blue_cr - luma_cr) / 1.772],
            cr: [(red_cb - luma_cb) / 1.402, (red_cr - luma_cr) / 1.402],
        }
    }

    fn apply(self, [luma, cb, cr]: &mut [Pixels; 3]) {
        let mix = |[of_cb, of_cr]: [f32; 2], cb: u8, cr: u8| {
            of_cb * (f32::from(cb) - 128.0) + of_cr * (f32::from(cr) - 128.0)
        };
        let (width, half) = (luma.row_length(), cb.row_length());
        for (y, row) in luma.data.chunks_exact_mut(width).enumerate() {
            let chroma = cb.data.iter().zip(&cr.data).skip(y / 2 * half);
            for (pair, (cb, cr)) in row.chunks_mut(2).zip(chroma) {
                let share = mix(self.luma, *cb, *cr);
                pair.iter_mut().for_each(|luma| *luma = (f32::from(*luma) + share).round() as u8);
            }
        }
        for (cb, cr) in cb.data.iter_mut().zip(&mut cr.data) {
            let mixed = [self.cb, self.cr].map(|row| (mix(row, *cb, *cr) + 128.0).round() as u8);
            [*cb, *cr] = mixed;
        }
    }
}
