//! The place where a photo was taken.

use ::exif::Tag;
use chrono::NaiveDateTime;

use super::exif::fields::Fields;
use super::time::{self, TakenAt};
use super::xmp::{Property, Xmp};

/// Decimals of an exact coordinate: 0.0000001 degrees are about 1 cm.
const EXACT_DECIMALS: i32 = 7;

/// Decimals of a rounded coordinate: 0.01 degrees are about 1 km.
const ROUNDED_DECIMALS: i32 = 2;

/// Plausible altitudes in metres: from below the deepest sea to above any crewed orbit.
const ALTITUDES: std::ops::RangeInclusive<f64> = -12_000.0..=1_000_000.0;

/// The precision with which a photo's place goes into the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocationPolicy {
    /// The place as the file gives it, with all other GPS tags.
    Exact,
    /// Latitude and longitude with two decimals (about 1 km), without altitude and other GPS tags.
    Rounded,
    /// Neither place nor GPS tags.
    Off,
}

/// A place on Earth.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct Location {
    /// Latitude in degrees, -90 to 90, positive in the north.
    pub latitude: f64,
    /// Longitude in degrees, -180 to 180, positive in the east.
    pub longitude: f64,
    /// Altitude in metres, negative below sea level.
    pub altitude: Option<f64>,
}

/// A place with what says whether it is where the photo was taken.
#[derive(Debug)]
pub(super) struct Fix {
    location: Location,
    /// Whether the measurement was interrupted, so that the place may be an old one.
    is_void: bool,
    /// The time of the measurement in UTC.
    time: Option<NaiveDateTime>,
}

impl Fix {
    /// A fix at these degrees; `None` if a receiver found no place.
    fn new(latitude: f64, longitude: f64, altitude: Option<f64>) -> Option<Fix> {
        // Cameras without a GPS fix write zeros. The point 0, 0 lies in the open Atlantic.
        let is_found = latitude != 0.0 || longitude != 0.0;
        let altitude = altitude.filter(|metres| ALTITUDES.contains(metres));
        let location = Location { latitude, longitude, altitude };
        is_found.then_some(Fix { location, is_void: false, time: None })
    }

    /// The fix with its status, A or V, and its time.
    fn measured(self, status: Option<&str>, time: Option<NaiveDateTime>) -> Fix {
        let is_void = status.is_some_and(|status| status.eq_ignore_ascii_case("V"));
        Fix { is_void, time, ..self }
    }

    /// The place as the policy allows it, unless it is an old one: the measurement is void, and its time is known
    /// not to be near the photo's. DJI's drones write good places as void ones, without a time.
    pub fn location(&self, taken: Option<&TakenAt>, policy: LocationPolicy) -> Option<Location> {
        let is_old = || taken.zip(self.time).is_some_and(|(taken, time)| !taken.is_near(time));
        if self.is_void && is_old() {
            return None;
        }
        match policy {
            LocationPolicy::Exact => Some(rounded(self.location, EXACT_DECIMALS)),
            LocationPolicy::Rounded => {
                Some(Location { altitude: None, ..rounded(self.location, ROUNDED_DECIMALS) })
            }
            LocationPolicy::Off => None,
        }
    }
}

/// Reads GPSLatitude (0x0002), GPSLongitude (0x0004), GPSAltitude (0x0006) and GPSStatus (0x0009) (clause
/// 4.6.6).
pub(super) fn of_exif(fields: &Fields) -> Option<Fix> {
    let latitude = coordinate(fields, Tag::GPSLatitude, Tag::GPSLatitudeRef, &LATITUDE)?;
    let longitude = coordinate(fields, Tag::GPSLongitude, Tag::GPSLongitudeRef, &LONGITUDE)?;
    let fix = Fix::new(latitude, longitude, altitude(fields))?;
    Some(fix.measured(fields.text(Tag::GPSStatus).as_deref(), time::gps_time(fields)))
}

