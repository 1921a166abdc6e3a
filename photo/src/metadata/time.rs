//! The time at which a photo was taken.

use ::exif::Tag;
use chrono::{FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};

use super::clock::{Clock, fraction_digits, time_zone, zone};
use super::exif::fields::Fields;

/// Seconds of a quarter of an hour: the offset of every time zone today is a multiple of it (IANA time
/// zone database).
const QUARTER_SECONDS: i64 = 15 * 60;

/// Most seconds by which the difference between local time and GPS time may miss a whole quarter of an
/// hour. A receiver without a view of the sky repeats its last fix, and a camera's clock drifts by
/// minutes. Beyond a third of a quarter, the nearest offset is too likely to be wrong.
const TOLERANCE_SECONDS: i64 = 5 * 60;

/// Offsets in minutes that are not whole hours and have been in use since cameras have had GPS (IANA time
/// zone database). Any other, such as +09:15, more likely comes from an old fix.
const OFFSETS_BETWEEN_HOURS: [i64; 16] =
    [-570, -270, -210, -150, 210, 270, 330, 345, 390, 510, 525, 570, 630, 690, 765, 825];

/// Clocks that nobody set, as year, month, day, hour, and for how many seconds: firmware writes them where it
/// has no time, or starts there. They are the zero of Windows, of spreadsheets, of classic Mac OS, of FAT and of
/// GPS, what cameras of 2000 woke up with, and what some phones write.
const FACTORY_CLOCKS: [(i32, u32, u32, u32, i64); 7] = [
    (1601, 1, 1, 0, 1),
    (1899, 12, 30, 0, 1),
    (1904, 1, 1, 0, 1),
    (1980, 1, 1, 0, 24 * 3600),
    (1980, 1, 6, 0, 24 * 3600),
    (2000, 1, 1, 0, 1),
    (2002, 12, 8, 12, 1),
];

/// The time on the camera's clock when a photo was taken, and its offset from UTC if known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenAt {
    local: NaiveDateTime,
    /// The sub-second digits as stored, at most 9.
    fraction: String,
    source: TimeSource,
    offset: Option<(FixedOffset, OffsetSource)>,
}

/// Where the local time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum TimeSource {
    /// EXIF DateTimeOriginal (0x9003).
    DateTimeOriginal,
    /// EXIF DateTimeDigitized (0x9004): of a camera the same time, of a scanner the time of the scan.
    DateTimeDigitized,
    /// XMP exif:DateTimeOriginal, photoshop:DateCreated, exif:DateTimeDigitized or xmp:CreateDate.
    Xmp,
    /// IPTC Date Created and Time Created (IIM 2:55 and 2:60).
    Iptc,
    /// The text Creation Time of a PNG (clause 11.3.3.2).
    PngText,
    /// The time of the GPS fix, which is UTC: EXIF GPSDateStamp (0x001D) and GPSTimeStamp (0x0007), or XMP
    /// exif:GPSTimeStamp.
    Gps,
    /// EXIF DateTime (0x0132): the time of the last change.
    DateTime,
}

/// Where the offset from UTC comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum OffsetSource {
    /// EXIF OffsetTimeOriginal (0x9011), which states it.
    OffsetTimeOriginal,
    /// EXIF DateTimeOriginal (0x9003), in which it is written behind the time.
    DateTimeOriginal,
    /// EXIF OffsetTimeDigitized (0x9012), which states that of DateTimeDigitized.
    OffsetTimeDigitized,
    /// EXIF DateTimeDigitized (0x9004), in which it is written behind the time.
    DateTimeDigitized,
    /// The date of XMP, or one that shows the same time as EXIF's.
    Xmp,
    /// IPTC Time Created (IIM 2:60), where it is not +00:00.
    Iptc,
    /// The text Creation Time of a PNG.
    PngText,
    /// EXIF DateTime (0x0132), in which it is written behind the time.
    DateTime,
    /// Local time minus the time of the GPS fix, which is UTC.
    Gps,
}

impl TakenAt {
    /// Local time in ISO 8601, such as `2024-04-06T17:23:41.123+09:00`, with the sub-second digits of the
    /// file, and with the offset only if it is known. The time of a GPS fix ends in `Z`. If the file gives
    /// only a date, the time is midnight.
    pub fn iso8601(&self) -> String {
        let mut text = self.local.format("%Y-%m-%dT%H:%M:%S").to_string();
        if !self.fraction.is_empty() {
            text.push('.');
            text.push_str(&self.fraction);
        }
        match (self.source, self.offset) {
            (TimeSource::Gps, _) => text.push('Z'),
            (_, Some((offset, _))) => text.push_str(&offset.to_string()),
            (_, None) => {}
        }
        text
    }

