//! The tags that are not typed facts, as readable text.

use std::collections::BTreeMap;

use ::exif::{Context, Field, Tag, Value};

use super::super::text;
use super::directory::ByteOrder;
use super::fields::{Fields, count, value_text};
use crate::LocationPolicy;

/// Most entries of [`Facts::tags`](crate::Facts::tags): the number of tags that have a name and are not
/// typed facts.
pub const MAX_TAGS: usize = 144;

/// Most bytes of all names and values together.
const MAX_TOTAL_BYTES: usize = 16 * 1024;

/// Most elements of a value that is not text. Longer values are tables and blobs, such as TransferFunction
/// (0x012D, 768 numbers) and CFAPattern (0xA302).
const MAX_ELEMENTS: usize = 32;

/// Numbers are rounded to multiples of 1/`STEPS`, that is, to four decimals.
const STEPS: u16 = 10_000;

/// Tags that the EXIF library does not know: texts of TIFF 6.0 (pages 110 and 55) and EXIF 3.0 (clause
/// 4.6.6.9), and the tags that people can edit in Windows (Windows Imaging Component, "Photo Metadata
/// Policies").
const OTHER_TAGS: [(Tag, &str); 16] = [
    (Tag(Context::Tiff, 0x000B), "ProcessingSoftware"),
    (Tag(Context::Tiff, 0x010D), "DocumentName"),
    (Tag(Context::Tiff, 0x013C), "HostComputer"),
    (Tag(Context::Tiff, 0x4746), "Rating"),
    (XP_TITLE, "XPTitle"),
    (XP_COMMENT, "XPComment"),
    (XP_AUTHOR, "XPAuthor"),
    (XP_KEYWORDS, "XPKeywords"),
    (XP_SUBJECT, "XPSubject"),
    (Tag(Context::Exif, 0xA436), "ImageTitle"),
    (Tag(Context::Exif, 0xA437), "Photographer"),
    (Tag(Context::Exif, 0xA438), "ImageEditor"),
    (Tag(Context::Exif, 0xA439), "CameraFirmware"),
    (Tag(Context::Exif, 0xA43A), "RAWDevelopingSoftware"),
    (Tag(Context::Exif, 0xA43B), "ImageEditingSoftware"),
    (Tag(Context::Exif, 0xA43C), "MetadataEditingSoftware"),
];

/// Texts that Windows writes: UTF-16, little-endian in every block.
const XP_TITLE: Tag = Tag(Context::Tiff, 0x9C9B);
const XP_COMMENT: Tag = Tag(Context::Tiff, 0x9C9C);
const XP_AUTHOR: Tag = Tag(Context::Tiff, 0x9C9D);
const XP_KEYWORDS: Tag = Tag(Context::Tiff, 0x9C9E);
const XP_SUBJECT: Tag = Tag(Context::Tiff, 0x9C9F);

/// The standard tags of the primary image that are not typed facts, by name. If a tag is given twice, or
/// not all tags fit, those that come first in the file are kept.
pub(crate) fn tags(fields: &Fields, location: LocationPolicy) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    let mut budget = MAX_TOTAL_BYTES;
    for (field, order) in fields.iter().filter(|(field, _)| is_kept(field.tag, location)) {
        let Some(name) = name(field.tag).filter(|name| !tags.contains_key(name)) else {
            continue;
        };
        let Some(value) = display_value(fields, field, order) else {
            continue;
        };
        let Some(rest) = budget.checked_sub(name.len() + value.len()) else {
            continue;
        };
        budget = rest;
        tags.insert(name, value);
    }
    tags
}

/// Whether a tag is kept. Tags without a standard name are dropped, because their values have no known
/// meaning. At most [`MAX_TAGS`] tags are kept.
pub(crate) fn is_kept(tag: Tag, location: LocationPolicy) -> bool {
    let is_gps = tag.context() == Context::Gps;
    name(tag).is_some()
        && !is_typed(tag)
        && !is_position_in_file(tag)
        && (location == LocationPolicy::Exact || !is_gps)
}

/// Whether a tag has a standard name and means something outside of its file.
pub(crate) fn is_standard(tag: Tag) -> bool {
    name(tag).is_some() && !is_position_in_file(tag)
}

