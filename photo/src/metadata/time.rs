//! The time at which a photo was taken.

use ::exif::Tag;
use chrono::{FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::exif::fields::Fields;

/// Most sub-second digits that are kept: nanoseconds.
const MAX_FRACTION_DIGITS: usize = 9;

/// Offsets of the world's time zones: UTC-12 to UTC+14 (IANA time zone database).
const OFFSETS_SECONDS: std::ops::RangeInclusive<i32> = -12 * 3600..=14 * 3600;

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

/// The time on the camera's clock when a photo was taken, and its offset from UTC if known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenAt {
    local: NaiveDateTime,
    /// The sub-second digits as stored, at most 9.
    fraction: String,
    offset: Option<(FixedOffset, OffsetSource)>,
}

/// Where the local time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum TimeSource {
    /// EXIF DateTimeOriginal (0x9003).
    DateTimeOriginal,
}

/// Where the offset from UTC comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum OffsetSource {
    /// EXIF OffsetTimeOriginal (0x9011), which states it.
    OffsetTimeOriginal,
    /// Local time minus EXIF GPSDateStamp (0x001D) and GPSTimeStamp (0x0007), which are UTC.
    Gps,
}

impl TakenAt {
    /// Local time in ISO 8601, such as `2024-04-06T17:23:41.123+09:00`, with the sub-second digits of the
    /// file, and with the offset only if it is known.
    pub fn iso8601(&self) -> String {
        let mut text = self.local.format("%Y-%m-%dT%H:%M:%S").to_string();
        if !self.fraction.is_empty() {
            text.push('.');
            text.push_str(&self.fraction);
        }
        if let Some((offset, _)) = self.offset {
            text.push_str(&offset.to_string());
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
        TimeSource::DateTimeOriginal
    }

    /// Where the offset comes from; `None` if it is not known.
    pub fn offset_source(&self) -> Option<OffsetSource> {
        self.offset.map(|(_, source)| source)
    }
}

/// Reads DateTimeOriginal (0x9003), SubSecTimeOriginal (0x9291) and an offset. DateTime (0x0132) and
/// DateTimeDigitized (0x9004) never stand in for them, because they are the times of an edit and of a
/// scan.
pub(super) fn taken_at(fields: &Fields) -> Option<TakenAt> {
    let second = clock_time(&fields.text(Tag::DateTimeOriginal)?)?;
    let fraction =
        fields.text(Tag::SubSecTimeOriginal).and_then(fraction_digits).unwrap_or_default();
    let local = second.checked_add_signed(TimeDelta::nanoseconds(nanoseconds(&fraction)))?;
    Some(TakenAt {
        local,
        fraction,
        offset: stated_offset(fields).or_else(|| inferred_offset(fields, local)),
    })
}

/// `YYYY:MM:DD HH:MM:SS` (clause 4.6.5, DateTimeOriginal), whatever stands between the numbers: some
/// cameras write slashes or dashes, or a colon after the date. Blank, zero and impossible ones are
/// absent.
fn clock_time(text: &str) -> Option<NaiveDateTime> {
    let number = |from: usize, to: usize| {
        let is_apart = !text.as_bytes().get(to).is_some_and(u8::is_ascii_digit);
        let digits = text.get(from..to).filter(|_| is_apart)?;
        // Rust would parse `+5` as a number.
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u32>().ok())?
    };
    let year = number(0, 4).filter(|year| (1..=9999).contains(year))?;
    let date = NaiveDate::from_ymd_opt(year.cast_signed(), number(5, 7)?, number(8, 10)?)?;
    date.and_hms_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?)
}

fn fraction_digits(text: String) -> Option<String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.chars().take(MAX_FRACTION_DIGITS).collect())
}

fn nanoseconds(fraction: &str) -> i64 {
    format!("{fraction:0<MAX_FRACTION_DIGITS$}").parse().unwrap_or_default()
}