    /// Local time of a fixed width, such as `2024-04-06T17:23:41.123`, so that text order is time order.
    /// Phones write an offset and most cameras none: only the local time puts the photos of both in
    /// one order.
    pub fn timeline(&self) -> String {
        self.local.format("%Y-%m-%dT%H:%M:%S%.3f").to_string()
    }

    /// Where the local time comes from.
    pub fn source(&self) -> TimeSource {
        self.source
    }

    /// Where the offset comes from; `None` if it is not known.
    pub fn offset_source(&self) -> Option<OffsetSource> {
        self.offset.map(|(_, source)| source)
    }

    /// Whether the fix of a GPS receiver belongs to the photo, which an old one does not.
    pub(super) fn is_near(&self, fix: NaiveDateTime) -> bool {
        match (self.source, self.offset) {
            (TimeSource::Gps, _) | (_, None) => false,
            (_, Some((offset, _))) => {
                let utc = self.local.checked_sub_offset(offset);
                let apart = utc.map(|utc| utc.signed_duration_since(fix).num_seconds().abs());
                apart.is_some_and(|seconds| seconds <= TOLERANCE_SECONDS)
            }
        }
    }
}

/// A time that a file gives for a photo.
#[derive(Debug)]
pub(super) struct Candidate {
    clock: Clock,
    source: TimeSource,
    /// The offset that belongs to this time and no other.
    offset: Option<(FixedOffset, OffsetSource)>,
}

impl Candidate {
    /// A time with its own offset, if that is written beside it.
    pub fn new(source: TimeSource, clock: Clock) -> Candidate {
        let beside = match source {
            TimeSource::DateTimeOriginal => OffsetSource::DateTimeOriginal,
            TimeSource::DateTimeDigitized => OffsetSource::DateTimeDigitized,
            TimeSource::Xmp => OffsetSource::Xmp,
            TimeSource::Iptc => OffsetSource::Iptc,
            TimeSource::PngText => OffsetSource::PngText,
            TimeSource::Gps => OffsetSource::Gps,
            TimeSource::DateTime => OffsetSource::DateTime,
        };
        // IPTC's time must have an offset, so programs that know none write zeros.
        let means_nothing =
            |offset: &FixedOffset| source == TimeSource::Iptc && offset.local_minus_utc() == 0;
        let offset = clock.offset.filter(|offset| !means_nothing(offset));
        Candidate { source, offset: offset.map(|offset| (offset, beside)), clock }
    }

    /// Whether the clock stands where nobody has set it.
    pub fn is_of_factory(&self) -> bool {
        // The zero of Unix is shown as the hour that it was in some time zone.
        let since_zero = self.clock.second.and_utc().timestamp();
        let offset = i32::try_from(since_zero).ok().and_then(time_zone);
        let is_zero_of_unix = offset.is_some_and(|_| since_zero % 3600 == 0);
        is_zero_of_unix
            || FACTORY_CLOCKS.iter().any(|(year, month, day, hour, seconds)| {
                let start = NaiveDate::from_ymd_opt(*year, *month, *day)
                    .and_then(|date| date.and_hms_opt(*hour, 0, 0));
                let since =
                    start.map(|start| self.clock.second.signed_duration_since(start).num_seconds());
                since.is_some_and(|since| (0..*seconds).contains(&since))
            })
    }

    /// The time, with the offset of the first that knows it: the file beside the time, a date of XMP that
    /// shows the same time, the GPS receiver.
    pub fn taken_at(self, xmp: &[Clock], gps: Option<NaiveDateTime>) -> Option<TakenAt> {
        let Candidate { clock, source, offset } = self;
        let local = clock.local()?;
        let same = xmp.iter().filter(|other| clock.has_time && other.second == clock.second);
        let of_xmp = same.filter_map(|other| other.offset).next();
        let inferred = gps.filter(|_| clock.has_time).and_then(|gps| inferred_offset(local, gps));
        let offset = offset
            .or(of_xmp.map(|offset| (offset, OffsetSource::Xmp)))
            .or(inferred.map(|offset| (offset, OffsetSource::Gps)));
        Some(TakenAt { local, fraction: clock.fraction, source, offset })
    }
}