/// The EXIF library's name for a tag, else the one in [`OTHER_TAGS`].
fn name(tag: Tag) -> Option<String> {
    tag.description().map(|_| tag.to_string()).or_else(|| {
        OTHER_TAGS.iter().find(|(other, _)| *other == tag).map(|(_, name)| (*name).into())
    })
}

/// Whether a tag is a typed fact. Flash is not, because it says more than whether the flash fired.
fn is_typed(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::Orientation
            | Tag::DateTimeOriginal
            | Tag::SubSecTimeOriginal
            | Tag::OffsetTimeOriginal
            | Tag::GPSLatitude
            | Tag::GPSLatitudeRef
            | Tag::GPSLongitude
            | Tag::GPSLongitudeRef
            | Tag::GPSAltitude
            | Tag::GPSAltitudeRef
            | Tag::Make
            | Tag::Model
            | Tag::LensModel
            | Tag::Software
            | Tag::ExposureTime
            | Tag::FNumber
            | Tag::PhotographicSensitivity
            | Tag::FocalLength
            | Tag::FocalLengthIn35mmFilm
    )
}

/// Whether a tag is an offset or a size, which has no meaning outside the file.
fn is_position_in_file(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::ExifIFDPointer
            | Tag::GPSInfoIFDPointer
            | Tag::InteropIFDPointer
            | Tag::StripOffsets
            | Tag::StripByteCounts
            | Tag::TileOffsets
            | Tag::TileByteCounts
            | Tag::JPEGInterchangeFormat
            | Tag::JPEGInterchangeFormatLength
    )
}

/// The value as readable text with its unit; absent for blobs and unknown values.
fn display_value(fields: &Fields, field: &Field, order: ByteOrder) -> Option<String> {
    match (&field.value, field.tag) {
        (Value::Ascii(strings), Tag::Copyright) => copyright(strings),
        (
            Value::Undefined(bytes, _),
            Tag::UserComment | Tag::GPSProcessingMethod | Tag::GPSAreaInformation,
        ) => coded_text(bytes, order),
        (
            Value::Byte(bytes) | Value::Undefined(bytes, _),
            XP_TITLE | XP_COMMENT | XP_AUTHOR | XP_KEYWORDS | XP_SUBJECT,
        ) => text::plain(&ByteOrder::Little.utf16(bytes)),
        (Value::Ascii(_), _) => coded_letter(field).or_else(|| value_text(&field.value)),
        _ => number_or_code(fields, field),
    }
}

/// The photographer's and the editor's copyright (clause 4.6.4, 0x8298).
fn copyright(strings: &[Vec<u8>]) -> Option<String> {
    let holders: Vec<String> =
        strings.iter().filter_map(|holder| text::plain_bytes(holder)).collect();
    text::plain(&holders.join("; "))
}

/// A text that follows eight bytes with its character code (clause 4.6.5, UserComment). ASCII, an
/// undefined code and a missing code count as UTF-8. JIS, other codes and other bytes are not read.
fn coded_text(bytes: &[u8], order: ByteOrder) -> Option<String> {
    let (code, content) = bytes.split_first_chunk::<8>()?;
    match code {
        b"ASCII\0\0\0" | b"\0\0\0\0\0\0\0\0" => text::plain_utf8(content),
        // EXIF defines no byte order for UTF-16. Cameras use that of the block.
        b"UNICODE\0" => text::plain(&order.utf16(content)),
        code if code.iter().any(u8::is_ascii_control) => None,
        _ => text::plain_utf8(bytes),
    }
}

/// The meaning of a coded letter, such as `km/h` for the `K` of GPSSpeedRef (0x000C), or a formatted date.
/// Absent for plain text, which the library quotes.
fn coded_letter(field: &Field) -> Option<String> {
    if count(&field.value) > MAX_ELEMENTS {
        return None;
    }
    let text = field.display_value().to_string();
    (!text.contains('"')).then_some(text)
}

fn number_or_code(fields: &Fields, field: &Field) -> Option<String> {
    let has_sane_length = (1..=MAX_ELEMENTS).contains(&count(&field.value));
    if !has_sane_length || has_zero_denominator(&field.value) {
        return None;
    }
    let field = Field { value: rounded(&field.value), ..*field };
    let text = match unit_tag(field.tag).and_then(|tag| fields.get(tag)) {
        Some(unit) => field.display_value().with_unit(unit).to_string(),
        None => field.display_value().with_unit(()).to_string(),
    };
    // The library prints a blob as its bytes.
    let is_blob = text.starts_with("0x");
    if is_blob { None } else { text::plain(&text) }
}

