//! Pictures of high dynamic range as pictures of sRGB.
//!
//! Their light is mapped from 1,000 cd/m² to the 203 cd/m² of SDR's white (ITU-R BT.2408 clause 2.1) by the curve of
//! ITU-R BT.2390 clause 5.4.1, which leaves the darker half as it is. The brightest of red, green and blue is
//! mapped, and the others by the same factor, so that hues stay.

use super::colour::Matrix;
use crate::{Picture, Pixels};

/// The function between light and samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transfer {
    /// SMPTE ST 2084.
    Pq,
    /// ITU-R BT.2100's hybrid log-gamma.
    Hlg,
}

/// Light of the brightest picture and of SDR's white, in cd/m².
const PEAK: f32 = 1000.0;
const WHITE: f32 = 203.0;
/// Steps of the table of the curve.
const STEPS: usize = 1024;

/// A planar or packed picture as pixels of sRGB.
pub(super) fn to_srgb(
    picture: Picture,
    matrix: Matrix,
    transfer: Transfer,
    primaries: u16,
) -> Picture {
    let light = table(|sample| transfer.light(sample));
    let factors = table(|sample| factor(sample * PEAK));
    let to_srgb = gamut(primaries);
    let pixel = |signal: [f32; 3]| {
        let mut rgb = signal.map(|one| at(&light, one));
        if transfer == Transfer::Hlg {
            let [red, green, blue] = rgb;
            let luminance = 0.2627 * red + 0.678 * green + 0.0593 * blue;
            // The system's gamma for 1,000 cd/m² (BT.2100 table 5).
            rgb = rgb.map(|one| one * luminance.powf(0.2));
        }
        let brightest = rgb.into_iter().fold(0.0, f32::max);
        let factor = at(&factors, brightest) * PEAK / WHITE;
        let rgb = rgb.map(|one| one * factor);
        to_srgb.map(|row| {
            let linear = row.iter().zip(rgb).map(|(share, one)| share * one).sum::<f32>();
            (encoded(linear.clamp(0.0, 1.0)) * 255.0).round() as u8
        })
    };
    let unit = |sample: u8| f32::from(sample) / 255.0;
    match picture {
        Picture::Planar([luma, cb, cr]) => {
            let mut data = Vec::with_capacity(3 * luma.data.len());
            let (width, half) = (luma.row_length(), cb.row_length());
            for (y, row) in luma.data.chunks_exact(width).enumerate() {
                let chroma = cb.data.iter().zip(&cr.data).skip(y / 2 * half);
                for (pair, (cb, cr)) in row.chunks(2).zip(chroma) {
                    let (cb, cr) = (unit(*cb) - 128.0 / 255.0, unit(*cr) - 128.0 / 255.0);
                    for luma in pair {
                        let signal = matrix.map(|[u, v]| unit(*luma) + u * cb + v * cr);
                        data.extend(pixel(signal));
                    }
                }
            }
            Picture::Packed(Pixels { data, size: luma.size, channels: 3 })
        }
        Picture::Packed(mut pixels) if pixels.channels == 3 => {
            for place in pixels.data.as_chunks_mut::<3>().0 {
                *place = pixel(place.map(unit));
            }
            Picture::Packed(pixels)
        }
        Picture::Packed(mut gray) => {
            for place in &mut gray.data {
                [*place, ..] = pixel([unit(*place); 3]);
            }
            Picture::Packed(gray)
        }
    }
}

impl Transfer {
    /// The light of a sample, where 1 is the light of the brightest picture.
    fn light(self, sample: f32) -> f32 {
        match self {
            Transfer::Pq => from_pq(sample) / PEAK,
            // The inverse of the opto-electronic transfer function (BT.2100 table 5).
            Transfer::Hlg if sample <= 0.5 => sample * sample / 3.0,
            Transfer::Hlg => (((sample - 0.559_910_7) / 0.178_832_8).exp() + 0.284_668_9) / 12.0,
        }
    }
}

/// The factor by which light of this many cd/m² is mapped.
fn factor(light: f32) -> f32 {
    let peak = to_pq(PEAK);
    let (sample, largest) = (to_pq(light) / peak, to_pq(WHITE) / peak);
    let knee = 1.5 * largest - 0.5;
    if sample < knee || light <= 0.0 {
        return 1.0;
    }
    let t = (sample - knee) / (1.0 - knee);
    let (square, cube) = (t * t, t * t * t);
    let mapped = (2.0 * cube - 3.0 * square + 1.0) * knee
        + (cube - 2.0 * square + t) * (1.0 - knee)
        + (3.0 * square - 2.0 * cube) * largest;
    from_pq(mapped * peak) / light
}

/// The light of a sample in cd/m² (SMPTE ST 2084 clause 5).
fn from_pq(sample: f32) -> f32 {
    let power = sample.clamp(0.0, 1.0).powf(1.0 / 78.843_75);
    let light = (power - 0.835_937_5).max(0.0) / (18.851_563 - 18.6875 * power);
    10_000.0 * light.powf(1.0 / 0.159_301_76)
}

/// The sample of a light in cd/m².
fn to_pq(light: f32) -> f32 {
    let power = (light / 10_000.0).clamp(0.0, 1.0).powf(0.159_301_76);
    ((0.835_937_5 + 18.851_563 * power) / (1.0 + 18.6875 * power)).powf(78.843_75)
}

/// The sample of a linear light in sRGB (IEC 61966-2-1).
fn encoded(linear: f32) -> f32 {
    match linear {
        ..=0.003_130_8 => 12.92 * linear,
        _ => 1.055 * linear.powf(1.0 / 2.4) - 0.055,
    }
}

/// From linear light of these primaries to that of sRGB (by way of XYZ; ITU-R BT.2087 for those of BT.2020).
fn gamut(primaries: u16) -> [[f32; 3]; 3] {
    match primaries {
        9 => [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
        12 => [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]],
        _ => [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    }
}

/// The values of a function for 0 to 1.
fn table(function: impl Fn(f32) -> f32) -> Vec<f32> {
    (0..=STEPS).map(|step| function(step as f32 / STEPS as f32)).collect()
}

/// The value of a table between its steps.
fn at(table: &[f32], x: f32) -> f32 {
    let place = x.clamp(0.0, 1.0) * STEPS as f32;
    let step = (place as usize).min(STEPS - 1);
    let [before, after] = [step, step + 1].map(|at| table.get(at).copied().unwrap_or_default());
    before + (after - before) * (place - step as f32)
}
