//! The second step: plans how to make a photo's renditions and how much memory that takes.

use crate::decode::Header;
use crate::spec::{Frame, Spec};
use crate::{Inspected, PhotoError, Size};

/// How a photo is shrunk: the balance between quality and speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resampling {
    /// Decodes at twice the size of the largest rendition or more, and shrinks with Lanczos3. On every photo
    /// measured the result is at least as good as Thumbnailator's.
    Best,
    /// Decodes at the size of the largest rendition if libjpeg-turbo can.
    Fast,
}

/// The size at which a JPEG is decoded, in eighths of its full size (libjpeg-turbo's `scale_num`/8). The
/// decoder never computes the frequencies that a smaller picture cannot show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DctScale(u8);

/// A plan for one photo's renditions. See [`Inspected::plan`].
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    pub(crate) photo: &'a Inspected<'a>,
    pub(crate) header: &'a Header,
    /// What is made, and what that shows of the photo.
    pub(crate) renditions: Vec<(Spec, Frame)>,
    /// The size at which a JPEG is decoded. A HEIC is decoded at half its size if that is not smaller, and other
    /// formats are decoded at full size.
    pub dct_scale: DctScale,
    /// Most bytes of memory that the work takes, without the photo's file.
    pub memory: u64,
    /// Whether the photo is decoded at a smaller size than [`Resampling`] asks for, because memory is short.
    pub is_reduced: bool,
}

impl DctScale {
    /// The full size.
    pub const FULL: DctScale = DctScale(8);

    /// A scale of 1 to 8 eighths; values outside are clamped.
    pub fn of_eighths(eighths: u8) -> DctScale {
        DctScale(eighths.clamp(1, 8))
    }

    /// The number of eighths, 1 to 8.
    pub fn eighths(self) -> u32 {
        self.0.into()
    }

    /// The next smaller scale.
    fn less(self) -> DctScale {
        DctScale::of_eighths(self.0 - 1)
    }
}

impl Resampling {
    /// The smallest scale at which to decode a photo for a rendition of this scale.
    fn dct_scale(self, scale: f64) -> DctScale {
        let margin = match self {
            Resampling::Best => 2.0,
            Resampling::Fast => 1.0,
        };
        let eighths = (1..8).find(|eighths| f64::from(*eighths) >= 8.0 * margin * scale);
        eighths.map_or(DctScale::FULL, DctScale)
    }
}

impl<'a> Inspected<'a> {
    /// The best plan for these renditions that takes no more than `memory` bytes, else the one that takes the
    /// least: compare [`Plan::memory`] with what there is. The photo is decoded once, for the largest of them.
    ///
    /// # Errors
    /// The reason why the photo can have no renditions.
    pub fn plan(
        &'a self,
        specs: &[Spec],
        resampling: Resampling,
        memory: u64,
    ) -> Result<Plan<'a>, PhotoError> {
        let header = self.header()?;
        let orientation = self.orientation();
        let framed = |spec: &Spec| (*spec, spec.sizing.frame(header.size, orientation));
        let renditions: Vec<(Spec, Frame)> = specs.iter().map(framed).collect();
        for (spec, frame) in &renditions {
            refuse_too_large(spec, frame.size)?;
        }
        let scale = renditions.iter().map(|(_, frame)| frame.scale).fold(0.0, f64::max);
        let (least, wanted) = (Resampling::Fast.dct_scale(scale), resampling.dct_scale(scale));
        let mut dct_scale = wanted;
        while dct_scale > least && header.memory(dct_scale, &renditions) > memory {
            dct_scale = dct_scale.less();
        }
        let memory = header.memory(dct_scale, &renditions);
        let is_reduced = dct_scale < wanted;
        Ok(Plan { photo: self, header, renditions, dct_scale, memory, is_reduced })
    }
}

fn refuse_too_large(spec: &Spec, Size { width, height }: Size) -> Result<(), PhotoError> {
    if width.max(height) <= spec.encoding.max_side() {
        return Ok(());
    }
    let format = spec.encoding;
    let kind = format!(
        "a photo whose thumbnail has {width}x{height} pixels, more than a {format} can have,"
    );
    Err(PhotoError::UnsupportedFormat(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dct_scale_is_the_smallest_that_the_resampling_allows() {
        let scales = [1.0, 0.9, 0.5, 0.4, 0.25, 0.2, 0.125, 0.01];
        let fast = scales.map(|scale| Resampling::Fast.dct_scale(scale).eighths());
        assert_eq!(fast, [8, 8, 4, 4, 2, 2, 1, 1]);
        let best = scales.map(|scale| Resampling::Best.dct_scale(scale).eighths());
        assert_eq!(best, [8, 8, 8, 7, 4, 4, 2, 1]);
    }

    #[test]
    fn a_dct_scale_is_clamped_to_one_to_eight_eighths() {
        let eighths = [0, 1, 8, 9].map(|eighths| DctScale::of_eighths(eighths).eighths());
        assert_eq!(eighths, [1, 1, 8, 8]);
        assert_eq!(DctScale::of_eighths(1).less(), DctScale::of_eighths(1));
    }
}
