//! Reads the texts by which files say when: those of EXIF (clause 4.6.5, DateTimeOriginal), of XMP (ISO
//! 16684-1 clause 8.2.1.2, Date), of IPTC (IIM 4.2, datasets 2:55 and 2:60) and of PNG (clause 11.3.3.2,
//! Creation Time). Programs write each of them in the form of each other, so one reader reads all.

use chrono::{FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

/// Most digits of a second's fraction that are kept: nanoseconds.
const MAX_FRACTION_DIGITS: usize = 9;

/// Offsets of the world's time zones: UTC-12 to UTC+14 (IANA time zone database).
const OFFSETS_SECONDS: std::ops::RangeInclusive<i32> = -12 * 3600..=14 * 3600;

/// Words for the half of a day in the languages that put them into photos, the longer ones first.
const HALVES: [(&str, Half); 24] = [
    ("a.m.", Half::Morning),
    ("p.m.", Half::Afternoon),
    ("a. m.", Half::Morning),
    ("p. m.", Half::Afternoon),
    ("a.m", Half::Morning),
    ("p.m", Half::Afternoon),
    ("am", Half::Morning),
    ("pm", Half::Afternoon),
    ("pg", Half::Morning), // Malay
    ("ptg", Half::Afternoon),
    ("a", Half::Morning),
    ("p", Half::Afternoon),
    ("午前", Half::Morning),
    ("午後", Half::Afternoon),
    ("上午", Half::Morning),
    ("下午", Half::Afternoon),
    ("오전", Half::Morning),
    ("오후", Half::Afternoon),
    ("π.μ.", Half::Morning),
    ("μ.μ.", Half::Afternoon),
    ("πμ", Half::Morning),
    ("μμ", Half::Afternoon),
    ("ص", Half::Morning),
    ("م", Half::Afternoon),
];

/// Zones by their names in dates of the Internet (RFC 822 clause 5.1), in hours.
const NAMED_ZONES: [(&str, i32); 8] = [
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
];

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    Morning,
    Afternoon,
}

/// What a text says of a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    /// The wall clock to the second. What is not given of it is the first of its kind: month 1, day 1, 0:00.
    pub second: NaiveDateTime,
    /// Whether a time of day is given.
    pub has_time: bool,
    /// The digits of the second's fraction, at most 9.
    pub fraction: String,
    /// The offset from UTC that is written beside the clock.
    pub offset: Option<FixedOffset>,
}

impl Clock {
    /// Reads `YYYY:MM:DD HH:MM:SS`, whatever stands between the numbers, and what may follow it: a fraction,
    /// the half of the day, an offset. The date may be IPTC's `CCYYMMDD`. From its end on, parts may be missing or
    /// blank. Blank, zero and impossible ones are absent.
    pub fn read(text: &str) -> Option<Clock> {
        let text = text.trim();
        let of_iptc = date_of_iptc(text);
        let (date, rest) = date(of_iptc.as_deref().unwrap_or(text))?;
        let is_apart = |c: char| !c.is_alphanumeric() && c != '+';
        let behind = rest.trim_start_matches(|c| is_apart(c) && c != '-');
        let behind = behind.strip_prefix(['T', 't']).unwrap_or(behind);
        // An hour without its minute tells little.
        let is_hour =
            |text: &str| text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_hour(behind.trim_matches(is_apart)) || zone(behind).is_some() {
            let second = date.and_time(NaiveTime::MIN);
            return Some(Clock { second, has_time: false, fraction: String::new(), offset: None });
        }
        let behind = behind.trim_start_matches(is_apart);
        let day = time_of_day(behind)?;
        let second = date.and_time(NaiveTime::MIN).checked_add_signed(day.since_midnight)?;
        Some(Clock { second, has_time: true, fraction: day.fraction, offset: day.offset })
    }