/// The tag that holds the unit or the reference of another tag.
fn unit_tag(tag: Tag) -> Option<Tag> {
    Some(match tag {
        Tag::XResolution | Tag::YResolution => Tag::ResolutionUnit,
        Tag::FocalPlaneXResolution | Tag::FocalPlaneYResolution => Tag::FocalPlaneResolutionUnit,
        Tag::GPSSpeed => Tag::GPSSpeedRef,
        Tag::GPSTrack => Tag::GPSTrackRef,
        Tag::GPSImgDirection => Tag::GPSImgDirectionRef,
        Tag::GPSDestLatitude => Tag::GPSDestLatitudeRef,
        Tag::GPSDestLongitude => Tag::GPSDestLongitudeRef,
        Tag::GPSDestBearing => Tag::GPSDestBearingRef,
        Tag::GPSDestDistance => Tag::GPSDestDistanceRef,
        _ => return None,
    })
}

/// Whether a denominator is 0, which means unknown, as in LensSpecification (clause 4.6.5, 0xA432).
fn has_zero_denominator(value: &Value) -> bool {
    matches!(value, Value::Rational(values) if values.iter().any(|one| one.denom == 0))
        || matches!(value, Value::SRational(values) if values.iter().any(|one| one.denom == 0))
}

/// The value rounded to four decimals, so that 1/3 is not shown with 16 of them.
fn rounded(value: &Value) -> Value {
    let mut rounded = value.clone();
    if let Value::Rational(values) = &mut rounded {
        for value in values {
            *value = in_steps(value.num, value.denom).map_or(*value, Into::into);
        }
    } else if let Value::SRational(values) = &mut rounded {
        for value in values {
            *value = in_steps(value.num, value.denom).map_or(*value, Into::into);
        }
    }
    rounded
}

/// The rational rounded to whole [`STEPS`]; absent if it needs no rounding or the result does not fit.
fn in_steps<N>(num: N, denom: N) -> Option<(N, N)>
where
    N: Into<i64> + TryFrom<i64> + From<u16>,
{
    let (num, denom) = (num.into(), denom.into());
    // All bits set mean infinity or unknown, as in SubjectDistance (clause 4.6.5, 0x9206).
    let has_special_meaning = [num, denom].contains(&i64::from(u32::MAX));
    let is_whole = (num * i64::from(STEPS)).checked_rem(denom)? == 0;
    if has_special_meaning || is_whole {
        return None;
    }
    let steps = (num as f64 / denom as f64 * f64::from(STEPS)).round() as i64;
    Some((N::try_from(steps).ok()?, N::from(STEPS)))
}

#[cfg(test)]
mod tests {
    use ::exif::{Context, Field, SRational, Tag, Value};

    use super::*;
    use crate::Facts;
    use crate::metadata::sample::read;
    use crate::metadata::sample::{
        ascii, block, byte, every_tag, facts, facts_under, field, jpeg, long, rational, short,
        thumbnail, undefined,
    };

    fn displayed(field: Field) -> Option<String> {
        let name = field.tag.to_string();
        facts(&[field]).tags.remove(&name)
    }

    fn names(facts: &Facts) -> Vec<&str> {
        facts.tags.keys().map(String::as_str).collect()
    }