/// Reads exif:GPSLatitude, exif:GPSLongitude, exif:GPSAltitude and exif:GPSStatus (XMP part 2, Exif
/// namespace).
pub(super) fn of_xmp(xmp: &Xmp) -> Option<Fix> {
    let of_axis = |place, direction, axis| {
        coordinate_text(xmp.get(place)?, xmp.get(direction).unwrap_or_default(), axis)
    };
    let latitude = of_axis(Property::GpsLatitude, Property::GpsLatitudeRef, &LATITUDE)?;
    let longitude = of_axis(Property::GpsLongitude, Property::GpsLongitudeRef, &LONGITUDE)?;
    let is_below = xmp.get(Property::GpsAltitudeRef).is_some_and(|text| ["1", "3"].contains(&text));
    let altitude = xmp.get(Property::GpsAltitude).and_then(rational);
    let altitude = altitude.map(|metres| if is_below { -metres.abs() } else { metres });
    let fix = Fix::new(latitude, longitude, altitude)?;
    Some(fix.measured(xmp.get(Property::GpsStatus), xmp.gps_time()))
}

/// The words for the two directions of a coordinate, and its greatest value.
struct Axis {
    positive: &'static [&'static str],
    negative: &'static [&'static str],
    limit: f64,
}

/// Directions are letters (clause 4.6.6), but some programs write words. German O is east and French O is
/// west, so neither is read.
const LATITUDE: Axis = Axis {
    positive: &["n", "north", "northern", "nord", "norte"],
    negative: &["s", "south", "southern", "sud", "süd", "sur"],
    limit: 90.0,
};
const LONGITUDE: Axis = Axis {
    positive: &["e", "east", "eastern", "est", "este"],
    negative: &["w", "west", "western"],
    limit: 180.0,
};

impl Axis {
    /// 1 or -1, by the first word of the direction.
    fn sign(&self, direction: &str) -> Option<f64> {
        let word = direction.split(|c: char| !c.is_alphabetic()).find(|word| !word.is_empty())?;
        let word = word.to_lowercase();
        let is_one_of = |words: &[&str]| words.contains(&word.as_str());
        let negative = || is_one_of(self.negative).then_some(-1.0);
        is_one_of(self.positive).then_some(1.0).or_else(negative)
    }

    /// The degrees in that direction, if there is such a place.
    fn place(&self, degrees: f64, direction: &str) -> Option<f64> {
        Some(degrees * self.sign(direction)?).filter(|_| (0.0..=self.limit).contains(&degrees))
    }
}

/// A coordinate in signed degrees.
fn coordinate(fields: &Fields, tag: Tag, direction: Tag, axis: &Axis) -> Option<f64> {
    axis.place(degrees(&fields.numbers(tag)?)?, &fields.text(direction)?)
}

/// A coordinate of XMP: `DDD,MM,SSk` or `DDD,MM.mmk`, where k is the direction (XMP part 2, GPSCoordinate).
/// Some programs write degrees with decimals, and a sign in place of the direction or, as Apple's, the direction
/// in a property of its own.
fn coordinate_text(text: &str, beside: &str, axis: &Axis) -> Option<f64> {
    let is_of_number = |c: char| c.is_ascii_digit() || c == '.';
    let parts = text.split(|c| !is_of_number(c)).filter(|part| !part.is_empty()).take(4);
    let parts = parts.map(|part| part.parse().ok()).collect::<Option<Vec<f64>>>()?;
    let direction = text.trim_end().rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    let is_signed = text.trim_start().starts_with(['-', '+']);
    let direction = if direction.is_empty() && !is_signed { beside } else { direction };
    match (parts.as_slice(), direction) {
        ([number], "") => {
            let sign = if text.trim_start().starts_with('-') { -1.0 } else { 1.0 };
            Some(sign * number).filter(|_| *number <= axis.limit)
        }
        ([] | [_, _, _, _, ..], _) => None,
        (parts, direction) => axis.place(degrees(parts)?, direction),
    }
}

/// A number of XMP, such as `4305/10` or `430.5`.
fn rational(text: &str) -> Option<f64> {
    let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
    let quotient =
        numerator.trim().parse::<f64>().ok()? / denominator.trim().parse::<f64>().ok()?;
    quotient.is_finite().then_some(quotient)
}