/// Reads OffsetTimeOriginal, but not OffsetTime (0x9010) and OffsetTimeDigitized (0x9012), which belong to
/// the other two times.
fn stated_offset(fields: &Fields) -> Option<(FixedOffset, OffsetSource)> {
    let text = fields.text(Tag::OffsetTimeOriginal)?;
    let text = if text == "Z" { "+00:00" } else { &text };
    let offset = text.parse().ok().filter(is_a_time_zone)?;
    Some((offset, OffsetSource::OffsetTimeOriginal))
}

/// The offset from UTC, as the whole quarter of an hour nearest to local time minus GPS time.
fn inferred_offset(fields: &Fields, local: NaiveDateTime) -> Option<(FixedOffset, OffsetSource)> {
    let difference = local.signed_duration_since(gps_time(fields)?).num_seconds();
    let offset = (difference + QUARTER_SECONDS / 2).div_euclid(QUARTER_SECONDS) * QUARTER_SECONDS;
    let near = (difference - offset).abs() <= TOLERANCE_SECONDS;
    let in_use = offset % 3600 == 0 || OFFSETS_BETWEEN_HOURS.contains(&(offset / 60));
    let offset = i32::try_from(offset).ok().filter(|_| near && in_use)?;
    let offset = FixedOffset::east_opt(offset).filter(is_a_time_zone)?;
    Some((offset, OffsetSource::Gps))
}

fn is_a_time_zone(offset: &FixedOffset) -> bool {
    OFFSETS_SECONDS.contains(&offset.local_minus_utc())
}

/// The time of the GPS fix in UTC: GPSDateStamp is `YYYY:MM:DD`, GPSTimeStamp has hour, minute and second
/// (clause 4.6.6).
fn gps_time(fields: &Fields) -> Option<NaiveDateTime> {
    let date = fields.text(Tag::GPSDateStamp)?;
    let date = NaiveDate::parse_from_str(&date, "%Y:%m:%d").ok()?;
    let time = fields.numbers(Tag::GPSTimeStamp)?;
    let &[hour, minute, second] = time.as_slice() else {
        return None;
    };
    let sixty = 0.0..60.0;
    if !(0.0..24.0).contains(&hour) || !sixty.contains(&minute) || !sixty.contains(&second) {
        return None;
    }
    let seconds = (hour * 60.0 + minute) * 60.0 + second;
    date.and_time(NaiveTime::MIN)
        .checked_add_signed(TimeDelta::milliseconds((seconds * 1000.0) as i64))
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
            "2024:04:06 24:00:00",
            "2024:04:06 12:60:00",
            "10000:1:01 23:59:59",
            "2024:04:06",
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
            "2024-04-06T17:23:41.123+09:00",
            "2024:04:06:17:23:41",
            "2024:04:06 17:23:41Z",
        ] {
            assert_eq!(taken(text, None).iso8601(), "2024-04-06T17:23:41", "{text}");
        }
        for text in ["20240406 172341", "2024:04:06 17:23:410", "2024:+4:06 17:23:41"] {
            assert_eq!(facts(&[ascii(Tag::DateTimeOriginal, text)]).taken_at, None, "{text}");
        }
    }

    #[test]
    fn other_times_and_their_offsets_never_stand_in() {
        let others = [
            ascii(Tag::DateTime, "2024:04:06 17:23:41"),
            ascii(Tag::DateTimeDigitized, "2024:04:06 17:23:41"),
            ascii(Tag::OffsetTime, "+09:00"),
            ascii(Tag::OffsetTimeDigitized, "+09:00"),
            ascii(Tag::SubSecTime, "123"),
            ascii(Tag::SubSecTimeDigitized, "123"),
        ];
        assert_eq!(facts(&others).taken_at, None);
        let mut with_original = others.to_vec();
        with_original.push(ascii(Tag::DateTimeOriginal, "2020:01:02 03:04:05"));
        let taken = facts(&with_original).taken_at.unwrap();
        assert_eq!(taken.iso8601(), "2020-01-02T03:04:05");
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