    #[test]
    fn a_number_is_shown_with_the_unit_or_the_reference_that_another_tag_gives() {
        let one = |tag| rational(tag, &[(12, 1)]);
        let degrees = |tag| rational(tag, &[(12, 1), (30, 1), (0, 1)]);
        for (number, unit) in [
            (one(Tag::XResolution), short(Tag::ResolutionUnit, 3)),
            (one(Tag::YResolution), short(Tag::ResolutionUnit, 3)),
            (one(Tag::FocalPlaneXResolution), short(Tag::FocalPlaneResolutionUnit, 3)),
            (one(Tag::FocalPlaneYResolution), short(Tag::FocalPlaneResolutionUnit, 3)),
            (one(Tag::GPSSpeed), ascii(Tag::GPSSpeedRef, "N")),
            (one(Tag::GPSTrack), ascii(Tag::GPSTrackRef, "M")),
            (one(Tag::GPSImgDirection), ascii(Tag::GPSImgDirectionRef, "M")),
            (degrees(Tag::GPSDestLatitude), ascii(Tag::GPSDestLatitudeRef, "S")),
            (degrees(Tag::GPSDestLongitude), ascii(Tag::GPSDestLongitudeRef, "W")),
            (one(Tag::GPSDestBearing), ascii(Tag::GPSDestBearingRef, "M")),
            (one(Tag::GPSDestDistance), ascii(Tag::GPSDestDistanceRef, "N")),
        ] {
            let name = number.tag.to_string();
            let shown = |fields: &[Field]| facts(fields).tags[&name].clone();
            let with_unit = shown(&[number.clone(), unit]);
            assert_ne!(with_unit, shown(&[number]), "{name}");
        }
    }

