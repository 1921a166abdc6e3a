//! Reads the facts of a photo: when, where and with which camera it was taken.
//!
//! [`read`] turns the bytes of a file into [`Facts`] and never fails: a tag that is missing, blank,
//! impossible or cut off is absent from the facts, and the other tags are kept. Clauses and tag numbers
//! are those of EXIF 2.32 (CIPA DC-008-2019) unless EXIF 3.0 is named.
//!
//! | attribute of the item | fact | tags | clause | unit |
//! |---|---|---|---|---|
//! | `takenAt` | [`TakenAt::iso8601`] | DateTimeOriginal 0x9003, SubSecTimeOriginal 0x9291, OffsetTimeOriginal 0x9011, else those of [`TimeSource`]; for the offset those of [`OffsetSource`](super::OffsetSource) | 4.6.5, 4.6.6 | local time and its offset from UTC |
//! | `timelineAt` | [`TakenAt::timeline`] | those of `takenAt` | | local time |
//! | `taken.source`, `.offsetSource` | [`TakenAt::source`], [`TakenAt::offset_source`] | those of `takenAt` | | |
//! | `location.latitude`, `.longitude` | [`Location`] | GPSLatitudeRef 0x0001 to GPSLongitude 0x0004, GPSStatus 0x0009, else XMP exif:GPSLatitude, exif:GPSLongitude | 4.6.6 | degrees |
//! | `location.altitude` | [`Location::altitude`] | GPSAltitudeRef 0x0005, GPSAltitude 0x0006 | 4.6.6 | metres |
//! | `camera.make`, `.model`, `.software` | [`Camera`] | Make 0x010F, Model 0x0110, Software 0x0131 | 4.6.4 | |
//! | `camera.lens` | [`Camera::lens`] | LensModel 0xA434, else XMP exifEX:LensModel, aux:Lens | 4.6.5 | |
//! | `exposure.time`, `.seconds` | [`ExposureTime`](super::ExposureTime) | ExposureTime 0x829A | 4.6.5 | seconds |
//! | `exposure.fNumber` | [`Exposure::f_number`] | FNumber 0x829D | 4.6.5 | focal length over aperture |
//! | `exposure.iso` | [`Exposure::iso`] | PhotographicSensitivity 0x8827, ISOSpeed 0x8833, RecommendedExposureIndex 0x8832, StandardOutputSensitivity 0x8831 | 4.6.5 | ISO 12232 |
//! | `exposure.focalLength` | [`Exposure::focal_length`] | FocalLength 0x920A | 4.6.5 | mm |
//! | `exposure.focalLength35` | [`Exposure::focal_length_35mm`] | FocalLengthIn35mmFilm 0xA405 | 4.6.5 | mm |
//! | `exposure.flash` | [`Exposure::flash`] | Flash 0x9209 | 4.6.5 | |
//! | `original.orientation` | [`Facts::orientation`] | Orientation 0x0112 | 4.6.4 | |
//! | `exif` | [`Facts::tags`] | all others that have a name | 4.6.4 to 4.6.7 | with each |
//!
//! A file takes three steps: `blocks` finds its blocks of metadata; `exif`, `xmp`, `iptc` and `png_text` read
//! what each kind of them says; and this module says which of them is believed: `taken_at`, `fix` and
//! `camera` list the sources of each fact in their order.

use std::collections::BTreeMap;
use std::panic;

use ::exif::Tag;

use super::blocks::Blocks;
use super::clock::Clock;
use super::exif::directory::{self, Embedded};
use super::exif::exposure::{self, Exposure};
use super::exif::fields::Fields;
use super::exif::tags;
use super::iptc::{self, EXIF, EXIF_OF_COPY, XMP};
use super::place::{self, Fix, Location, LocationPolicy};
use super::time::{self, Candidate, TakenAt, TimeSource};
use super::xmp::{Property, Xmp};
use super::{png_text, text};
use crate::CancelFlag;

/// The facts in a photo's metadata.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Orientation (0x0112) as stored, even if it is not one of the legal values 1 to 8.
    pub orientation: Option<u16>,
    /// The time at which the photo was taken.
    pub taken_at: Option<TakenAt>,
    /// The place where the photo was taken, as far as the [`LocationPolicy`] allows.
    pub location: Option<Location>,
    /// The camera, lens and software.
    pub camera: Camera,
    /// The exposure settings.
    pub exposure: Exposure,
    /// The other standard tags of the primary image, at most [`MAX_TAGS`](super::MAX_TAGS): each tag's name, such as
    /// `WhiteBalance`, with its value as readable text, including the unit. A value has at most 512 bytes, and
    /// all names and values together have at most 16 KiB.
    pub tags: BTreeMap<String, String>,
}