/// Reads DateTimeOriginal (0x9003), SubSecTimeOriginal (0x9291) and OffsetTimeOriginal (0x9011).
pub(super) fn original(fields: &Fields) -> Option<Candidate> {
    let source = TimeSource::DateTimeOriginal;
    let mut candidate = of_exif(fields, source, Tag::DateTimeOriginal, Tag::SubSecTimeOriginal)?;
    let stated = fields.text(Tag::OffsetTimeOriginal).and_then(|text| zone(&text));
    let stated = stated.map(|offset| (offset, OffsetSource::OffsetTimeOriginal));
    candidate.offset = stated.or(candidate.offset);
    Some(candidate)
}

/// Reads DateTimeDigitized (0x9004), SubSecTimeDigitized (0x9292) and OffsetTimeDigitized (0x9012).
pub(super) fn digitized(fields: &Fields) -> Option<Candidate> {
    let source = TimeSource::DateTimeDigitized;
    let mut candidate = of_exif(fields, source, Tag::DateTimeDigitized, Tag::SubSecTimeDigitized)?;
    let stated = fields.text(Tag::OffsetTimeDigitized).and_then(|text| zone(&text));
    let stated = stated.map(|offset| (offset, OffsetSource::OffsetTimeDigitized));
    candidate.offset = stated.or(candidate.offset);
    Some(candidate)
}

/// Reads DateTime (0x0132) and SubSecTime (0x9290), but not OffsetTime (0x9010): that is where the editor's
/// computer was, not the camera.
pub(super) fn changed(fields: &Fields) -> Option<Candidate> {
    of_exif(fields, TimeSource::DateTime, Tag::DateTime, Tag::SubSecTime)
}

fn of_exif(fields: &Fields, source: TimeSource, date: Tag, fraction: Tag) -> Option<Candidate> {
    let mut clock = fields.texts(date).find_map(|text| Clock::read(&text))?;
    let fraction = fields.text(fraction).and_then(|text| fraction_digits(&text));
    if let Some(fraction) = fraction.filter(|_| clock.has_time) {
        clock.fraction = fraction;
    }
    Some(Candidate::new(source, clock))
}

/// The time of a GPS fix.
pub(super) fn of_gps(utc: NaiveDateTime) -> Option<Candidate> {
    let (second, offset) = (utc.with_nanosecond(0)?, time_zone(0));
    let clock = Clock { second, has_time: true, fraction: String::new(), offset };
    Some(Candidate::new(TimeSource::Gps, clock))
}

/// The offset from UTC, as the whole quarter of an hour nearest to local time minus GPS time.
fn inferred_offset(local: NaiveDateTime, gps: NaiveDateTime) -> Option<FixedOffset> {
    let difference = local.signed_duration_since(gps).num_seconds();
    let offset = (difference + QUARTER_SECONDS / 2).div_euclid(QUARTER_SECONDS) * QUARTER_SECONDS;
    let near = (difference - offset).abs() <= TOLERANCE_SECONDS;
    let in_use = offset % 3600 == 0 || OFFSETS_BETWEEN_HOURS.contains(&(offset / 60));
    time_zone(i32::try_from(offset).ok().filter(|_| near && in_use)?)
}

/// The time of the GPS fix in UTC: GPSDateStamp is `YYYY:MM:DD`, GPSTimeStamp has hour, minute and second
/// (clause 4.6.6).
pub(super) fn gps_time(fields: &Fields) -> Option<NaiveDateTime> {
    let date = Clock::read(&fields.text(Tag::GPSDateStamp)?)?;
    let time = fields.numbers(Tag::GPSTimeStamp)?;
    let &[hour, minute, second] = time.as_slice() else {
        return None;
    };
    // A second of 60 is a leap second, or comes from rounding.
    let is_time = (0.0..24.0).contains(&hour)
        && (0.0..60.0).contains(&minute)
        && (0.0..=60.0).contains(&second);
    let seconds = (hour * 60.0 + minute) * 60.0 + second;
    let midnight = date.second.date().and_time(NaiveTime::MIN);
    midnight
        .checked_add_signed(TimeDelta::milliseconds((seconds * 1000.0) as i64))
        .filter(|_| is_time)
}

#[cfg(test)]
mod tests {
    use ::exif::Tag;

    use super::super::sample::{ascii, facts, rational};
    use super::*;

