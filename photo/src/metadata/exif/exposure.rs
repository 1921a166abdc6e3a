//! The exposure settings.

use ::exif::Tag;

use super::fields::Fields;

/// The exposure settings of a photo. A zero, which cameras write for an unknown value, is absent. Numbers
/// have six significant digits.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct Exposure {
    /// ExposureTime (0x829A).
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub time: Option<ExposureTime>,
    /// FNumber (0x829D), such as 1.78 for f/1.78.
    pub f_number: Option<f64>,
    /// PhotographicSensitivity (0x8827), or the 32-bit tag that stands in for it.
    pub iso: Option<u32>,
    /// FocalLength (0x920A) of the lens, in millimetres.
    pub focal_length: Option<f64>,
    /// FocalLengthIn35mmFilm (0xA405): the equivalent on 35 mm film, in millimetres.
    #[cfg_attr(feature = "serde", serde(rename = "focalLength35"))]
    pub focal_length_35mm: Option<u32>,
    /// Whether the flash fired: bit 0 of Flash (0x9209).
    pub flash: Option<bool>,
}

/// The time for which the shutter was open.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct ExposureTime {
    /// Seconds as photographers write them, such as `1/120`, `0.5` or `2`.
    #[cfg_attr(feature = "serde", serde(rename = "time"))]
    pub fraction: String,
    /// The seconds as a number.
    pub seconds: f64,
}

pub(crate) fn exposure(fields: &Fields) -> Exposure {
    Exposure {
        time: positive(fields, Tag::ExposureTime).map(exposure_time),
        f_number: positive(fields, Tag::FNumber).map(six_digits),
        iso: iso(fields),
        focal_length: positive(fields, Tag::FocalLength).map(six_digits),
        focal_length_35mm: fields
            .uint(Tag::FocalLengthIn35mmFilm)
            .filter(|&millimetres| millimetres != 0),
        flash: fields.uint(Tag::Flash).map(|bits| bits & 1 == 1),
    }
}

fn positive(fields: &Fields, tag: Tag) -> Option<f64> {
    fields.number(tag).filter(|&number| number > 0.0)
}

fn exposure_time(seconds: f64) -> ExposureTime {
    ExposureTime { fraction: fraction(seconds), seconds: six_digits(seconds) }
}

/// Formats seconds like exiftool's `PrintExposureTime`: a fraction up to a quarter of a second, above that
/// at most one decimal.
fn fraction(seconds: f64) -> String {
    if seconds < 0.25001 {
        return format!("1/{:.0}", (1.0 / seconds).round());
    }
    let tenths = format!("{seconds:.1}");
    tenths.strip_suffix(".0").unwrap_or(&tenths).to_owned()
}

/// The ISO number. PhotographicSensitivity has 16 bits, and 65535 refers to one of the 32-bit tags (clause
/// 4.6.5, 0x8827): ISOSpeed (0x8833), RecommendedExposureIndex (0x8832) and StandardOutputSensitivity
/// (0x8831) are tried in this order.
fn iso(fields: &Fields) -> Option<u32> {
    let short = fields.uints(Tag::PhotographicSensitivity).filter(|&iso| iso != 65535);
    let long_tags = [Tag::ISOSpeed, Tag::RecommendedExposureIndex, Tag::StandardOutputSensitivity];
    short.chain(long_tags.into_iter().flat_map(|tag| fields.uints(tag))).find(|&iso| iso != 0)
}