    /// Reads a date of the Internet, such as `Tue, 16 Jan 2024 21:15:29 +0000` (RFC 1123 clause 5.2.14), and the
    /// one that C's `ctime` makes, such as `Tue Jan 16 21:15:29 2024`.
    pub fn read_with_month_name(text: &str) -> Option<Clock> {
        let words = || text.split([' ', ',']).filter(|word| !word.is_empty());
        let month = words().find_map(month)?;
        let number_of = |lengths: std::ops::RangeInclusive<usize>| {
            let is_number = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
            words().filter(is_number).find(|word| lengths.contains(&word.len()))
        };
        let (day, year) = (number_of(1..=2)?, number_of(4..=4)?);
        let time: Vec<&str> = words().skip_while(|word| !word.contains(':')).collect();
        let mut clock = Clock::read(&format!("{year}:{month}:{day} {}", time.join(" ")))?;
        clock.offset = clock.offset.or_else(|| time.into_iter().skip(1).find_map(named_zone));
        Some(clock)
    }

    /// Reads the date and the time of IPTC: `CCYYMMDD` and `HHMMSS+HHMM`. Month and day are 0 where they are
    /// not known. Some programs write the form of EXIF.
    pub fn read_iptc(date: &str, time: Option<&str>) -> Option<Clock> {
        let given = time.unwrap_or_default().trim();
        let digits = given.bytes().take_while(u8::is_ascii_digit).count();
        let (clock, behind) = given.split_at(digits);
        let time = in_pairs(clock, 6).or_else(|| in_pairs(clock, 4));
        let time = time.map_or_else(|| given.to_owned(), |time| time + behind);
        Clock::read(&format!("{date} {time}"))
    }

    /// The wall clock with its fraction.
    pub fn local(&self) -> Option<NaiveDateTime> {
        let nanoseconds = format!("{:0<MAX_FRACTION_DIGITS$}", self.fraction).parse().ok()?;
        self.second.checked_add_signed(TimeDelta::nanoseconds(nanoseconds))
    }
}

/// The digits of a second's fraction as they are kept; `None` if there are others.
pub(super) fn fraction_digits(text: &str) -> Option<String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.chars().take(MAX_FRACTION_DIGITS).collect())
}

/// An offset from UTC that a time zone has.
pub(super) fn time_zone(seconds: i32) -> Option<FixedOffset> {
    FixedOffset::east_opt(seconds).filter(|_| OFFSETS_SECONDS.contains(&seconds))
}

/// An offset from UTC, such as `+09:00`, `-0500`, `+01` or `Z`, that is all of the text.
pub(super) fn zone(text: &str) -> Option<FixedOffset> {
    let text = text.trim();
    let name = ["Z", "UTC", "GMT", "UT"]
        .into_iter()
        .find(|name| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)));
    let behind = text.get(name.map_or(0, str::len)..)?.trim_start();
    if name.is_some() && behind.is_empty() {
        return time_zone(0);
    }
    let sign = match behind.chars().next()? {
        '+' => 1,
        '-' | '\u{2212}' => -1,
        _ => return None,
    };
    let digits = behind.trim_start_matches(['+', '-', '\u{2212}']);
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (number(hours, 1..=2)?, number(minutes, 2..=2)?),
        None if digits.len() == 2 => (number(digits, 2..=2)?, 0),
        None => (number(digits.get(..2)?, 2..=2)?, number(digits.get(2..)?, 2..=2)?),
    };
    let seconds = (hours * 60 + minutes) * 60;
    if minutes < 60 { time_zone(sign * i32::try_from(seconds).ok()?) } else { None }
}

/// [`zone`], but -00:00 says that the offset is not known (RFC 3339 clause 4.3, RFC 5322 clause 3.3).
fn known_zone(text: &str) -> Option<FixedOffset> {
    let is_behind_utc = text.trim_start().starts_with(['-', '\u{2212}']);
    zone(text).filter(|offset| offset.local_minus_utc() != 0 || !is_behind_utc)
}

fn named_zone(word: &str) -> Option<FixedOffset> {
    let named = NAMED_ZONES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
    known_zone(word).or_else(|| time_zone(named?.1 * 3600))
}

/// The number of a month's English name.
fn month(word: &str) -> Option<usize> {
    let start = word.get(..3)?.to_ascii_lowercase();
    let is_name = word.bytes().all(|byte| byte.is_ascii_alphabetic());
    MONTHS.iter().position(|name| is_name && *name == start).map(|index| index + 1)
}