    /// The time of a photo taken at `local`, with the date and time of a GPS fix if given.
    fn taken(local: &str, gps: Option<(&str, [u32; 3])>) -> TakenAt {
        let mut fields = vec![ascii(Tag::DateTimeOriginal, local)];
        if let Some((date, [hour, minute, second])) = gps {
            let time = [(hour, 1), (minute, 1), (second, 1)];
            fields.push(ascii(Tag::GPSDateStamp, date));
            fields.push(rational(Tag::GPSTimeStamp, &time));
        }
        facts(&fields).taken_at.unwrap()
    }

    fn with_offset(offset: &str) -> TakenAt {
        facts(&[
            ascii(Tag::DateTimeOriginal, "2024:04:06 17:23:41"),
            ascii(Tag::OffsetTimeOriginal, offset),
        ])
        .taken_at
        .unwrap()
    }

    fn with_fraction(digits: &str) -> TakenAt {
        facts(&[
            ascii(Tag::DateTimeOriginal, "2024:04:06 17:23:41"),
            ascii(Tag::SubSecTimeOriginal, digits),
        ])
        .taken_at
        .unwrap()
    }

    #[test]
    fn time_sub_seconds_and_offset_make_one_timestamp() {
        let taken = facts(&[
            ascii(Tag::DateTimeOriginal, "2024:04:06 17:23:41"),
            ascii(Tag::SubSecTimeOriginal, "123"),
            ascii(Tag::OffsetTimeOriginal, "+09:00"),
        ])
        .taken_at
        .unwrap();
        assert_eq!(taken.iso8601(), "2024-04-06T17:23:41.123+09:00");
        assert_eq!(taken.timeline(), "2024-04-06T17:23:41.123");
        let source = taken.offset_source().unwrap();
        assert_eq!(source, OffsetSource::OffsetTimeOriginal);
        assert_eq!(taken.source(), TimeSource::DateTimeOriginal);
    }

    #[test]
    fn without_offset_there_is_no_suffix() {
        let taken = taken("2024:04:06 17:23:41", None);
        assert_eq!(taken.iso8601(), "2024-04-06T17:23:41");
        assert_eq!(taken.timeline(), "2024-04-06T17:23:41.000");
        assert_eq!(taken.offset_source(), None);
    }

    #[test]
    fn sub_seconds_keep_the_digits_of_the_file_up_to_nine() {
        for (digits, iso, timeline) in [
            ("5", ".5", ".500"),
            ("04", ".04", ".040"),
            ("000", ".000", ".000"),
            ("000001", ".000001", ".000"),
            ("9999", ".9999", ".999"),
            ("12   ", ".12", ".120"),
            ("1234567891234", ".123456789", ".123"),
        ] {
            let taken = with_fraction(digits);
            assert_eq!(taken.iso8601(), format!("2024-04-06T17:23:41{iso}"));
            assert_eq!(taken.timeline(), format!("2024-04-06T17:23:41{timeline}"));
        }
    }

    #[test]
    fn sub_seconds_that_are_not_digits_are_dropped() {
        for digits in ["", "   ", "-1", "1.5", "abc"] {
            assert_eq!(with_fraction(digits).iso8601(), "2024-04-06T17:23:41");
        }
    }

    #[test]
    fn blank_zero_and_impossible_times_are_absent() {
        for text in [
            "    :  :     :  :  ",
            "                   ",
            "0000:00:00 00:00:00",
            "0000:01:01 00:00:00",
            "2023:02:29 12:00:00",
            "2024:13:01 12:00:00",
            "2024:04:06 25:00:00",
            "2024:04:06 12:60:00",
            "10000:1:01 23:59:59",
            "yesterday at twelve",
            "",
        ] {
            let facts = facts(&[ascii(Tag::DateTimeOriginal, text)]);
            assert_eq!(facts.taken_at, None, "{text:?}");
        }
    }

    #[test]
    fn any_separators_between_the_numbers_of_a_time_are_accepted() {
        for text in [
            "2024:04:06 17:23:41",
            "2024-04-06 17:23:41",
            "2024/04/06 17:23:41",
            "2024-04-06T17:23:41",
            "2024:04:06:17:23:41",
        ] {
            assert_eq!(taken(text, None).iso8601(), "2024-04-06T17:23:41", "{text}");
        }
        for text in ["20240406 172341", "2024:04:06 17:23:410", "2024:+4:06 17:23:41"] {
            assert_eq!(facts(&[ascii(Tag::DateTimeOriginal, text)]).taken_at, None, "{text}");
        }
    }