/// The camera, lens and software of a photo. No text is longer than 512 bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct Camera {
    /// Make (0x010F), the manufacturer.
    pub make: Option<String>,
    /// Model (0x0110).
    pub model: Option<String>,
    /// LensModel (0xA434).
    pub lens: Option<String>,
    /// Software (0x0131): the camera's firmware, or the program that saved the file last.
    pub software: Option<String>,
}

/// Reads the metadata of a JPEG, TIFF, PNG, WebP, HEIF, AVIF or JPEG XL file.
///
/// This never fails, so that no photo is lost because of its metadata. The result is [`Facts::default`] for
/// any other file, for a file without metadata, and if the reader panics. Once the flag is raised, facts that
/// are not yet read are absent.
pub fn read(file: &[u8], location: LocationPolicy, cancel: &CancelFlag) -> Facts {
    panic::catch_unwind(|| read_facts(file, location, cancel)).unwrap_or_default()
}

fn read_facts(file: &[u8], location: LocationPolicy, cancel: &CancelFlag) -> Facts {
    let blocks = Blocks::find(file, cancel);
    let sources = Sources::read(&blocks, cancel);
    let taken_at = taken_at(&sources);
    let fields = &sources.exif;
    Facts {
        // Browsers and viewers ignore an orientation outside of IFD0, too.
        orientation: fields.own_uint(Tag::Orientation).and_then(|value| u16::try_from(value).ok()),
        location: fix(&sources).and_then(|fix| fix.location(taken_at.as_ref(), location)),
        taken_at,
        camera: camera(&sources),
        exposure: exposure::exposure(fields),
        tags: tags::tags(fields, location),
    }
}

/// The time: the first of these that the file gives. A clock that nobody set counts only where there is no
/// other.
fn taken_at(sources: &Sources) -> Option<TakenAt> {
    let Sources { exif, xmp, iptc, png_text } = sources;
    let of_xmp = xmp.dates();
    let gps = time::gps_time(exif).or_else(|| xmp.gps_time());
    let before = [time::original(exif), time::digitized(exif)];
    let dates = of_xmp.iter().map(|clock| Candidate::new(TimeSource::Xmp, clock.clone()));
    let behind = [
        iptc.clone().map(|clock| Candidate::new(TimeSource::Iptc, clock)),
        png_text.clone().map(|clock| Candidate::new(TimeSource::PngText, clock)),
        gps.and_then(time::of_gps),
        time::changed(exif),
    ];
    let mut candidates: Vec<Candidate> =
        before.into_iter().flatten().chain(dates).chain(behind.into_iter().flatten()).collect();
    // A stable sort: the order stays among the clocks that somebody set, and among the others.
    candidates.sort_by_key(Candidate::is_of_factory);
    candidates.into_iter().next()?.taken_at(&of_xmp, gps)
}

/// The place: EXIF's, else that of XMP.
fn fix(sources: &Sources) -> Option<Fix> {
    place::of_exif(&sources.exif).or_else(|| place::of_xmp(&sources.xmp))
}

/// The camera: EXIF's. Where EXIF names no lens, XMP does.
fn camera(sources: &Sources) -> Camera {
    let Sources { exif, xmp, .. } = sources;
    let lens_of_xmp = || xmp.get(Property::LensModel).or_else(|| xmp.get(Property::Lens));
    Camera {
        make: exif.text(Tag::Make),
        model: exif.text(Tag::Model),
        lens: exif.text(Tag::LensModel).or_else(|| text::plain(lens_of_xmp()?)),
        software: exif.text(Tag::Software),
    }
}

/// All that a file says, by who says it.
struct Sources {
    exif: Fields,
    xmp: Xmp,
    iptc: Option<Clock>,
    png_text: Option<Clock>,
}