/// The digits in pairs with colons between them; `None` if there are not so many digits.
fn in_pairs(text: &str, length: usize) -> Option<String> {
    let text = text.trim();
    let is_number = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    let pairs = text.as_bytes().as_chunks::<2>().0.iter();
    let pairs: Vec<String> =
        pairs.map(|pair| pair.iter().copied().map(char::from).collect()).collect();
    is_number.then(|| pairs.join(":"))
}

/// A text that begins with IPTC's `CCYYMMDD`, with the date in the form of EXIF.
fn date_of_iptc(text: &str) -> Option<String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (date, rest) = text.split_at(digits);
    Some(in_pairs(date, 8)?.replacen(':', "", 1) + rest)
}

/// A date, and what follows it. A month or a day that is 0 or missing is not known, and counts as 1.
fn date(text: &str) -> Option<(NaiveDate, &str)> {
    let (year, rest) = leading_number(text, 4..=4)?;
    let (month, rest) = part_of_date(rest);
    let (day, rest) = if month.is_some() { part_of_date(rest) } else { (None, rest) };
    let known = |part: Option<u32>| part.filter(|number| *number > 0);
    let (month, day) = match (known(month), known(day)) {
        (Some(month), day) => (month, day.unwrap_or(1)),
        (None, _) => (1, 1),
    };
    let year = i32::try_from(year).ok().filter(|year| *year > 0)?;
    Some((NaiveDate::from_ymd_opt(year, month, day)?, rest))
}

/// The month or the day behind one character that is no digit, and what follows; all if there is none.
fn part_of_date(text: &str) -> (Option<u32>, &str) {
    let mut behind = text.chars();
    let is_apart = behind.next().is_some_and(|c| !c.is_ascii_digit());
    let number =
        if text.starts_with(' ') { behind.as_str() } else { without_padding(behind.as_str()) };
    match leading_number(number, 1..=2).filter(|_| is_apart) {
        Some((number, rest)) => (Some(number), rest),
        None => (None, text),
    }
}

/// A time of day, as read.
struct Day {
    since_midnight: TimeDelta,
    fraction: String,
    offset: Option<FixedOffset>,
}

/// `HH:MM`, seconds, a fraction, the half of the day before or behind it, an offset.
fn time_of_day(text: &str) -> Option<Day> {
    let (first_half, text) = half(text);
    let (hour, rest) = leading_number(text, 1..=2)?;
    let mut behind = rest.chars();
    let separator = behind.next()?;
    let (minute, rest) = leading_number(without_padding(behind.as_str()), 1..=2)?;
    let seconds = rest.strip_prefix(separator).map(without_padding);
    let seconds = seconds.filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let (second, rest) = match seconds {
        Some(seconds) => leading_number(seconds, 1..=2)?,
        None => (0, rest),
    };
    let (fraction, rest) = fraction(rest);
    let (half, rest) = half(rest.trim_start());
    let half = first_half.or(half);
    let offset = known_zone(rest);
    if half.is_none() && offset.is_none() && (1..=12).contains(&hour) && has_unknown_word(rest) {
        return None;
    }
    // A second of 60 is a leap second, or comes from rounding.
    if minute > 59 || second > 60 {
        return None;
    }
    let seconds = (hour_of_day(hour, half)? * 60 + minute) * 60 + second;
    Some(Day { since_midnight: TimeDelta::seconds(seconds.into()), fraction, offset })
}

/// The number without the space that may stand in place of its first digit, as C's `%2d` writes it.
fn without_padding(number: &str) -> &str {
    number.strip_prefix(' ').unwrap_or(number)
}

/// The hour from 0 to 23. Hour 24 is hour 0 of the same day: there are cameras that count from 1 to 24.
fn hour_of_day(hour: u32, half: Option<Half>) -> Option<u32> {
    match (half, hour) {
        (Some(Half::Morning), 12) | (Some(Half::Morning) | None, 24) => Some(0),
        (Some(Half::Afternoon), 0..=11) => Some(hour + 12),
        (Some(Half::Morning), 0..=11) | (Some(Half::Afternoon), 12..=23) | (None, 0..=23) => {
            Some(hour)
        }
        _ => None,
    }
}