    #[test]
    fn a_tag_is_shown_under_its_standard_name_with_its_unit() {
        let facts = facts(&[
            short(Tag::WhiteBalance, 0),
            rational(Tag::XResolution, &[(72, 1)]),
            short(Tag::ResolutionUnit, 3),
            rational(Tag::SubjectDistance, &[(5, 2)]),
            short(Tag::Flash, 0x10),
            undefined(Tag::ExifVersion, b"0232"),
            ascii(Tag::DateTimeDigitized, "2024:04:06 17:23:41"),
            ascii(Tag::GPSSpeedRef, "K"),
            rational(Tag::GPSSpeed, &[(13, 100)]),
            ascii(Tag::InteroperabilityIndex, "R98"),
        ]);
        let expected = [
            ("WhiteBalance", "auto white balance"),
            ("XResolution", "72 pixels per cm"),
            ("ResolutionUnit", "cm"),
            ("SubjectDistance", "2.5 m"),
            ("Flash", "not fired, no return light detection function, suppressed"),
            ("ExifVersion", "2.32"),
            ("DateTimeDigitized", "2024-04-06 17:23:41"),
            ("GPSSpeedRef", "km/h"),
            ("GPSSpeed", "0.13 km/h"),
            ("InteroperabilityIndex", "R98"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(facts.tags, BTreeMap::from(expected));
    }

    #[test]
    fn a_text_is_shown_without_quotes_and_escapes() {
        let description = ascii(Tag::ImageDescription, "The \"Old\" Café \\ 1\0\0");
        assert_eq!(displayed(description).as_deref(), Some("The \"Old\" Café \\ 1"));
        assert_eq!(displayed(ascii(Tag::Artist, "   ")), None);
        assert_eq!(displayed(ascii(Tag::GPSSpeedRef, "Q")).as_deref(), Some("Q"));
    }

    #[test]
    fn numbers_are_shown_with_at_most_four_decimals() {
        let brightness = |num, denom| {
            let value = Value::SRational(vec![SRational { num, denom }]);
            displayed(field(Tag::BrightnessValue, value)).unwrap()
        };
        assert_eq!(brightness(4001, 569), "7.0316 EV");
        assert_eq!(brightness(-1, 3), "-0.3333 EV");
        assert_eq!(brightness(-7, 4), "-1.75 EV");
        assert_eq!(brightness(5, -1), "unknown EV");
        let distance =
            |num, denom| displayed(rational(Tag::SubjectDistance, &[(num, denom)])).unwrap();
        assert_eq!(distance(u32::MAX, 7_000_000), "infinity m");
        assert_eq!(distance(10, 3), "3.3333 m");
        assert_eq!(distance(4_000_000_001, 3), "1333333333.6666667 m");
    }

    #[test]
    fn a_value_with_denominator_zero_or_without_elements_is_dropped() {
        assert_eq!(displayed(rational(Tag::SubjectDistance, &[(0, 0)])), None);
        let lens = [(24, 1), (70, 1), (0, 0), (0, 0)];
        assert_eq!(displayed(rational(Tag::LensSpecification, &lens)), None);
        assert_eq!(displayed(rational(Tag::GPSDOP, &[])), None);
        assert_eq!(displayed(field(Tag::MeteringMode, Value::Short(vec![]))), None);
    }

    #[test]
    fn typed_facts_are_not_repeated_as_tags() {
        let facts = facts(&[
            short(Tag::Orientation, 1),
            ascii(Tag::DateTimeOriginal, "2024:04:06 17:23:41"),
            ascii(Tag::SubSecTimeOriginal, "123"),
            ascii(Tag::OffsetTimeOriginal, "+09:00"),
            ascii(Tag::GPSLatitudeRef, "N"),
            rational(Tag::GPSLatitude, &[(1, 1)]),
            ascii(Tag::GPSLongitudeRef, "E"),
            rational(Tag::GPSLongitude, &[(1, 1)]),
            byte(Tag::GPSAltitudeRef, 0),
            rational(Tag::GPSAltitude, &[(1, 1)]),
            ascii(Tag::Make, "a"),
            ascii(Tag::Model, "b"),
            ascii(Tag::LensModel, "c"),
            ascii(Tag::Software, "d"),
            rational(Tag::ExposureTime, &[(1, 2)]),
            rational(Tag::FNumber, &[(1, 2)]),
            short(Tag::PhotographicSensitivity, 80),
            rational(Tag::FocalLength, &[(1, 2)]),
            short(Tag::FocalLengthIn35mmFilm, 24),
        ]);
        assert!(facts.tags.is_empty(), "{:?}", facts.tags);
    }

    #[test]
    fn blobs_tables_and_unknown_tags_are_dropped() {
        let facts = facts(&[
            short(Tag::WhiteBalance, 1),
            field(Tag::MakerNote, Value::Byte(vec![1, 2, 3])),
            undefined(Tag::CFAPattern, &[0, 2, 0, 2, 0, 1, 1, 2]),
            undefined(Tag::ComponentsConfiguration, &[1; 33]),
            field(Tag::TransferFunction, Value::Short(vec![1; 33])),
            // Epson's PrintImageMatching, and a tag that is in no standard.
            undefined(Tag(Context::Tiff, 0xc4a5), b"PrintIM\x000300"),
            ascii(Tag(Context::Tiff, 0xfde8), "private"),
        ]);
        assert_eq!(names(&facts), ["WhiteBalance"]);
    }

    #[test]
    fn offsets_and_sizes_in_the_file_are_dropped() {
        for tag in [
            Tag::StripOffsets,
            Tag::StripByteCounts,
            Tag::TileOffsets,
            Tag::TileByteCounts,
            Tag::JPEGInterchangeFormat,
            Tag::JPEGInterchangeFormatLength,
        ] {
            // The writer would set these tags itself, so the first entry gets the tag's number afterwards.
            let mut block = block(&[long(Tag::RowsPerStrip, 500)], false);
            block[10..12].copy_from_slice(&tag.number().to_be_bytes());
            let facts = read(&jpeg(&block), LocationPolicy::Exact);
            assert!(facts.tags.is_empty(), "{tag}");
        }
    }

    #[test]
    fn the_embedded_thumbnails_tags_are_dropped() {
        let facts = facts(&[
            short(Tag::WhiteBalance, 1),
            thumbnail(short(Tag::Compression, 6)),
            thumbnail(rational(Tag::XResolution, &[(72, 1)])),
        ]);
        assert_eq!(names(&facts), ["WhiteBalance"]);
    }

    #[test]
    fn a_user_comment_is_shown_if_it_is_text() {
        let comment = |bytes: &[u8]| displayed(undefined(Tag::UserComment, bytes));
        assert_eq!(comment(b"ASCII\0\0\0Hello\0\0").as_deref(), Some("Hello"));
        assert_eq!(comment("\0\0\0\0\0\0\0\0Grüße".as_bytes()).as_deref(), Some("Grüße"));
        assert_eq!(comment(&[b"ASCII\0\0\0", &[b' '; 50][..]].concat()), None);
        assert_eq!(comment(b"\0\0\0\0\0\0\0\0\xff\xfe\x01"), None);
        assert_eq!(comment(b"JIS\0\0\0\0\0\x1b$B"), None);
        assert_eq!(comment(b"vendor\x01\x02 anything"), None);
        assert_eq!(comment(b"A text without its code\0").unwrap(), "A text without its code");
        assert_eq!(comment(b"ASCII"), None);
        let method = undefined(Tag::GPSProcessingMethod, b"ASCII\0\0\0GPS");
        assert_eq!(displayed(method).as_deref(), Some("GPS"));
    }

    #[test]
    fn a_unicode_user_comment_is_in_the_byte_order_of_the_block() {
        for little_endian in [false, true] {
            let encode = if little_endian { u16::to_le_bytes } else { u16::to_be_bytes };
            let text: Vec<u8> = "東京\0".encode_utf16().flat_map(encode).collect();
            let comment = undefined(Tag::UserComment, &[b"UNICODE\0", &text[..]].concat());
            let file = jpeg(&block(&[comment], little_endian));
            let facts = read(&file, LocationPolicy::Exact);
            assert_eq!(facts.tags["UserComment"], "東京");
        }
    }

    #[test]
    fn texts_that_windows_writes_are_little_endian_in_every_block() {
        let utf16: Vec<u8> = "京都 🌸\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let facts = facts(&[
            field(XP_TITLE, Value::Byte(utf16.clone())),
            undefined(XP_KEYWORDS, &utf16),
            field(XP_SUBJECT, Value::Byte(vec![0, 0])),
            short(Tag(Context::Tiff, 0x4746), 4),
        ]);
        assert_eq!(names(&facts), ["Rating", "XPKeywords", "XPTitle"]);
        assert_eq!(facts.tags["XPTitle"], "京都 🌸");
        assert_eq!(facts.tags["Rating"], "4");
    }