    #[test]
    fn the_fractions_and_offsets_of_other_times_never_stand_in() {
        let others = [
            ascii(Tag::DateTime, "2024:04:06 17:23:41"),
            ascii(Tag::DateTimeDigitized, "2024:04:06 17:23:41"),
            ascii(Tag::OffsetTime, "+09:00"),
            ascii(Tag::OffsetTimeDigitized, "+09:00"),
            ascii(Tag::SubSecTime, "123"),
            ascii(Tag::SubSecTimeDigitized, "123"),
        ];
        let mut with_original = others.to_vec();
        with_original.push(ascii(Tag::DateTimeOriginal, "2024:04:06 17:23:41"));
        let taken = facts(&with_original).taken_at.unwrap();
        assert_eq!(taken.iso8601(), "2024-04-06T17:23:41");
        // The offset of the last change is where the editor's computer was.
        let taken =
            facts(&[others[0].clone(), others[2].clone(), others[4].clone()]).taken_at.unwrap();
        assert_eq!(taken.iso8601(), "2024-04-06T17:23:41.123");
        assert_eq!((taken.source(), taken.offset_source()), (TimeSource::DateTime, None));
    }

    #[test]
    fn the_time_of_digitizing_has_its_own_fraction_and_offset() {
        let taken = facts(&[
            ascii(Tag::DateTimeDigitized, "2024:04:06 17:23:41"),
            ascii(Tag::SubSecTimeDigitized, "123"),
            ascii(Tag::OffsetTimeDigitized, "+09:00"),
            ascii(Tag::SubSecTimeOriginal, "9"),
            ascii(Tag::OffsetTimeOriginal, "+01:00"),
        ])
        .taken_at
        .unwrap();
        assert_eq!(taken.iso8601(), "2024-04-06T17:23:41.123+09:00");
        assert_eq!(taken.source(), TimeSource::DateTimeDigitized);
        assert_eq!(taken.offset_source(), Some(OffsetSource::OffsetTimeDigitized));
        let beside = ascii(Tag::DateTimeDigitized, "2024:04:06 17:23:41+02:00");
        let taken = facts(std::slice::from_ref(&beside)).taken_at.unwrap();
        assert_eq!(taken.offset_source(), Some(OffsetSource::DateTimeDigitized));
        let both = [beside, ascii(Tag::OffsetTimeDigitized, "+09:00")];
        let taken = facts(&both).taken_at.unwrap();
        assert_eq!(taken.offset_source(), Some(OffsetSource::OffsetTimeDigitized));
    }

    #[test]
    fn a_fraction_and_an_offset_inside_the_date_count_where_their_own_tags_are_absent() {
        let taken = taken("2015:02:01 14:42:59.5+01:00", None);
        assert_eq!(taken.iso8601(), "2015-02-01T14:42:59.5+01:00");
        assert_eq!(taken.timeline(), "2015-02-01T14:42:59.500");
        assert_eq!(taken.offset_source(), Some(OffsetSource::DateTimeOriginal));
        let both = facts(&[
            ascii(Tag::DateTimeOriginal, "2015:02:01 14:42:59.5+01:00"),
            ascii(Tag::SubSecTimeOriginal, "25"),
            ascii(Tag::OffsetTimeOriginal, "+02:00"),
        ]);
        let taken = both.taken_at.unwrap();
        assert_eq!(taken.iso8601(), "2015-02-01T14:42:59.25+02:00");
        assert_eq!(taken.offset_source(), Some(OffsetSource::OffsetTimeOriginal));
    }

    #[test]
    fn a_date_without_time_is_midnight_and_has_no_offset() {
        let taken = taken("1985:07:14", Some(("1985:07:14", [1, 0, 0])));
        assert_eq!(taken.iso8601(), "1985-07-14T00:00:00");
        assert_eq!(taken.timeline(), "1985-07-14T00:00:00.000");
        assert_eq!(taken.offset_source(), None);
        let date = ascii(Tag::DateTimeOriginal, "1985:07:14");
        let taken = facts(&[date, ascii(Tag::SubSecTimeOriginal, "5")]).taken_at.unwrap();
        assert_eq!(taken.iso8601(), "1985-07-14T00:00:00");
    }