/// Converts degrees, minutes and seconds to degrees. Minutes may be decimal, with 0 seconds (clause
/// 4.6.6); some software omits zeros at the end, and some rounds minutes and seconds up to 60.
fn degrees(parts: &[f64]) -> Option<f64> {
    let degrees = *parts.first()?;
    let minutes = parts.get(1).copied().unwrap_or(0.0);
    let seconds = parts.get(2).copied().unwrap_or(0.0);
    let sixty = 0.0..=60.0;
    let possible = degrees >= 0.0 && sixty.contains(&minutes) && sixty.contains(&seconds);
    possible.then_some(degrees + minutes / 60.0 + seconds / 3600.0)
}

/// GPSAltitude with the sign of GPSAltitudeRef (0x0005): 1 is below sea level; 0 and no reference are
/// above it. EXIF 3.0 (clause 4.6.7.1.6) uses 0 and 1 for ellipsoidal heights, and adds 2 and 3 for above
/// and below sea level.
fn altitude(fields: &Fields) -> Option<f64> {
    let metres = fields.number(Tag::GPSAltitude)?;
    let is_below = matches!(fields.uint(Tag::GPSAltitudeRef), Some(1 | 3));
    Some(if is_below { -metres.abs() } else { metres })
}

fn rounded(location: Location, decimals: i32) -> Location {
    let factor = 10_f64.powi(decimals);
    // Adding 0 turns -0, which would be printed as "-0", into 0.
    let round = |value: f64| (value * factor).round() / factor + 0.0;
    Location {
        latitude: round(location.latitude),
        longitude: round(location.longitude),
        altitude: location.altitude.map(round),
    }
}

#[cfg(test)]
mod tests {
    use ::exif::{Field, Tag, Value};

    use super::super::sample::{
        ascii, block, byte, facts, facts_under, field, jpeg, jpeg_of, rational, read, xmp,
    };
    use super::*;

    type Parts<'a> = &'a [(u32, u32)];

    fn place(latitude: Parts, north: &str, longitude: Parts, east: &str) -> Vec<Field> {
        vec![
            ascii(Tag::GPSLatitudeRef, north),
            rational(Tag::GPSLatitude, latitude),
            ascii(Tag::GPSLongitudeRef, east),
            rational(Tag::GPSLongitude, longitude),
        ]
    }

    fn tokyo() -> Vec<Field> {
        place(&[(35, 1), (39, 1), (3089, 100)], "N", &[(139, 1), (44, 1), (4356, 100)], "E")
    }

    /// The latitude that is read for `parts` north, at longitude 10 east.
    fn latitude(parts: Parts) -> Option<f64> {
        let fields = place(parts, "N", &[(10, 1), (0, 1), (0, 1)], "E");
        facts(&fields).location.map(|place| place.latitude)
    }

    /// The longitude that is read for `parts` east, at latitude 10 north.
    fn longitude(parts: Parts) -> Option<f64> {
        let fields = place(&[(10, 1), (0, 1), (0, 1)], "N", parts, "E");
        facts(&fields).location.map(|place| place.longitude)
    }

    fn tokyo_with(other: impl IntoIterator<Item = Field>) -> Option<Location> {
        let mut fields = tokyo();
        fields.extend(other);
        facts(&fields).location
    }

    fn altitude_of(other: impl IntoIterator<Item = Field>) -> Option<f64> {
        tokyo_with(other).unwrap().altitude
    }

    #[test]
    fn degrees_minutes_and_seconds_become_signed_degrees_with_seven_decimals() {
        let location = facts(&tokyo()).location.unwrap();
        assert_eq!(location.latitude, 35.6585806);
        assert_eq!(location.longitude, 139.7454333);
        assert_eq!(location.altitude, None);
    }

    #[test]
    fn a_direction_of_xmp_may_stand_in_a_property_of_its_own() {
        let place = |latitude, longitude, refs: &str| {
            let packet =
                format!("exif:GPSLatitude='{latitude}' exif:GPSLongitude='{longitude}' {refs}");
            let location = read(&jpeg_of(&[&xmp(&packet)]), LocationPolicy::Exact).location;
            location.map(|location| (location.latitude, location.longitude))
        };
        let refs = "exif:GPSLatitudeRef='S' exif:GPSLongitudeRef='W'";
        assert_eq!(place("60.5", "68", refs), Some((-60.5, -68.0)));
        assert_eq!(place("60,30N", "68,0E", refs), Some((60.5, 68.0)));
        assert_eq!(place("-60.5", "+68", refs), Some((-60.5, 68.0)));
        assert_eq!(place("60.5", "-68", ""), Some((60.5, -68.0)));
    }

