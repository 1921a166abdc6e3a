//! Transparent pictures on white.

use super::colour::Colours;
use super::planes::Plane;

/// Puts planes on white. `alpha` is of full range, and has the size of the first of them.
pub(super) fn put_on_white(
    planes: &mut [Plane],
    alpha: &Plane,
    is_premultiplied: bool,
    colours: &Colours,
) {
    for (number, plane) in planes.iter_mut().enumerate() {
        let is_chroma = number > 0 && !colours.is_rgb();
        let put = |sample: i32, alpha: i32| match (is_premultiplied, is_chroma) {
            (true, true) => sample,
            (true, false) => sample + 255 - alpha,
            // White has no chroma.
            (false, true) => 128 + (sample - 128) * alpha / 255,
            (false, false) => 255 + (sample - 255) * alpha / 255,
        };
        let width = plane.reduced.width as usize;
        for (y, row) in plane.data.chunks_exact_mut(width).enumerate() {
            for (x, sample) in row.iter_mut().enumerate() {
                *sample = put((*sample).into(), mean(alpha, plane.step, x, y)).clamp(0, 255) as u8;
            }
        }
    }
}

/// The mean alpha of the samples of luma that belong to a sample of a plane.
fn mean(alpha: &Plane, (across, down): (u32, u32), x: usize, y: usize) -> i32 {
    let (across, down) = (across as usize, down as usize);
    let rows = alpha.data.chunks_exact(alpha.reduced.width as usize).skip(y * down).take(down);
    let samples = rows.flat_map(|row| row.iter().skip(x * across).take(across));
    let (sum, count) = samples.fold((0, 0), |(sum, count), one| (sum + i32::from(*one), count + 1));
    (sum + count / 2).checked_div(count).unwrap_or(255)
}