    #[test]
    fn an_impossible_time_of_gps_is_absent() {
        let gps = |hour, minute, second| {
            let time = [(hour, 1), (minute, 1), (second, 1)];
            let date = ascii(Tag::GPSDateStamp, "2024:04:06");
            facts(&[date, rational(Tag::GPSTimeStamp, &time)]).taken_at
        };
        assert_eq!(gps(23, 59, 60).unwrap().iso8601(), "2024-04-07T00:00:00Z");
        for (hour, minute, second) in [(24, 0, 0), (23, 60, 0), (23, 59, 61)] {
            assert_eq!(gps(hour, minute, second), None, "{hour}:{minute}:{second}");
        }
    }

    #[test]
    fn a_phone_and_a_camera_without_offset_are_interleaved() {
        let phone = |time: &str| {
            let date = ascii(Tag::DateTimeOriginal, &format!("2024:04:06 {time}"));
            facts(&[date, ascii(Tag::OffsetTimeOriginal, "+09:00")]).taken_at.unwrap()
        };
        let camera = |time: &str| taken(&format!("2024:04:06 {time}"), None);
        let album = [phone("09:00:00"), camera("09:00:01"), phone("09:00:02"), camera("23:59:59")];
        assert!(album.map(|taken| taken.timeline()).is_sorted());
    }

    #[test]
    fn a_flight_across_the_date_line_is_ordered_by_the_clocks_of_its_places() {
        let shot = |date: &str, offset: &str| {
            let fields =
                [ascii(Tag::DateTimeOriginal, date), ascii(Tag::OffsetTimeOriginal, offset)];
            facts(&fields).taken_at.unwrap()
        };
        // Auckland to Honolulu: the plane lands on the day before, an hour of which was seen already.
        let departure = shot("2024:04:06 22:30:00", "+12:00");
        let arrival = shot("2024:04:06 07:15:00", "-10:00");
        assert_eq!(departure.timeline(), "2024-04-06T22:30:00.000");
        assert_eq!(arrival.timeline(), "2024-04-06T07:15:00.000");
        assert!(arrival.timeline() < departure.timeline());
        assert_eq!(arrival.iso8601(), "2024-04-06T07:15:00-10:00");
    }

    #[test]
    fn a_stated_offset_is_valid_from_minus_12_to_plus_14_hours() {
        for (offset, suffix) in [
            ("+14:00", "+14:00"),
            ("-12:00", "-12:00"),
            ("+05:45", "+05:45"),
            ("-09:30", "-09:30"),
            ("+00:00", "+00:00"),
            ("-02:30 ", "-02:30"),
            ("+0900", "+09:00"),
            ("Z", "+00:00"),
        ] {
            let iso = with_offset(offset).iso8601();
            assert_eq!(iso, format!("2024-04-06T17:23:41{suffix}"));
        }
        for offset in ["   :  ", "      ", "+99:00", "+14:01", "-12:01", "+09:60", "JST", "+9"] {
            assert_eq!(with_offset(offset).offset_source(), None, "{offset:?}");
        }
    }

    #[test]
    fn the_timeline_is_the_wall_clock_whatever_the_offset() {
        for offset in [None, Some("-08:00"), Some("+14:00")] {
            let mut fields = vec![ascii(Tag::DateTimeOriginal, "2022:12:31 23:59:59")];
            fields.extend(offset.map(|offset| ascii(Tag::OffsetTimeOriginal, offset)));
            let taken = facts(&fields).taken_at.unwrap();
            assert_eq!(taken.timeline(), "2022-12-31T23:59:59.000", "{offset:?}");
            assert!(taken.iso8601().ends_with(offset.unwrap_or("")));
        }
    }

    #[test]
    fn gps_time_gives_an_unstated_offset() {
        for (local, date, time, iso) in [
            ("2019:01:01 00:00:00", "2018:12:31", [13, 0, 0], "2019-01-01T00:00:00+11:00"),
            ("2020:11:11 11:11:11", "2020:11:11", [9, 11, 11], "2020-11-11T11:11:11+02:00"),
            ("2023:05:05 05:05:05", "2023:05:05", [7, 35, 5], "2023-05-05T05:05:05-02:30"),
            ("2021:03:28 02:30:00", "2021:03:27", [20, 45, 0], "2021-03-28T02:30:00+05:45"),
        ] {
            let taken = taken(local, Some((date, time)));
            assert_eq!(taken.iso8601(), iso);
            assert_eq!(taken.offset_source(), Some(OffsetSource::Gps));
        }
    }

