//! Gathers tiles in planes of 8 bits, reduced as they come, so that memory follows the reduced picture.

use crate::Size;

/// A plane of the picture that is being gathered.
#[derive(Debug)]
pub(super) struct Plane {
    /// The plane's size at the picture's full size, in its own samples.
    full: Size,
    /// Columns and rows of luma for each sample.
    pub step: (u32, u32),
    /// Samples of a side that become one: 1 or 2.
    pub reduction: u32,
    /// The value for each decoded one.
    levels: Vec<u8>,
    /// The size of the gathered plane.
    pub reduced: Size,
    pub data: Vec<u8>,
}

/// A part of a decoded tile's plane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Samples<'a> {
    pub data: &'a [u16],
    /// Samples in a row of `data`.
    pub stride: usize,
    /// The first column and row that are shown.
    pub start: (u32, u32),
}

impl Plane {
    /// A plane of a picture of this size.
    pub fn new(picture: Size, step: (u32, u32), reduction: u32, levels: Vec<u8>) -> Plane {
        let full = Plane::size(picture, step, 1);
        let reduced = Plane::size(picture, step, reduction);
        let data = vec![0; reduced.width as usize * reduced.height as usize];
        Plane { full, step, reduction, levels, reduced, data }
    }

    /// The size of such a plane.
    pub fn size(picture: Size, (across, down): (u32, u32), reduction: u32) -> Size {
        Size {
            width: picture.width.div_ceil(across).div_ceil(reduction),
            height: picture.height.div_ceil(down).div_ceil(reduction),
        }
    }

    /// Puts a tile into the plane, whose first column and row in luma are given, and its size in luma. What
    /// reaches beyond the picture is left out.
    pub fn put(&mut self, samples: Samples<'_>, (left, top): (u32, u32), size: Size) {
        let (left, top) = (left / self.step.0, top / self.step.1);
        let width = size.width.div_ceil(self.step.0).min(self.full.width - left) as usize;
        let height = size.height.div_ceil(self.step.1).min(self.full.height - top) as usize;
        let reduction = self.reduction as usize;
        let (to_left, to_top) = (left as usize / reduction, top as usize / reduction);
        let reduced_width = width.div_ceil(reduction);
        let rows = self.data.chunks_exact_mut(self.reduced.width as usize).skip(to_top);
        let source =
            samples.data.chunks_exact(samples.stride.max(1)).skip(samples.start.1 as usize);
        let mut source = source.take(height).filter_map(|row| row.get(samples.start.0 as usize..));
        let mut sums = vec![0u32; reduced_width];
        for row in rows.take(height.div_ceil(reduction)) {
            sums.fill(0);
            let mut count = 0;
            for line in source.by_ref().take(reduction) {
                let line = line.get(..width).unwrap_or(line);
                match reduction {
                    1 => add::<1>(&mut sums, line),
                    _ => add::<2>(&mut sums, line),
                }
                count += 1;
            }
            let places = row.iter_mut().skip(to_left).zip(&sums).enumerate();
            for (at, (place, sum)) in places {
                let columns = (width - at * reduction).min(reduction) as u32;
                let samples = count * columns;
                let mean = (sum + samples / 2).checked_div(samples).unwrap_or_default();
                *place = self.levels.get(mean as usize).copied().unwrap_or(u8::MAX);
            }
        }
    }
}

/// Adds each group of `N` samples to its sum; the last group may be smaller.
fn add<const N: usize>(sums: &mut [u32], line: &[u16]) {
    let (groups, rest) = line.as_chunks::<N>();
    for (sum, group) in sums.iter_mut().zip(groups) {
        *sum += group.iter().map(|sample| u32::from(*sample)).sum::<u32>();
    }
    if let Some(sum) = sums.get_mut(groups.len()) {
        *sum += rest.iter().map(|sample| u32::from(*sample)).sum::<u32>();
    }
}