    #[test]
    fn south_and_west_are_negative_in_either_case_and_padded() {
        let parts = [(10, 1), (30, 1), (0, 1)];
        for (south, west) in [("S", "W"), ("s", "w"), ("S ", " W")] {
            let location = facts(&place(&parts, south, &parts, west)).location.unwrap();
            assert_eq!((location.latitude, location.longitude), (-10.5, -10.5));
        }
        let location = facts(&place(&parts, "n", &parts, "e")).location.unwrap();
        assert_eq!((location.latitude, location.longitude), (10.5, 10.5));
    }

    #[test]
    fn a_place_with_an_unknown_or_missing_direction_is_absent() {
        let parts = [(10, 1), (30, 1), (0, 1)];
        for (north, east) in [("X", "E"), ("N", "N"), ("E", "E"), ("", "E"), ("N", "  ")] {
            let fields = place(&parts, north, &parts, east);
            assert_eq!(facts(&fields).location, None, "{north:?} {east:?}");
        }
        for missing in 0..4 {
            let mut fields = place(&parts, "N", &parts, "E");
            fields.remove(missing);
            assert_eq!(facts(&fields).location, None, "without {missing}");
        }
    }

    #[test]
    fn decimal_minutes_and_missing_components_are_read() {
        assert_eq!(latitude(&[(35, 1), (395148, 10000), (0, 1)]), Some(35.65858));
        assert_eq!(latitude(&[(35, 1), (30, 1)]), Some(35.5));
        assert_eq!(latitude(&[(355, 10)]), Some(35.5));
    }

    #[test]
    fn a_place_with_a_zero_denominator_is_absent() {
        assert_eq!(latitude(&[(0, 0), (0, 0), (0, 0)]), None);
        assert_eq!(latitude(&[(35, 1), (39, 1), (0, 0)]), None);
        assert_eq!(latitude(&[(35, 0), (39, 1), (3, 1)]), None);
        assert_eq!(longitude(&[(35, 1), (0, 0), (3, 1)]), None);
    }

    #[test]
    fn a_place_out_of_range_is_absent() {
        assert_eq!(latitude(&[(90, 1), (0, 1), (0, 1)]), Some(90.0));
        assert_eq!(latitude(&[(90, 1), (0, 1), (1, 1)]), None);
        assert_eq!(longitude(&[(180, 1), (0, 1), (0, 1)]), Some(180.0));
        assert_eq!(longitude(&[(180, 1), (0, 1), (1, 1)]), None);
        assert_eq!(latitude(&[(35, 1), (61, 1), (0, 1)]), None);
        assert_eq!(latitude(&[(35, 1), (0, 1), (601, 10)]), None);
        let negative = Value::SRational(vec![(-35, 1).into(), (39, 1).into(), (0, 1).into()]);
        let mut fields = tokyo();
        fields[1] = field(Tag::GPSLatitude, negative);
        assert_eq!(facts(&fields).location, None);
    }

    #[test]
    fn minutes_and_seconds_of_60_carry() {
        assert_eq!(latitude(&[(45, 1), (0, 1), (6000, 100)]), Some(45.0166667));
        assert_eq!(latitude(&[(45, 1), (59, 1), (60, 1)]), Some(46.0));
        assert_eq!(latitude(&[(45, 1), (60, 1), (0, 1)]), Some(46.0));
        assert_eq!(latitude(&[(45, 1), (60, 1)]), Some(46.0));
        assert_eq!(latitude(&[(89, 1), (59, 1), (60, 1)]), Some(90.0));
        assert_eq!(latitude(&[(89, 1), (60, 1), (60, 1)]), None);
        assert_eq!(longitude(&[(179, 1), (60, 1), (0, 1)]), Some(180.0));
    }

