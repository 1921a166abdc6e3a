//! Puts rows of a strip or tile into the picture: undoes the predictor, takes the samples that are shown,
//! and makes them samples of 8 bits.

use super::chunks::Chunk;
use super::stored::{Meaning, Stored};
use crate::pixels::samples::Alpha;

/// The picture that is being decoded, and what its samples mean.
pub(super) struct Painter<'a> {
    pub stored: &'a Stored,
    /// Red, green and blue of each index.
    pub palette: Vec<[u8; 3]>,
}

/// A sample that is shown: its place in a stored pixel, and its place in a decoded one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shown {
    from: u16,
    to: usize,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Inverted,
    Index,
}

impl Painter<'_> {
    /// Puts a row, which begins with the strip's or tile's first column, into the picture at `pixels`.
    pub fn paint(&self, row: &mut [u8], chunk: &Chunk<'_>, pixels: &mut [u8]) {
        let samples = usize::from(self.stored.samples_in_a_chunk());
        if self.stored.is_predicted {
            match self.stored.bits {
                16 => self.sum_deep(row, samples),
                _ => sum(row, samples),
            }
        }
        let bytes_per_pixel = self.stored.layout().bytes_per_pixel() as usize;
        if self.stored.bits == 8 && self.shows_all_as_they_are(bytes_per_pixel) {
            pixels.iter_mut().zip(row).for_each(|(to, from)| *to = *from);
            return;
        }
        for shown in self.shown() {
            let place = match self.stored.is_planar {
                true if shown.from != chunk.plane => continue,
                true => 0,
                false => usize::from(shown.from),
            };
            let pixels = pixels.chunks_exact_mut(bytes_per_pixel);
            match self.stored.bits {
                8 => {
                    let values = row.iter().skip(place).step_by(samples).copied();
                    self.put(values.map(u16::from), pixels, shown);
                }
                16 => {
                    let values = row.as_chunks().0.iter().skip(place).step_by(samples);
                    self.put(values.map(|bytes| self.deep(*bytes)), pixels, shown);
                }
                bits => {
                    let starts = (place * usize::from(bits)..).step_by(samples * usize::from(bits));
                    self.put(starts.map(|start| sample(row, start, bits)), pixels, shown);
                }
            }
        }
    }

    /// Whether a stored pixel is the decoded one, sample for sample.
    fn shows_all_as_they_are(&self, bytes_per_pixel: usize) -> bool {
        let is_at_its_place =
            |shown: Shown| shown.kind == Kind::Plain && usize::from(shown.from) == shown.to;
        usize::from(self.stored.samples_in_a_chunk()) == bytes_per_pixel
            && self.shown().all(is_at_its_place)
    }

    /// Whether a strip or tile of this plane holds a sample that is shown.
    pub fn shows(&self, plane: u16) -> bool {
        !self.stored.is_planar || self.shown().any(|shown| shown.from == plane)
    }

    fn shown(&self) -> impl Iterator<Item = Shown> {
        let meaning = self.stored.meaning;
        let kind = match meaning {
            Meaning::Gray { is_white_zero: true } => Kind::Inverted,
            Meaning::Palette => Kind::Index,
            Meaning::Gray { .. } | Meaning::Rgb | Meaning::Cmyk | Meaning::YCbCr => Kind::Plain,
        };
        let colours = (0..meaning.samples()).map(move |from| Shown { from, to: from.into(), kind });
        let behind = usize::from(self.stored.layout().colours());
        let alpha = self.stored.alpha.filter(|(_, alpha)| *alpha != Alpha::None);
        let alpha = alpha.map(|(from, _)| Shown { from, to: behind, kind: Kind::Plain });
        colours.chain(alpha)
    }

    /// Puts one sample of each pixel into the picture.
    fn put<'p>(
        &self,
        values: impl Iterator<Item = u16>,
        pixels: impl Iterator<Item = &'p mut [u8]>,
        shown: Shown,
    ) {
        let largest = u16::MAX >> (16 - self.stored.bits);
        let places = pixels.filter_map(|pixel| pixel.get_mut(shown.to..)).zip(values);
        match (shown.kind, largest) {
            (Kind::Index, _) => places.for_each(|(place, index)| {
                let colour = self.palette.get(usize::from(index)).copied().unwrap_or_default();
                place.iter_mut().zip(colour).for_each(|(to, from)| *to = from);
            }),
            (Kind::Inverted, _) => put(places, |value| to_eight_bits(largest - value, largest)),
            (Kind::Plain, 255) => put(places, |value| value as u8),
            (Kind::Plain, _) => put(places, |value| to_eight_bits(value, largest)),
        }
    }

    /// Adds each sample of 16 bits to that of the pixel before.
    fn sum_deep(&self, row: &mut [u8], samples: usize) {
        let values = row.as_chunks_mut().0;
        for at in samples..values.len() {
            let [before, value] =
                [at - samples, at].map(|at| values.get(at).map_or(0, |bytes| self.deep(*bytes)));
            let sum = before.wrapping_add(value);
            if let Some(place) = values.get_mut(at) {
                *place =
                    if self.stored.is_big_endian { sum.to_be_bytes() } else { sum.to_le_bytes() };
            }
        }
    }

    fn deep(&self, bytes: [u8; 2]) -> u16 {
        match self.stored.is_big_endian {
            true => u16::from_be_bytes(bytes),
            false => u16::from_le_bytes(bytes),
        }
    }
}