impl Sources {
    /// Reads the blocks, and those that are inside of each other.
    fn read(blocks: &Blocks, cancel: &CancelFlag) -> Sources {
        let mut exif: Vec<&[u8]> = blocks.exif.iter().map(AsRef::as_ref).collect();
        let mut xmp: Vec<&[u8]> = blocks.xmp.iter().map(AsRef::as_ref).collect();
        let mut resources: Vec<&[u8]> = blocks.resources.iter().map(AsRef::as_ref).collect();
        exif.extend(iptc::resources_of(&resources, &[EXIF, EXIF_OF_COPY]));
        for (kind, block) in exif.iter().flat_map(|block| directory::embedded(block)) {
            match kind {
                Embedded::Xmp => xmp.push(block),
                Embedded::Resources => resources.push(block),
            }
        }
        xmp.extend(iptc::resources_of(&resources, &[XMP]));
        Sources {
            exif: Fields::new(directory::directories(&exif)),
            xmp: Xmp::read(&xmp, &blocks.extensions, cancel),
            iptc: iptc::created(&resources),
            png_text: blocks.creation_times.iter().find_map(|text| png_text::created(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use ::exif::{Context, Tag, Value};

    use super::super::sample::{
        ascii, block, facts, field, iptc, jpeg, jpeg_of, jpeg_of_segments, long, packet, photoshop,
        png, rational, read, short, thumbnail, xmp,
    };
    use super::super::{OffsetSource, TakenAt, TimeSource};
    use super::{Camera, Facts, LocationPolicy};

    fn small_photo() -> Vec<::exif::Field> {
        vec![
            ascii(Tag::Make, "Canon"),
            short(Tag::Orientation, 6),
            ascii(Tag::DateTimeOriginal, "2024:04:06 17:23:41"),
            ascii(Tag::SubSecTimeOriginal, "123"),
            rational(Tag::ExposureTime, &[(1, 120)]),
            short(Tag::WhiteBalance, 0),
            ascii(Tag::GPSLatitudeRef, "N"),
            rational(Tag::GPSLatitude, &[(35, 1), (39, 1), (3089, 100)]),
            ascii(Tag::GPSLongitudeRef, "E"),
            rational(Tag::GPSLongitude, &[(139, 1), (44, 1), (4356, 100)]),
            rational(Tag::GPSTimeStamp, &[(8, 1), (23, 1), (40, 1)]),
            ascii(Tag::GPSDateStamp, "2024:04:06"),
        ]
    }

    #[test]
    fn a_file_without_exif_has_no_facts() {
        let none = Facts::default();
        for file in [&b""[..], b"\xff\xd8\xff\xd9", b"not a photo", b"GIF89a"] {
            assert_eq!(read(file, LocationPolicy::Exact), none);
        }
        assert_eq!(read(&jpeg(b""), LocationPolicy::Exact), none);
    }

    /// A JPEG with each of these, and the source of its time.
    fn source(exif: &[::exif::Field], packet: &str, datasets: &[(u8, &str)]) -> Option<TimeSource> {
        taken(exif, packet, datasets).map(|taken| taken.source())
    }

    fn taken(exif: &[::exif::Field], packet: &str, datasets: &[(u8, &str)]) -> Option<TakenAt> {
        let (xmp, photoshop) = (xmp(packet), photoshop(0x0404, &iptc(datasets)));
        let mut segments = vec![(0xED, &photoshop[..]), (0xE1, &xmp)];
        let block = (!exif.is_empty()).then(|| [b"Exif\0\0", &block(exif, false)[..]].concat());
        segments.extend(block.iter().map(|block| (0xE1, &block[..])));
        read(&jpeg_of_segments(&segments), LocationPolicy::Exact).taken_at
    }

    const XMP_DATES: &str = "exif:DateTimeOriginal='2003-03-03T03:03:03'
        photoshop:DateCreated='2013-03-03T03:03:03' xmp:CreateDate='2023-03-03T03:03:03'";
    const IPTC_DATE: [(u8, &str); 2] = [(55, "20040404"), (60, "040404+0100")];

    fn exif_dates() -> Vec<::exif::Field> {
        vec![
            ascii(Tag::DateTimeOriginal, "2001:01:01 01:01:01"),
            ascii(Tag::DateTimeDigitized, "2002:02:02 02:02:02"),
            ascii(Tag::GPSDateStamp, "2006:06:06"),
            rational(Tag::GPSTimeStamp, &[(6, 1), (6, 1), (6, 1)]),
            ascii(Tag::DateTime, "2007:07:07 07:07:07"),
        ]
    }

    #[test]
    fn the_most_trusted_source_of_the_time_wins() {
        let all = exif_dates();
        for (exif, xmp, iptc, year, expected) in [
            (&all[..], XMP_DATES, &IPTC_DATE[..], "2001", TimeSource::DateTimeOriginal),
            (&all[1..], XMP_DATES, &IPTC_DATE, "2002", TimeSource::DateTimeDigitized),
            (&all[2..], XMP_DATES, &IPTC_DATE, "2003", TimeSource::Xmp),
            (&all[2..], "", &IPTC_DATE, "2004", TimeSource::Iptc),
            (&all[2..], "", &[], "2006", TimeSource::Gps),
            (&all[3..], "", &[], "2007", TimeSource::DateTime),
        ] {
            let taken = taken(exif, xmp, iptc).unwrap();
            assert_eq!(taken.source(), expected);
            assert!(taken.timeline().starts_with(year), "{taken:?}");
        }
        assert_eq!(source(&all[3..4], "", &[]), None, "a time of a GPS fix without its date");
    }

    #[test]
    fn the_text_of_a_png_goes_before_gps_and_the_last_change() {
        let exif = block(&exif_dates()[2..], false);
        let text = b"Creation Time\x002005:05:05 05:05:05";
        let file = png(&[(b"tEXt", text), (b"eXIf", &exif)]);
        let taken = read(&file, LocationPolicy::Exact).taken_at.unwrap();
        assert_eq!((taken.source(), taken.offset_source()), (TimeSource::PngText, None));
        assert_eq!(taken.iso8601(), "2005-05-05T05:05:05");
        let exif = block(&exif_dates()[1..], false);
        let taken =
            read(&png(&[(b"tEXt", text), (b"eXIf", &exif)]), LocationPolicy::Exact).taken_at;
        assert_eq!(taken.unwrap().source(), TimeSource::DateTimeDigitized);
    }

    #[test]
    fn the_time_of_iptc_goes_before_the_text_of_a_png() {
        let iptc = iptc(&IPTC_DATE);
        let digits: String = iptc.iter().map(|byte| format!("{byte:02x}")).collect();
        let profile = format!("Raw profile type iptc\0\niptc\n{}\n{digits}\n", iptc.len());
        let text = b"Creation Time\x002005:05:05 05:05:05";
        let file = png(&[(b"tEXt", text), (b"tEXt", profile.as_bytes())]);
        let taken = read(&file, LocationPolicy::Exact).taken_at.unwrap();
        assert_eq!(taken.source(), TimeSource::Iptc);
    }

    #[test]
    fn a_packet_in_a_profile_of_a_png_may_have_the_identifier_of_a_jpeg() {
        let packet = xmp("xmp:CreateDate='2023-03-03T03:03:03'");
        let digits: String = packet.iter().map(|byte| format!("{byte:02x}")).collect();
        let profile = format!("Raw profile type APP1\0\nAPP1\n{}\n{digits}\n", packet.len());
        let file = png(&[(b"tEXt", profile.as_bytes())]);
        let taken = read(&file, LocationPolicy::Exact).taken_at.unwrap();
        assert_eq!(taken.source(), TimeSource::Xmp);
    }

    #[test]
    fn a_packet_in_a_tag_of_exif_is_found_behind_other_tags() {
        let bytes = packet("xmp:CreateDate='2023-03-03T03:03:03'", "").into_bytes();
        let tag = field(Tag(Context::Tiff, 700), Value::Byte(bytes));
        let taken = facts(&[ascii(Tag::Make, "Canon"), tag]).taken_at.unwrap();
        assert_eq!(taken.source(), TimeSource::Xmp);
    }

    #[test]
    fn iptc_is_found_behind_long_datasets_and_other_segments() {
        let keyword = [b"\x1C\x02\x19\x80\x04\0\0\x01\x2C", &[b'k'; 300][..]].concat();
        let datasets = [keyword, iptc(&IPTC_DATE)].concat();
        let resources = photoshop(0x0404, &datasets);
        let source = |segments: &[(u8, &[u8])]| {
            let facts = read(&jpeg_of_segments(segments), LocationPolicy::Exact);
            facts.taken_at.map(|taken| taken.source())
        };
        assert_eq!(source(&[(0xED, &resources)]), Some(TimeSource::Iptc));
        assert_eq!(source(&[(0xED, b"Adobe_CM"), (0xED, &resources)]), Some(TimeSource::Iptc));
        for signature in [b"AgHg", b"DCSR", b"MeSa", b"PHUT"] {
            let mut of_another = resources.clone();
            of_another[14..18].copy_from_slice(signature);
            assert_eq!(source(&[(0xED, &of_another)]), Some(TimeSource::Iptc), "{signature:?}");
        }
        let unknown = resources.iter().map(|byte| if *byte == b'8' { b'9' } else { *byte });
        assert_eq!(source(&[(0xED, &unknown.collect::<Vec<u8>>())]), None, "of no program");
    }

    #[test]
    fn the_time_of_gps_is_exifs_before_xmps() {
        let xmp = "exif:GPSTimeStamp='2016-06-06T06:06:06Z'";
        let taken = taken(&exif_dates()[2..], xmp, &[]).unwrap();
        assert_eq!(taken.iso8601(), "2006-06-06T06:06:06Z");
    }

    #[test]
    fn a_date_without_time_takes_no_offset_of_xmp() {
        let date = ascii(Tag::DateTimeOriginal, "1985:07:14");
        let xmp = "exif:DateTimeOriginal='1985-07-14T00:00:00+02:00'";
        let taken = taken(&[date], xmp, &[]).unwrap();
        assert_eq!((taken.source(), taken.offset_source()), (TimeSource::DateTimeOriginal, None));
    }

    #[test]
    fn the_time_of_gps_is_utc() {
        let taken = taken(&exif_dates()[2..4], "", &[]).unwrap();
        assert_eq!(taken.iso8601(), "2006-06-06T06:06:06Z");
        assert_eq!(taken.timeline(), "2006-06-06T06:06:06.000");
        assert_eq!(taken.offset_source(), Some(OffsetSource::Gps));
        assert_eq!(source(&[], "exif:GPSTimeStamp='2006-06-06'", &[]), None, "a date alone");
        let xmp = xmp("exif:GPSTimeStamp='2006-06-06T06:06:06.25+02:00'");
        let taken = read(&jpeg_of(&[&xmp]), LocationPolicy::Off).taken_at.unwrap();
        assert_eq!(taken.iso8601(), "2006-06-06T04:06:06Z");
    }

    #[test]
    fn a_blank_or_impossible_time_gives_way_to_the_next_source() {
        for text in
            ["    :  :     :  :  ", "0000:00:00 00:00:00", "2023:02:29 12:00:00", "01:48:24 nachm."]
        {
            let fields = [ascii(Tag::DateTimeOriginal, text), exif_dates()[1].clone()];
            assert_eq!(source(&fields, "", &[]), Some(TimeSource::DateTimeDigitized), "{text}");
        }
        assert_eq!(source(&[], "exif:DateTimeOriginal='soon'", &IPTC_DATE), Some(TimeSource::Iptc));
        assert_eq!(source(&[], "", &[(55, "00000000"), (60, "120000")]), None);
    }

    #[test]
    fn a_clock_that_nobody_set_counts_only_where_there_is_no_other() {
        for dud in [
            "2002:12:08 12:00:00",
            "1970:01:01 00:00:00",
            "1970:01:01 09:00:00",
            "1969:12:31 19:00:00",
            "1980:01:01 00:00:00",
            "1980:01:01 00:03:12",
            "2000:01:01 00:00:00",
            "1904:01:01 00:00:00",
            "1601:01:01 00:00:00",
            "1899:12:30 00:00:00",
            "1980:01:06 00:00:00",
        ] {
            let original = ascii(Tag::DateTimeOriginal, dud);
            let alone = source(from_ref(&original), "", &[]);
            assert_eq!(alone, Some(TimeSource::DateTimeOriginal), "{dud}");
            let changed = [original.clone(), exif_dates()[4].clone()];
            assert_eq!(source(&changed, "", &[]), Some(TimeSource::DateTime), "{dud}");
            assert_eq!(source(&changed, XMP_DATES, &IPTC_DATE), Some(TimeSource::Xmp), "{dud}");
            let packet =
                format!("exif:DateTimeOriginal='{dud}' xmp:CreateDate='2023-03-03T03:03:03'");
            let taken = taken(&[], &packet, &[]).unwrap();
            assert!(taken.timeline().starts_with("2023"), "{dud}");
            let twice = [original, ascii(Tag::DateTimeDigitized, dud)];
            assert_eq!(source(&twice, "", &[]), Some(TimeSource::DateTimeOriginal), "{dud}");
        }
        for real in [
            "2002:12:08 12:00:01",
            "2000:01:01 00:00:01",
            "1970:01:01 10:12:13",
            "1970:01:02 00:00:00",
        ] {
            let fields = [ascii(Tag::DateTimeOriginal, real), exif_dates()[4].clone()];
            assert_eq!(source(&fields, "", &[]), Some(TimeSource::DateTimeOriginal), "{real}");
        }
        let gps = [
            ascii(Tag::GPSDateStamp, "1980:01:06"),
            rational(Tag::GPSTimeStamp, &[(0, 1), (0, 1), (12, 1)]),
            ascii(Tag::DateTime, "2007:07:07 07:07:07"),
        ];
        assert_eq!(source(&gps, "", &[]), Some(TimeSource::DateTime));
    }

    #[test]
    fn xmp_gives_the_offset_where_it_shows_the_same_time() {
        let original = ascii(Tag::DateTimeOriginal, "2024:04:06 17:23:41");
        for (packet, offset) in [
            ("exif:DateTimeOriginal='2024-04-06T17:23:41+09:00'", "+09:00"),
            ("photoshop:DateCreated='2024-04-06T17:23:41.12+09:00'", "+09:00"),
            ("xmp:CreateDate='2024-04-06T17:23:41Z'", "+00:00"),
            (
                "exif:DateTimeOriginal='2024-04-06T17:23:41' xmp:CreateDate='2024-04-06T17:23:41+09:00'",
                "+09:00",
            ),
            ("exif:DateTimeOriginal='2024-04-06T17:23:42+09:00'", ""),
            ("exif:DateTimeOriginal='2024-04-06T08:23:41Z'", ""),
            ("exif:DateTimeOriginal='2024-04-06+09:00'", ""),
            ("xmp:ModifyDate='2024-04-06T17:23:41+09:00'", ""),
        ] {
            let taken = taken(from_ref(&original), packet, &[]).unwrap();
            assert_eq!(taken.iso8601(), format!("2024-04-06T17:23:41{offset}"), "{packet}");
            let expected = (!offset.is_empty()).then_some(OffsetSource::Xmp);
            assert_eq!(
                (taken.source(), taken.offset_source()),
                (TimeSource::DateTimeOriginal, expected)
            );
        }
        let stated = [original, ascii(Tag::OffsetTimeOriginal, "+08:00")];
        let taken =
            taken(&stated, "exif:DateTimeOriginal='2024-04-06T17:23:41+09:00'", &[]).unwrap();
        assert_eq!(taken.offset_source(), Some(OffsetSource::OffsetTimeOriginal));
    }

    #[test]
    fn an_offset_of_iptc_counts_for_its_own_time_if_it_is_not_zero() {
        for (time, offset) in [
            ("040404+0100", "+01:00"),
            ("040404+0000", ""),
            ("040404-0000", ""),
            ("040404Z", ""),
            ("040404", ""),
        ] {
            let datasets = [(55, "20040404"), (60, time)];
            let taken = taken(&[], "", &datasets).unwrap();
            assert_eq!(taken.iso8601(), format!("2004-04-04T04:04:04{offset}"), "{time}");
            let expected = (!offset.is_empty()).then_some(OffsetSource::Iptc);
            assert_eq!(taken.offset_source(), expected);
        }
        let original = ascii(Tag::DateTimeOriginal, "2004:04:04 04:04:04");
        assert_eq!(taken(&[original], "", &IPTC_DATE).unwrap().offset_source(), None);
    }

    #[test]
    fn the_time_of_gps_gives_the_offset_of_every_source() {
        let gps = &exif_dates()[2..4];
        let taken = taken(gps, "photoshop:DateCreated='2006-06-06T08:06:10'", &[]).unwrap();
        assert_eq!(taken.iso8601(), "2006-06-06T08:06:10+02:00");
        assert_eq!(
            (taken.source(), taken.offset_source()),
            (TimeSource::Xmp, Some(OffsetSource::Gps))
        );
    }

    #[test]
    fn the_lens_of_xmp_counts_where_exif_names_none() {
        let lens = |exif: &[::exif::Field], packet: &str| {
            let exif = [b"Exif\0\0", &block(exif, false)[..]].concat();
            read(&jpeg_of(&[&exif, &xmp(packet)]), LocationPolicy::Exact).camera.lens
        };
        let make = ascii(Tag::Make, "Canon");
        let aux = "aux:Lens='EF24-70mm f/2.8L &amp; more'";
        assert_eq!(lens(from_ref(&make), aux).as_deref(), Some("EF24-70mm f/2.8L & more"));
        let both = format!("{aux} exifEX:LensModel='EF24-70mm f/2.8L USM'");
        assert_eq!(lens(&[make], &both).as_deref(), Some("EF24-70mm f/2.8L USM"));
        let model = ascii(Tag::LensModel, "of EXIF");
        assert_eq!(lens(&[model], aux).as_deref(), Some("of EXIF"));
        let long = format!("aux:Lens='{}'", "x".repeat(1000));
        assert_eq!(lens(&[ascii(Tag::Make, "a")], &long).unwrap().len(), 512);
    }

    #[test]
    fn all_facts_of_xmp_stay_small() {
        let long = "x".repeat(20_000);
        let attributes =
            format!("aux:Lens='{long}' exif:DateTimeOriginal='{long}' exif:GPSLatitude='1{long}'");
        let facts = read(&jpeg_of(&[&xmp(&attributes)]), LocationPolicy::Exact);
        assert_eq!(facts, Facts::default());
    }

    #[test]
    fn orientation_is_given_as_stored_even_if_illegal() {
        for value in [1, 6, 8, 0, 9, 65535] {
            let facts = facts(&[short(Tag::Orientation, value)]);
            assert_eq!(facts.orientation, Some(value));
        }
        assert_eq!(facts(&[long(Tag::Orientation, 3)]).orientation, Some(3));
        assert_eq!(facts(&[long(Tag::Orientation, 65536)]).orientation, None);
        assert_eq!(facts(&[ascii(Tag::Orientation, "6")]).orientation, None);
    }

    #[test]
    fn the_embedded_thumbnails_orientation_is_ignored() {
        let facts = facts(&[ascii(Tag::Make, "Canon"), thumbnail(short(Tag::Orientation, 6))]);
        assert_eq!(facts.orientation, None);
    }

    #[test]
    fn camera_has_make_model_lens_and_software() {
        let facts = facts(&[
            ascii(Tag::Make, "Canon"),
            ascii(Tag::Model, "Canon EOS 80D"),
            ascii(Tag::LensModel, "EF-S18-135mm f/3.5-5.6 IS USM"),
            ascii(Tag::Software, "darktable 4.2.1"),
        ]);
        let expected = Camera {
            make: Some("Canon".into()),
            model: Some("Canon EOS 80D".into()),
            lens: Some("EF-S18-135mm f/3.5-5.6 IS USM".into()),
            software: Some("darktable 4.2.1".into()),
        };
        assert_eq!(facts.camera, expected);
        assert!(facts.tags.is_empty());
    }

    #[test]
    fn the_first_of_two_equal_tags_wins() {
        let facts = facts(&[ascii(Tag::Make, "first"), ascii(Tag::Make, "second")]);
        assert_eq!(facts.camera.make.as_deref(), Some("first"));
    }

    #[test]
    fn a_tag_cut_off_by_the_end_of_the_file_does_not_affect_the_others() {
        let mut block =
            block(&[short(Tag::Orientation, 6), ascii(Tag::Software, "darktable")], false);
        block.truncate(block.len() - 2);
        let facts = read(&jpeg(&block), LocationPolicy::Exact);
        assert_eq!(facts.orientation, Some(6));
        assert_eq!(facts.camera.software, None);
    }

    #[test]
    fn no_prefix_and_no_corrupt_byte_causes_a_panic() {
        for little_endian in [false, true] {
            let photo = block(&small_photo(), little_endian);
            for length in 0..photo.len() {
                read(&photo[..length], LocationPolicy::Exact);
                read(&jpeg(&photo[..length]), LocationPolicy::Exact);
            }
            let block = block(&small_photo()[..4], little_endian);
            for position in 0..block.len() {
                for value in 0..=u8::MAX {
                    let mut corrupt = block.clone();
                    corrupt[position] = value;
                    read(&corrupt, LocationPolicy::Exact);
                }
            }
        }
    }
}