/// Rounds to six significant digits: cameras store 1.78 as a ratio that is only close to it, 1.779999971.
fn six_digits(number: f64) -> f64 {
    format!("{number:.5e}").parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use ::exif::{Tag, Value};

    use super::*;
    use crate::metadata::sample::{facts, field, long, rational, short};

    fn time(numerator: u32, denominator: u32) -> Option<ExposureTime> {
        facts(&[rational(Tag::ExposureTime, &[(numerator, denominator)])]).exposure.time
    }

    #[test]
    fn the_recommended_index_goes_before_the_standard_sensitivity() {
        let fields = [
            short(Tag::PhotographicSensitivity, 65535),
            long(Tag::StandardOutputSensitivity, 100_000),
            long(Tag::RecommendedExposureIndex, 200_000),
        ];
        assert_eq!(facts(&fields).exposure.iso, Some(200_000));
    }

    #[test]
    fn exposure_times_are_formatted_like_exiftools() {
        for (numerator, denominator, fraction, seconds) in [
            (1, 120, "1/120", 0.00833333),
            (10, 1200, "1/120", 0.00833333),
            (8264463, 1000000000, "1/121", 0.00826446),
            (1, 8000, "1/8000", 0.000125),
            (2, 15, "1/8", 0.133333),
            (1, 4, "1/4", 0.25),
            (3, 10, "0.3", 0.3),
            (1, 3, "0.3", 0.333333),
            (1, 2, "0.5", 0.5),
            (1, 1, "1", 1.0),
            (13, 10, "1.3", 1.3),
            (2, 1, "2", 2.0),
            (60, 1, "60", 60.0),
        ] {
            let time = time(numerator, denominator).unwrap();
            assert_eq!(time.fraction, fraction);
            assert_eq!(time.seconds, seconds);
        }
    }

    #[test]
    fn an_exposure_time_of_zero_or_with_denominator_zero_is_absent() {
        assert_eq!(time(0, 1), None);
        assert_eq!(time(0, 0), None);
        assert_eq!(time(1, 0), None);
    }

    #[test]
    fn numbers_have_six_significant_digits() {
        let exposure = facts(&[
            rational(Tag::FNumber, &[(1779999971, 1000000000)]),
            rational(Tag::FocalLength, &[(4284999866, 633407218)]),
        ])
        .exposure;
        assert_eq!(exposure.f_number, Some(1.78));
        assert_eq!(exposure.focal_length, Some(6.765));
    }

    #[test]
    fn zeros_from_a_lens_without_contacts_are_absent() {
        let exposure = facts(&[
            rational(Tag::FNumber, &[(0, 1)]),
            rational(Tag::FocalLength, &[(0, 0)]),
            short(Tag::FocalLengthIn35mmFilm, 0),
        ])
        .exposure;
        assert_eq!(exposure, Exposure::default());
    }

    #[test]
    fn focal_length_on_35_mm_film_is_in_millimetres() {
        let exposure = facts(&[short(Tag::FocalLengthIn35mmFilm, 24)]).exposure;
        assert_eq!(exposure.focal_length_35mm, Some(24));
    }

    #[test]
    fn iso_is_the_first_number_of_an_array_that_is_not_0() {
        for array in [vec![640, 0], vec![0, 640], vec![640, 800]] {
            let value = Value::Short(array);
            let exposure = facts(&[field(Tag::PhotographicSensitivity, value)]).exposure;
            assert_eq!(exposure.iso, Some(640));
        }
    }

    #[test]
    fn numbers_of_other_types_are_read() {
        for value in [
            Value::Short(vec![35]),
            Value::SLong(vec![35]),
            Value::Float(vec![35.0]),
            Value::Double(vec![35.0]),
            Value::SRational(vec![(70, 2).into()]),
        ] {
            let exposure = facts(&[field(Tag::FocalLength, value)]).exposure;
            assert_eq!(exposure.focal_length, Some(35.0));
        }
        let none = facts(&[field(Tag::FocalLength, Value::Float(vec![f32::NAN]))]).exposure;
        assert_eq!(none.focal_length, None);
    }

    #[test]
    fn an_iso_beyond_16_bits_comes_from_the_32_bit_tags() {
        let iso = |short_iso, speed, index| {
            let fields = [
                short(Tag::PhotographicSensitivity, short_iso),
                long(Tag::ISOSpeed, speed),
                long(Tag::RecommendedExposureIndex, index),
            ];
            facts(&fields).exposure.iso
        };
        assert_eq!(iso(80, 102400, 204800), Some(80));
        assert_eq!(iso(65535, 102400, 204800), Some(102400));
        assert_eq!(iso(65535, 0, 204800), Some(204800));
        assert_eq!(iso(0, 102400, 0), Some(102400));
        assert_eq!(iso(0, 0, 0), None);
        assert_eq!(iso(65535, 0, 0), None);
        let only = facts(&[long(Tag::StandardOutputSensitivity, 100)]);
        assert_eq!(only.exposure.iso, Some(100));
    }

    #[test]
    fn flash_is_the_bit_for_whether_it_fired() {
        for (bits, fired) in [(0x00, false), (0x10, false), (0x01, true), (0x59, true)] {
            let exposure = facts(&[short(Tag::Flash, bits)]).exposure;
            assert_eq!(exposure.flash, Some(fired), "{bits:#x}");
        }
        assert_eq!(facts(&[short(Tag::Orientation, 1)]).exposure.flash, None);
    }
}