    #[test]
    fn directions_may_be_words() {
        let parts = [(10, 1), (30, 1), (0, 1)];
        for (south, west) in
            [("South", "West"), ("SOUTH", "west"), ("S.", "W latitude"), ("süd", "W")]
        {
            let location = facts(&place(&parts, south, &parts, west)).location.unwrap();
            assert_eq!((location.latitude, location.longitude), (-10.5, -10.5), "{south} {west}");
        }
        let location = facts(&place(&parts, "North", &parts, "East")).location.unwrap();
        assert_eq!((location.latitude, location.longitude), (10.5, 10.5));
        for (north, east) in [("None", "E"), ("N/A", "Error"), ("Null", "E"), ("North", "O")] {
            let fields = place(&parts, north, &parts, east);
            assert_eq!(facts(&fields).location, None, "{north} {east}");
        }
    }

    #[test]
    fn a_gps_directory_inside_the_exif_directory_is_read() {
        let make = ascii(Tag::DateTimeOriginal, "2024:01:18 12:35:41");
        let mut fields = tokyo();
        fields.push(make);
        for little_endian in [false, true] {
            // IFD0 has two pointers. Without the one to GPS, which is put into the Exif directory.
            let file = jpeg(&moved_gps_pointer(&block(&fields, little_endian), little_endian));
            let facts = read(&file, LocationPolicy::Exact);
            assert_eq!(facts.location.unwrap().latitude, 35.6585806);
            assert!(facts.taken_at.is_some());
        }
    }

    /// The block with a copy of the Exif directory behind it, in which the pointer to GPS stands.
    fn moved_gps_pointer(block: &[u8], little_endian: bool) -> Vec<u8> {
        let short =
            |value: u16| if little_endian { value.to_le_bytes() } else { value.to_be_bytes() };
        let long =
            |value: u32| if little_endian { value.to_le_bytes() } else { value.to_be_bytes() };
        let entry =
            |tag: u16| block.windows(4).position(|four| four == [short(tag), short(4)].concat());
        let (exif, gps) = (entry(0x8769).unwrap(), entry(0x8825).unwrap());
        let date = block.windows(2).position(|two| two == short(0x9003)).unwrap();
        let mut moved = block.to_vec();
        moved[exif + 8..exif + 12].copy_from_slice(&long(block.len() as u32));
        moved.extend(short(2));
        moved.extend(&block[gps..gps + 12]);
        moved.extend(&block[date..date + 12]);
        moved.extend([0; 4]);
        // A tag that means nothing takes its place.
        moved[gps..gps + 2].copy_from_slice(&short(0xFDE8));
        moved
    }

    #[test]
    fn two_zeros_are_no_fix_but_one_zero_is_a_place() {
        let zero = [(0, 1), (0, 1), (0, 1)];
        assert_eq!(facts(&place(&zero, "N", &zero, "E")).location, None);
        let equator = facts(&place(&zero, "S", &[(9, 1)], "E")).location.unwrap();
        assert_eq!((equator.latitude, equator.longitude), (0.0, 9.0));
        assert!(equator.latitude.is_sign_positive());
        let greenwich = facts(&place(&[(51, 1)], "N", &zero, "E")).location.unwrap();
        assert_eq!((greenwich.latitude, greenwich.longitude), (51.0, 0.0));
    }

    #[test]
    fn a_void_measurement_without_time_keeps_its_place() {
        assert!(tokyo_with([ascii(Tag::GPSStatus, "V")]).is_some());
        assert!(tokyo_with([ascii(Tag::GPSStatus, "A")]).is_some());
    }

    /// The place of a void measurement at 08:00 UTC, of a photo with this time and offset.
    fn void(taken: Option<(&str, &str)>) -> Option<Location> {
        let mut fields = vec![
            ascii(Tag::GPSStatus, "V"),
            rational(Tag::GPSTimeStamp, &[(8, 1), (0, 1), (0, 1)]),
            ascii(Tag::GPSDateStamp, "2024:04:06"),
        ];
        if let Some((date, offset)) = taken {
            fields.push(ascii(Tag::DateTimeOriginal, date));
            fields.push(ascii(Tag::OffsetTimeOriginal, offset));
        }
        tokyo_with(fields)
    }