/// The half of the day at the start of the text, and what follows it.
fn half(text: &str) -> (Option<Half>, &str) {
    let found = HALVES.iter().find_map(|(word, half)| {
        let start = text.get(..word.len())?;
        let rest = text.get(word.len()..)?;
        let ends = !word.is_ascii() || !rest.starts_with(|c: char| c.is_alphabetic());
        (start.eq_ignore_ascii_case(word) && ends).then_some((*half, rest.trim_start()))
    });
    found.map_or((None, text), |(half, rest)| (Some(half), rest))
}

/// Whether the text begins with a word that may be the half of the day in an unknown language. Three to five
/// capital letters are the name of a time zone.
fn has_unknown_word(text: &str) -> bool {
    let word: String = text.trim_start().chars().take_while(|c| c.is_alphabetic()).collect();
    let is_zone =
        (3..=5).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase());
    !word.is_empty() && !is_zone
}

fn fraction(text: &str) -> (String, &str) {
    let digits = text.strip_prefix(['.', ',']).unwrap_or_default();
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    match digits.split_at(length) {
        ("", _) => (String::new(), text),
        (digits, rest) => (digits.chars().take(MAX_FRACTION_DIGITS).collect(), rest),
    }
}

/// The number at the start of the text, of so many digits, and what follows it.
fn leading_number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<(u32, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(length);
    Some((number.parse().ok().filter(|_| digits.contains(&length))?, rest))
}

fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<u32> {
    leading_number(text, digits).filter(|(_, rest)| rest.is_empty()).map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read of a text, in ISO 8601.
    fn read(text: &str) -> Option<String> {
        Clock::read(text).map(|clock| shown(&clock))
    }

    fn shown(clock: &Clock) -> String {
        let form = if clock.has_time { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%d" };
        let mut text = clock.second.format(form).to_string();
        if !clock.fraction.is_empty() {
            text += &format!(".{}", clock.fraction);
        }
        text + &clock.offset.map(|offset| offset.to_string()).unwrap_or_default()
    }

    fn expect_each(cases: &[(&str, &str)]) {
        for (text, expected) in cases {
            assert_eq!(read(text).as_deref(), Some(*expected), "{text}");
        }
    }

    fn expect_none(texts: &[&str]) {
        for text in texts {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn hour_24_is_hour_0_of_that_day() {
        expect_each(&[
            ("2016:01:26 24:48:30", "2016-01-26T00:48:30"),
            ("2016:12:31 24:00:00", "2016-12-31T00:00:00"),
            ("2016-01-26T24:48:30.5+01:00", "2016-01-26T00:48:30.5+01:00"),
        ]);
        expect_none(&["2016:01:26 25:00:00", "2016:01:26 24:48:30 PM", "2016:01:26 24:60:00"]);
    }

    #[test]
    fn twelve_hour_texts_are_right() {
        expect_each(&[
            ("2017:05:16 1:48:24 pm", "2017-05-16T13:48:24"),
            ("2017:05:16 01:48:24 PM", "2017-05-16T13:48:24"),
            ("2017:05:16 01:48:24PM", "2017-05-16T13:48:24"),
            ("2017:05:16 01:48:24 p.m.", "2017-05-16T13:48:24"),
            ("2017:05:16 01:48:24 p. m.", "2017-05-16T13:48:24"),
            ("2017:05:16 01:48 pm", "2017-05-16T13:48:00"),
            ("2017:05:16 01:48:24.25 pm +02:00", "2017-05-16T13:48:24.25+02:00"),
            ("2017:05:16 01:48:24 AM", "2017-05-16T01:48:24"),
            ("2017:05:16 12:48:24 AM", "2017-05-16T00:48:24"),
            ("2017:05:16 12:48:24 a.m.", "2017-05-16T00:48:24"),
            ("2017:05:16 12:48:24 PM", "2017-05-16T12:48:24"),
            ("2017:05:16 0:48:24 PM", "2017-05-16T12:48:24"),
            ("2017:05:16 13:48:24 PM", "2017-05-16T13:48:24"),
            ("2017:05:16 下午1:48:24", "2017-05-16T13:48:24"),
            ("2017:05:16 上午 12:48:24", "2017-05-16T00:48:24"),
            ("2017:05:16 01:48:24 오후", "2017-05-16T13:48:24"),
            ("2017:05:16 午後 01:48:24", "2017-05-16T13:48:24"),
            ("2017:05:16 01:48:24 μ.μ.", "2017-05-16T13:48:24"),
            ("2017:05:16 01:48:24 PM Ortszeit", "2017-05-16T13:48:24"),
            ("2017:05:16 01:48:24 PTG", "2017-05-16T13:48:24"),
        ]);
    }

    #[test]
    fn the_half_of_the_day_is_known_in_the_languages_of_cameras() {
        for (morning, afternoon) in [
            ("AM", "PM"),
            ("a.m", "p.m"),
            ("A", "P"),
            ("午前", "午後"),
            ("上午", "下午"),
            ("오전", "오후"),
            ("π.μ.", "μ.μ."),
            ("πμ", "μμ"),
            ("ص", "م"),
        ] {
            for (half, expected) in
                [(morning, "2017-05-16T01:48:24"), (afternoon, "2017-05-16T13:48:24")]
            {
                let behind = format!("2017:05:16 01:48:24 {half}");
                let before = format!("2017:05:16 {half} 01:48:24");
                expect_each(&[(&behind, expected), (&before, expected)]);
            }
        }
    }

    #[test]
    fn a_time_of_an_unknown_half_of_the_day_is_absent() {
        expect_none(&[
            "2017:05:16 01:48:24 du.",
            "2017:05:16 01:48:24 nachm.",
            "2017:05:16 12:48:24 nachm.",
            "2017:05:16 01:48:24 abends",
            "2017:05:16 01:48:24 XY",
            "2017:05:16 01:48:24 ABCDEF",
            "2017:05:16 01:48:24 \u{cf}\u{c2}\u{ce}\u{e7}",
            "2017:05:16 14:48:24 AM",
        ]);
        expect_each(&[
            ("2017:05:16 13:48:24 du.", "2017-05-16T13:48:24"),
            ("2017:05:16 00:48:24 foo", "2017-05-16T00:48:24"),
            ("2017:05:16 01:48:24 CEST", "2017-05-16T01:48:24"),
            ("2017:05:16 01:48:24 JST", "2017-05-16T01:48:24"),
            ("2017:05:16 01:48:24 ACWST", "2017-05-16T01:48:24"),
            ("2017:05:16 01:48:24 /", "2017-05-16T01:48:24"),
        ]);
    }

    #[test]
    fn a_space_may_stand_in_place_of_a_first_digit() {
        expect_each(&[
            ("2003: 7:12 10:11:12", "2003-07-12T10:11:12"),
            ("2003: 7: 2  9: 1: 2", "2003-07-02T09:01:02"),
            ("2003/ 7/12 10:11", "2003-07-12T10:11:00"),
            ("2003:  :     :  :  ", "2003-01-01"),
        ]);
    }

    #[test]
    fn a_second_of_60_carries() {
        expect_each(&[
            ("2016:12:31 23:59:60", "2017-01-01T00:00:00"),
            ("2024:04:06 17:23:60.5", "2024-04-06T17:24:00.5"),
        ]);
        expect_none(&["2024:04:06 17:23:61", "2024:04:06 17:60:00"]);
    }

    #[test]
    fn a_fraction_and_an_offset_may_follow() {
        expect_each(&[
            ("2015:02:01 14:42:59+01:00", "2015-02-01T14:42:59+01:00"),
            ("2015:02:01 14:42:59 -0530", "2015-02-01T14:42:59-05:30"),
            ("2015:02:01 14:42:59+01", "2015-02-01T14:42:59+01:00"),
            ("2015:02:01 14:42:59+9:30", "2015-02-01T14:42:59+09:30"),
            ("2015:02:01 14:42:59Z", "2015-02-01T14:42:59+00:00"),
            ("2015:02:01 14:42:59 UTC", "2015-02-01T14:42:59+00:00"),
            ("2015:02:01 14:42:59 UT", "2015-02-01T14:42:59+00:00"),
            ("2015:02:01 14:42:59 UTC +02:00", "2015-02-01T14:42:59+02:00"),
            ("2015:02:01 14:42:59\u{2212}05:00", "2015-02-01T14:42:59-05:00"),
            ("2015:02:01 14:42:59 GMT+02:00", "2015-02-01T14:42:59+02:00"),
            ("2015:02:01 14:42:59.123+01:00", "2015-02-01T14:42:59.123+01:00"),
            ("2015:02:01 14:42:59,5", "2015-02-01T14:42:59.5"),
            ("2015:02:01 14:42:59.1234567891", "2015-02-01T14:42:59.123456789"),
            ("2015:02:01 14:42-05:00", "2015-02-01T14:42:00-05:00"),
        ]);
        // An offset that is said to be unknown, or that no time zone has, is not read.
        expect_each(&[
            ("2015:02:01 14:42:59-00:00", "2015-02-01T14:42:59"),
            ("2015-02-01-00:00", "2015-02-01"),
            ("2015:02:01 14:42:59+15:00", "2015-02-01T14:42:59"),
            ("2015:02:01 14:42:59+01:60", "2015-02-01T14:42:59"),
            ("2015:02:01 14:42:59+01:5", "2015-02-01T14:42:59"),
            ("2015:02:01 14:42:59+001:00", "2015-02-01T14:42:59"),
            ("2015:02:01 14:42:59+01:005", "2015-02-01T14:42:59"),
            ("2015:02:01 14:42:59+010", "2015-02-01T14:42:59"),
            ("2015:02:01 14:42:59+01005", "2015-02-01T14:42:59"),
            ("2015:02:01 14:42:59.", "2015-02-01T14:42:59"),
        ]);
    }

    #[test]
    fn a_date_without_time_is_read() {
        expect_each(&[
            ("1985:07:14", "1985-07-14"),
            ("1985-07-14", "1985-07-14"),
            ("1985:07:14   :  :  ", "1985-07-14"),
            ("1985:07:14T", "1985-07-14"),
            ("1985:07:14 17", "1985-07-14"),
            ("1985-07-14Z", "1985-07-14"),
            ("1985-07-14+09:00", "1985-07-14"),
            ("1985-07-14-05:00", "1985-07-14"),
            ("1985-07", "1985-07-01"),
            ("1985", "1985-01-01"),
            ("1985:00:00 00:00:00", "1985-01-01T00:00:00"),
            ("1985:07:00", "1985-07-01"),
            ("1985:  :     :  :  ", "1985-01-01"),
            ("19850714", "1985-07-14"),
        ]);
        expect_none(&[
            "1985:13:01",
            "1985:02:30",
            "0000:00:00",
            "19851301",
            "198507141",
            "1985:07:14 noon",
            "1985:07:14 pm",
            "1985:07:14 1753",
            "198",
        ]);
    }

    #[test]
    fn a_date_in_the_form_of_iptc_is_read() {
        expect_each(&[
            ("20111006 17:47:14.264", "2011-10-06T17:47:14.264"),
            ("20111006T17:47:14+02:00", "2011-10-06T17:47:14+02:00"),
            ("20111000", "2011-10-01"),
        ]);
        expect_none(&["1509749992", "20111306 17:47:14", "201110 17:47:14", "00000000 00:00:00"]);
    }

    #[test]
    fn numbers_of_a_time_may_have_one_digit_and_never_three() {
        expect_each(&[
            ("2015:2:1 4:5:9", "2015-02-01T04:05:09"),
            ("2015-02-01t14:42:59", "2015-02-01T14:42:59"),
            ("  2015:02:01 14:42: ", "2015-02-01T14:42:00"),
            ("2015:02:01 14:42:  .", "2015-02-01T14:42:00"),
        ]);
        expect_none(&["2015:02:01 014:42:59", "2015:02:01 14:042:59", "2015:02:01 14:42:059"]);
    }

    #[test]
    fn the_date_and_time_of_iptc_are_read() {
        let read = |date, time| Clock::read_iptc(date, time).map(|clock| shown(&clock));
        for (date, time, expected) in [
            ("20160124", Some("175358+0100"), "2016-01-24T17:53:58+01:00"),
            ("20160124", Some("175358"), "2016-01-24T17:53:58"),
            ("20160124", Some("1753"), "2016-01-24T17:53:00"),
            (" 20160124 ", Some(" 175358+0100 "), "2016-01-24T17:53:58+01:00"),
            ("2016-1-4", None, "2016-01-04"),
            ("20160124", Some("17:53:58+01:00"), "2016-01-24T17:53:58+01:00"),
            ("20160124", Some("245358-0500"), "2016-01-24T00:53:58-05:00"),
            ("2016-01-24", Some("175360"), "2016-01-24T17:54:00"),
            ("20160124", None, "2016-01-24"),
            ("20160100", None, "2016-01-01"),
            ("20160000", Some(" "), "2016-01-01"),
        ] {
            assert_eq!(read(date, time).as_deref(), Some(expected), "{date} {time:?}");
        }
        for (date, time) in [
            ("00000000", None),
            ("20161301", None),
            ("today", None),
            ("2016012", None),
            ("20160124", Some("noon")),
        ] {
            assert_eq!(read(date, time), None, "{date} {time:?}");
        }
    }

    #[test]
    fn dates_with_the_name_of_a_month_are_read() {
        let read = |text| Clock::read_with_month_name(text).map(|clock| shown(&clock));
        for (text, expected) in [
            ("Tue, 16 Jan 2024 21:15:29 +0000", "2024-01-16T21:15:29+00:00"),
            ("16 January 2024 21:15:29 GMT", "2024-01-16T21:15:29+00:00"),
            ("16 Jan 2024 21:15 EST", "2024-01-16T21:15:00-05:00"),
            ("16 Jan 2024 21:15:29 -0000", "2024-01-16T21:15:29"),
            ("16 Jan 2024 21:15 EDT", "2024-01-16T21:15:00-04:00"),
            ("16 Jan 2024 21:15 CST", "2024-01-16T21:15:00-06:00"),
            ("16 Jan 2024 21:15 CDT", "2024-01-16T21:15:00-05:00"),
            ("16 Jan 2024 21:15 MST", "2024-01-16T21:15:00-07:00"),
            ("16 Jan 2024 21:15 MDT", "2024-01-16T21:15:00-06:00"),
            ("16 Jan 2024 21:15 PST", "2024-01-16T21:15:00-08:00"),
            ("16 Jan 2024 21:15 PDT", "2024-01-16T21:15:00-07:00"),
            ("6 Dec 2024 21:15:29", "2024-12-06T21:15:29"),
            ("Tue Jan 16 21:15:29 2024", "2024-01-16T21:15:29"),
            ("Jan 16, 2024 09:15:29 PM", "2024-01-16T21:15:29"),
            ("16 Jan 2024", "2024-01-16"),
            ("on 16 Jan 2024 21:15:29", "2024-01-16T21:15:29"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "Jan",
            "16 Foo 2024 21:15:29",
            "16 Jan1 2024 21:15:29",
            "116 Jan 2024 21:15:29",
            "32 Jan 2024 21:15:29",
            "16 Jan 24 21:15:29",
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn no_text_causes_a_panic() {
        let text = "2024:04:06 下午 17:23:41.123 p.m. GMT+09:00 é";
        for (end, _) in text.char_indices() {
            for noise in ["", "9", ":", "é", "-", "+", "下", "a"] {
                let (start, rest) = text.split_at(end);
                for text in [format!("{start}{noise}"), format!("{start}{noise}{rest}")] {
                    Clock::read(&text);
                    Clock::read_with_month_name(&text);
                    Clock::read_iptc(&text, Some(&text));
                    zone(&text);
                }
            }
        }
    }
}