/// Adds each sample of 8 bits to that of the pixel before (TIFF 6.0 section 14).
fn sum(row: &mut [u8], samples: usize) {
    for at in samples..row.len() {
        let before = row.get(at - samples).copied().unwrap_or_default();
        if let Some(place) = row.get_mut(at) {
            *place = place.wrapping_add(before);
        }
    }
}

fn put<'p>(places: impl Iterator<Item = (&'p mut [u8], u16)>, convert: impl Fn(u16) -> u8) {
    for (place, value) in places {
        if let Some(place) = place.first_mut() {
            *place = convert(value);
        }
    }
}

/// Scales a sample to 8 bits, rounded to the nearest.
fn to_eight_bits(value: u16, largest: u16) -> u8 {
    let (value, largest) = (u32::from(value), u32::from(largest));
    ((value * 255 + largest / 2) / largest) as u8
}

/// The sample of at most 16 bits that begins at this bit; the highest bit of a byte is the first.
fn sample(row: &[u8], start: usize, bits: u8) -> u16 {
    let byte = |at: usize| u32::from(row.get(start / 8 + at).copied().unwrap_or_default());
    let three = byte(0) << 16 | byte(1) << 8 | byte(2);
    let behind = 24 - start % 8 - usize::from(bits);
    (three >> behind) as u16 & u16::MAX >> (16 - bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_any_depth_are_taken_bit_by_bit() {
        let row = [0b1010_0101, 0b0000_1111, 0b1100_0011, 0x81];
        let whole = u32::from_be_bytes(row);
        for bits in 1..=16u8 {
            for start in 0..=32 - usize::from(bits) {
                let expected = (u64::from(whole) << start) as u32 >> (32 - bits);
                assert_eq!(u32::from(sample(&row, start, bits)), expected, "{bits} from {start}");
            }
        }
    }

    #[test]
    fn the_largest_sample_becomes_255_and_others_the_nearest() {
        for bits in 1..=16 {
            let largest = u16::MAX >> (16 - bits);
            assert_eq!((to_eight_bits(0, largest), to_eight_bits(largest, largest)), (0, 255));
        }
        assert_eq!([1, 7, 8, 14].map(|value| to_eight_bits(value, 15)), [17, 119, 136, 238]);
        assert_eq!(
            [128, 129, 65406, 65407].map(|value| to_eight_bits(value, 65535)),
            [0, 1, 254, 255]
        );
    }
}