    #[test]
    fn a_void_measurement_gives_a_place_if_its_time_is_near_the_photos() {
        for (date, offset) in [
            ("2024:04:06 17:00:20", "+09:00"),
            ("2024:04:06 17:04:00", "+09:00"),
            ("2024:04:06 17:05:00", "+09:00"),
            ("2024:04:06 16:56:00", "+09:00"),
            ("2024:04:06 17:00:20", ""), // as by a clock of some time zone
        ] {
            assert!(void(Some((date, offset))).is_some(), "{date} {offset}");
        }
        for (date, offset) in [
            ("2024:04:06 17:06:00", "+09:00"),
            ("2024:04:06 18:00:00", "+09:00"),
            ("2024:04:07 17:00:20", "+09:00"),
            ("2024:04:06 17:07:00", ""),
            ("2024:04:09 17:00:20", ""),
        ] {
            assert_eq!(void(Some((date, offset))), None, "{date} {offset}");
        }
        assert_eq!(void(None), None, "its own time is not the photo's");
    }

    fn of_packet(attributes: &str, policy: LocationPolicy) -> Option<Location> {
        read(&jpeg_of(&[&xmp(attributes)]), policy).location
    }

    #[test]
    fn xmps_place_is_read_in_each_of_its_forms() {
        for (latitude, longitude) in [
            ("43,4.584N", "79,4.62W"),
            ("43,4,35.04N", "79,4,37.2W"),
            ("43,3,95.04N", "79,4,37.2W"),
            ("43.0764N", "79.077 W"),
            ("43.0764", "-79.077"),
            ("43 deg 4' 35.04\u{201d} North", "79\u{b0}4'37.2 West"),
        ] {
            let attributes =
                format!("exif:GPSLatitude=\"{latitude}\" exif:GPSLongitude=\"{longitude}\"");
            let location = of_packet(&attributes, LocationPolicy::Exact);
            let expected = (!latitude.contains("95")).then_some((43.0764, -79.077));
            assert_eq!(
                location.map(|place| (place.latitude, place.longitude)),
                expected,
                "{latitude}"
            );
        }
        for latitude in
            ["", "N", "43,4.584", "43,4.584X", "91,0N", "43,61N", "1,2,3,4N", "4.3.1N", "nan"]
        {
            let attributes = format!("exif:GPSLatitude='{latitude}' exif:GPSLongitude='79,4.62W'");
            assert_eq!(of_packet(&attributes, LocationPolicy::Exact), None, "{latitude}");
        }
        for (latitude, longitude) in [("91", "10"), ("-91", "10"), ("10", "181"), ("10", "-181")] {
            let attributes =
                format!("exif:GPSLatitude='{latitude}' exif:GPSLongitude='{longitude}'");
            assert_eq!(of_packet(&attributes, LocationPolicy::Exact), None, "{attributes}");
        }
        let zeros = "exif:GPSLatitude='0,0N' exif:GPSLongitude='0,0E'";
        assert_eq!(of_packet(zeros, LocationPolicy::Exact), None);
    }

    const NIAGARA: &str = "exif:GPSLatitude='43,4.584N' exif:GPSLongitude='79,4.62W'
        exif:GPSAltitude='4305/10' exif:GPSAltitudeRef='1'";

    #[test]
    fn xmps_altitude_has_the_sign_of_its_reference() {
        for (altitude, reference, expected) in [
            ("4305/10", "0", Some(430.5)),
            ("4305/10", "1", Some(-430.5)),
            ("4305/10", "2", Some(430.5)),
            ("4305/10", "3", Some(-430.5)),
            ("-4305/10", "1", Some(-430.5)),
            ("-4305/10", "0", Some(-430.5)),
            ("430.5", "", Some(430.5)),
            (" 4305 / 10 ", "", Some(430.5)),
            ("1/0", "", None),
            ("high", "", None),
        ] {
            let attributes = format!(
                "exif:GPSLatitude='43,4N' exif:GPSLongitude='79,4W' exif:GPSAltitude='{altitude}'
                exif:GPSAltitudeRef='{reference}'"
            );
            let location = of_packet(&attributes, LocationPolicy::Exact).unwrap();
            assert_eq!(location.altitude, expected, "{altitude} {reference}");
        }
    }

