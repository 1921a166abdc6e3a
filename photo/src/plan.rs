//! The second step: how a thumbnail will be made, and at which cost.

use crate::decode::Header;
use crate::{Inspected, PhotoError, Size};

/// The longest side that libjpeg-turbo encodes, in pixels (jmorecfg.h, JPEG_MAX_DIMENSION).
const MAX_JPEG_SIDE: u32 = 65_500;

/// What a thumbnail is to be like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spec {
    /// Thumbnail side over photo side, greater than 0, at most 1.
    pub scale: f64,
    /// IJG quality divided by 100, 0.01 to 1.
    pub quality: f64,
    /// What the pixels may cost.
    pub resampling: Resampling,
}

/// How many of a photo's frequencies go into its thumbnail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resampling {
    /// Decodes at twice the thumbnail's size at least, and shrinks with Lanczos3: not below
    /// Thumbnailator on any photo measured.
    Best,
    /// Decodes at the thumbnail's size where libjpeg-turbo can.
    Fast,
}

/// The size at which a JPEG is decoded, in eighths of its own: frequencies that a thumbnail cannot show
/// are never computed (libjpeg-turbo, `scale_num`/8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DctScale(u8);

/// How one photo will become a thumbnail.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    pub(crate) photo: &'a Inspected<'a>,
    pub(crate) header: &'a Header,
    pub(crate) spec: Spec,
    /// The size at which it is decoded, if it is a JPEG.
    pub dct_scale: DctScale,
    /// Bytes of memory that it takes at most, the photo itself not counted.
    pub memory: u64,
    /// Whether it is decoded at less than [`Resampling::Best`] would, as memory is short.
    pub is_reduced: bool,
}

impl DctScale {
    /// The whole size.
    pub const FULL: DctScale = DctScale(8);

    /// From 1 to 8 eighths; what is less or more counts as these.
    pub fn of_eighths(eighths: u8) -> DctScale {
        DctScale(eighths.clamp(1, 8))
    }

    /// 1 to 8.
    pub fn eighths(self) -> u32 {
        self.0.into()
    }

    /// The next smaller one.
    fn less(self) -> DctScale {
        DctScale::of_eighths(self.0 - 1)
    }
}

impl Resampling {
    /// The smallest scale at which to decode for a thumbnail of this scale.
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
    /// The best plan that takes no more than `memory` bytes, else the one that takes the least.
    ///
    /// # Errors
    /// Why the photo can have no thumbnail.
    pub fn plan(&'a self, spec: Spec, memory: u64) -> Result<Plan<'a>, PhotoError> {
        let header = self.header()?;
        let Size { width, height } = header.size.scaled(spec.scale);
        if width.max(height) > MAX_JPEG_SIDE {
            let kind = format!(
                "a photo whose thumbnail has {width}x{height} pixels, more than a JPEG can,"
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
    fn a_dct_scale_is_one_to_eight_eighths() {
        let eighths = [0, 1, 8, 9].map(|eighths| DctScale::of_eighths(eighths).eighths());
        assert_eq!(eighths, [1, 1, 8, 8]);
        assert_eq!(DctScale::of_eighths(1).less(), DctScale::of_eighths(1));
    }
}