    #[test]
    fn every_offset_between_whole_hours_that_is_in_use_is_inferred() {
        let gps = Some(("2024:04:06", [12, 0, 0]));
        let noon = NaiveDate::from_ymd_opt(2024, 4, 6).unwrap().and_hms_opt(12, 0, 0).unwrap();
        for minutes in
            [-570, -270, -210, -150, 210, 270, 330, 345, 390, 510, 525, 570, 630, 690, 765, 825]
        {
            let local = noon + TimeDelta::minutes(minutes);
            let taken = taken(&local.format("%Y:%m:%d %H:%M:%S").to_string(), gps);
            let offset = taken.offset.map(|(offset, _)| i64::from(offset.local_minus_utc()));
            assert_eq!(offset, Some(60 * minutes));
        }
    }

    #[test]
    fn a_valid_stated_offset_takes_precedence_over_gps_time() {
        for (stated, source) in
            [("+08:00", OffsetSource::OffsetTimeOriginal), ("   :  ", OffsetSource::Gps)]
        {
            let facts = facts(&[
                ascii(Tag::DateTimeOriginal, "2024:04:06 17:23:41"),
                ascii(Tag::OffsetTimeOriginal, stated),
                ascii(Tag::GPSDateStamp, "2024:04:06"),
                rational(Tag::GPSTimeStamp, &[(8, 1), (23, 1), (41, 1)]),
            ]);
            assert_eq!(facts.taken_at.unwrap().offset_source(), Some(source));
        }
    }

    #[test]
    fn a_fix_may_be_five_minutes_off_but_no_more() {
        let offset =
            |time| taken("2024:04:06 12:00:00", Some(("2024:04:06", time))).offset_source();
        assert_eq!(offset([9, 55, 0]), Some(OffsetSource::Gps));
        assert_eq!(offset([10, 5, 0]), Some(OffsetSource::Gps));
        assert_eq!(offset([9, 54, 59]), None);
        assert_eq!(offset([10, 5, 1]), None);
    }

    #[test]
    fn no_offset_is_inferred_that_no_time_zone_has() {
        for (date, time) in [
            ("2024:04:06", [11, 45, 0]), // +00:15: the fix was a quarter of an hour old
            ("2024:04:05", [21, 45, 0]), // +14:15
            ("2024:04:05", [21, 0, 0]),  // +15:00
            ("2024:04:07", [1, 0, 0]),   // -13:00
            ("2004:08:21", [12, 0, 0]),  // a receiver whose week counter rolled over
        ] {
            let taken = taken("2024:04:06 12:00:00", Some((date, time)));
            assert_eq!(taken.offset_source(), None, "{date} {time:?}");
        }
        let border = |date, time| taken("2024:04:06 12:00:00", Some((date, time))).iso8601();
        assert_eq!(border("2024:04:05", [22, 0, 0]), "2024-04-06T12:00:00+14:00");
        assert_eq!(border("2024:04:07", [0, 0, 0]), "2024-04-06T12:00:00-12:00");
    }

    #[test]
    fn a_gps_second_of_60_carries() {
        let taken = taken("2024:04:06 12:00:00", Some(("2024:04:06", [9, 59, 60])));
        assert_eq!(taken.iso8601(), "2024-04-06T12:00:00+02:00");
    }

    #[test]
    fn an_incomplete_or_impossible_gps_time_gives_no_offset() {
        let original = ascii(Tag::DateTimeOriginal, "2024:04:06 12:00:00");
        let date = ascii(Tag::GPSDateStamp, "2024:04:06");
        let time = |parts: &[(u32, u32)]| rational(Tag::GPSTimeStamp, parts);
        for gps in [
            vec![date.clone()],
            vec![time(&[(12, 1), (0, 1), (0, 1)])],
            vec![date.clone(), time(&[(12, 1), (0, 1)])],
            vec![date.clone(), time(&[(12, 1), (0, 0), (0, 1)])],
            vec![date.clone(), time(&[(11, 1), (60, 1), (0, 1)])],
            vec![ascii(Tag::GPSDateStamp, "2024:02:30"), time(&[(12, 1), (0, 1), (0, 1)])],
        ] {
            let fields = [vec![original.clone()], gps].concat();
            assert_eq!(facts(&fields).taken_at.unwrap().offset_source(), None);
        }
    }
}