    #[test]
    fn the_policy_holds_for_xmps_place() {
        let exact = Location { latitude: 43.0764, longitude: -79.077, altitude: Some(-430.5) };
        let rounded = Location { latitude: 43.08, longitude: -79.08, altitude: None };
        assert_eq!(of_packet(NIAGARA, LocationPolicy::Exact), Some(exact));
        assert_eq!(of_packet(NIAGARA, LocationPolicy::Rounded), Some(rounded));
        assert_eq!(of_packet(NIAGARA, LocationPolicy::Off), None);
    }

    #[test]
    fn xmps_place_counts_only_where_exif_has_none() {
        let with_exif = |fields: &[Field]| {
            let exif = [b"Exif\0\0", &block(fields, false)[..]].concat();
            let place = read(&jpeg_of(&[&exif, &xmp(NIAGARA)]), LocationPolicy::Exact).location;
            place.map(|place| place.latitude)
        };
        assert_eq!(with_exif(&tokyo()), Some(35.6585806));
        assert_eq!(with_exif(&tokyo()[..2]), Some(43.0764));
        let zeros = place(&[(0, 1)], "N", &[(0, 1)], "E");
        assert_eq!(with_exif(&zeros), Some(43.0764));
        let mut void = tokyo();
        void.extend([
            ascii(Tag::GPSStatus, "V"),
            rational(Tag::GPSTimeStamp, &[(8, 1), (0, 1), (0, 1)]),
            ascii(Tag::GPSDateStamp, "2024:04:06"),
            ascii(Tag::DateTimeOriginal, "2024:04:09 17:00:20"),
        ]);
        assert_eq!(with_exif(&void), None, "the same receiver's place");
    }

    #[test]
    fn a_void_place_of_xmp_is_absent_if_its_time_is_not_near() {
        let void = |time: &str| {
            let rest = "exif:GPSStatus='V' exif:DateTimeOriginal='2024-04-06T17:00:20+09:00'";
            let attributes = format!("{NIAGARA} {rest} exif:GPSTimeStamp='{time}'");
            of_packet(&attributes, LocationPolicy::Exact).is_some()
        };
        assert!(void("2024-04-06T08:00:00Z"));
        assert!(void("2024-04-06T10:00:00+02:00"));
        assert!(!void("2024-04-06T09:00:00Z"));
        assert!(void(""), "its time is not known");
    }

    #[test]
    fn altitude_is_in_metres_and_negative_below_sea_level() {
        let metres = || rational(Tag::GPSAltitude, &[(4305, 10)]);
        assert_eq!(altitude_of([metres()]), Some(430.5));
        for (reference, expected) in [(0, 430.5), (1, -430.5), (2, 430.5), (3, -430.5)] {
            let altitude = altitude_of([metres(), byte(Tag::GPSAltitudeRef, reference)]);
            assert_eq!(altitude, Some(expected), "reference {reference}");
        }
        let below = field(Tag::GPSAltitude, Value::SRational(vec![(-4305, 10).into()]));
        assert_eq!(altitude_of([below.clone(), byte(Tag::GPSAltitudeRef, 1)]), Some(-430.5));
        assert_eq!(altitude_of([below]), Some(-430.5));
    }

    #[test]
    fn an_altitude_of_zero_over_zero_is_absent_and_the_place_is_kept() {
        let location = tokyo_with([rational(Tag::GPSAltitude, &[(0, 0)])]).unwrap();
        assert_eq!(location.altitude, None);
    }

    #[test]
    fn an_implausible_altitude_is_absent() {
        let metres = |metres| rational(Tag::GPSAltitude, &[(metres, 1)]);
        assert_eq!(altitude_of([metres(420_000)]), Some(420_000.0));
        assert_eq!(altitude_of([metres(u32::MAX)]), None);
        assert_eq!(altitude_of([metres(12_001), byte(Tag::GPSAltitudeRef, 1)]), None);
    }

    #[test]
    fn a_rounded_place_has_two_decimals_and_no_altitude() {
        let mut fields = tokyo();
        fields.push(rational(Tag::GPSAltitude, &[(4305, 10)]));
        let location = facts_under(&fields, LocationPolicy::Rounded).location;
        let expected = Location { latitude: 35.66, longitude: 139.75, altitude: None };
        assert_eq!(location, Some(expected));
    }

    #[test]
    fn no_place_is_given_if_location_is_off() {
        assert_eq!(facts_under(&tokyo(), LocationPolicy::Off).location, None);
    }
}
