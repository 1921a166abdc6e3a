//! The second step: plans how to make a thumbnail and how much memory it takes.

use crate::decode::Header;
use crate::{Inspected, PhotoError, Size};

/// The longest side that libjpeg-turbo encodes, in pixels (jmorecfg.h, JPEG_MAX_DIMENSION).
const MAX_JPEG_SIDE: u32 = 65_500;

/// The thumbnail to make.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spec {
    /// The thumbnail's sides divided by the photo's: greater than 0, at most 1.
    pub scale: f64,
    /// JPEG quality: the IJG's scale divided by 100, 0.01 to 1.
    pub quality: f64,
    /// The balance between quality and speed.
    pub resampling: Resampling,
}

/// How a photo is shrunk: the balance between quality and speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resampling {
    /// Decodes at twice the thumbnail's size or more, and shrinks with Lanczos3. On every photo measured
    /// the result is at least as good as Thumbnailator's.
    Best,
    /// Decodes at the thumbnail's size if libjpeg-turbo can.
    Fast,
}

/// The size at which a JPEG is decoded, in eighths of its full size (libjpeg-turbo's `scale_num`/8). The
/// decoder never computes the frequencies that a smaller picture cannot show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DctScale(u8);

/// A plan for one photo's thumbnail. See [`Inspected::plan`].
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    pub(crate) photo: &'a Inspected<'a>,
    pub(crate) header: &'a Header,
    pub(crate) spec: Spec,
    /// The size at which a JPEG is decoded. A HEIC is decoded at half its size if that is not smaller, and other
    /// formats are decoded at full size.
    pub dct_scale: DctScale,
    /// Most bytes of memory that the work takes, without the photo's file.
    pub memory: u64,
    /// Whether the photo is decoded at a smaller size than [`Spec::resampling`] asks for, because memory
    /// is short.
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
    /// The smallest scale at which to decode a photo for a thumbnail of this scale.
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
    /// The best plan that takes no more than `memory` bytes, else the one that takes the least: compare
    /// [`Plan::memory`] with what there is.
    ///
    /// # Errors
    /// The reason why the photo can have no thumbnail.
    pub fn plan(&'a self, spec: Spec, memory: u64) -> Result<Plan<'a>, PhotoError> {
        let header = self.header()?;
        let Size { width, height } = header.size.scaled(spec.scale);
        if width.max(height) > MAX_JPEG_SIDE {
            let kind = format!(
                "a photo whose thumbnail has {width}x{height} pixels, more than a JPEG can have,"
            );
            return Err(PhotoError::UnsupportedFormat(kind));
        }
        let least = Resampling::Fast.dct_scale(spec.scale);
        let wanted = spec.resampling.dct_scale(spec.scale);
        let mut dct_scale = wanted;
        while dct_scale > least && header.memory(dct_scale, spec.scale) > memory {
            dct_scale = dct_scale.less();
        }
        let memory = header.memory(dct_scale, spec.scale);
        let is_reduced = dct_scale < wanted;
        Ok(Plan { photo: self, header, spec, dct_scale, memory, is_reduced })
    }
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