    #[test]
    fn tags_of_exif_3_have_their_names() {
        let facts = facts(&[
            ascii(Tag(Context::Exif, 0xA437), "佐藤"),
            ascii(Tag(Context::Exif, 0xA43C), "exiftool 13"),
            ascii(Tag(Context::Tiff, 0x013C), "iPhone 15 Pro"),
        ]);
        assert_eq!(names(&facts), ["HostComputer", "MetadataEditingSoftware", "Photographer"]);
        assert_eq!(facts.tags["Photographer"], "佐藤");
    }

    #[test]
    fn both_copyright_holders_are_displayed() {
        let copyright = |strings: &[&str]| {
            let strings = strings.iter().map(|text| text.as_bytes().to_vec());
            displayed(field(Tag::Copyright, Value::Ascii(strings.collect())))
        };
        assert_eq!(copyright(&["Ansel", "Editor"]).as_deref(), Some("Ansel; Editor"));
        assert_eq!(copyright(&[" ", "Editor"]).as_deref(), Some("Editor"));
    }

    #[test]
    fn gps_tags_are_kept_only_if_the_place_is_exact() {
        let fields = [
            short(Tag::WhiteBalance, 1),
            ascii(Tag::GPSDateStamp, "2024:04:06"),
            rational(Tag::GPSImgDirection, &[(2154, 10)]),
            ascii(Tag::GPSDestLatitudeRef, "N"),
            rational(Tag::GPSDestLatitude, &[(35, 1), (39, 1), (30, 1)]),
        ];
        assert_eq!(facts(&fields).tags.len(), 5);
        for policy in [LocationPolicy::Rounded, LocationPolicy::Off] {
            assert_eq!(names(&facts_under(&fields, policy)), ["WhiteBalance"]);
        }
    }

    #[test]
    fn the_first_of_two_equal_tags_is_kept() {
        let facts = facts(&[ascii(Tag::Artist, "first"), ascii(Tag::Artist, "second")]);
        assert_eq!(facts.tags["Artist"], "first");
    }

    #[test]
    fn a_long_value_is_cut() {
        let value = displayed(ascii(Tag::ImageDescription, &"é".repeat(1000))).unwrap();
        assert_eq!(value, format!("{}…", "é".repeat(254)));
    }

    #[test]
    fn there_are_at_most_max_tags() {
        let tags = facts(&every_tag("abc")).tags;
        assert!((MAX_TAGS - 14..=MAX_TAGS).contains(&tags.len()), "{}", tags.len());
    }

    #[test]
    fn all_tags_together_have_at_most_16_kib() {
        let tags = facts(&every_tag(&"a".repeat(400))).tags;
        let bytes: usize = tags.iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(bytes <= MAX_TOTAL_BYTES);
        assert!(bytes > MAX_TOTAL_BYTES - 500, "{bytes}");
    }
}
