//! The place where a photo was taken.

use ::exif::Tag;

use super::exif::fields::Fields;

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

/// Reads GPSLatitude (0x0002), GPSLongitude (0x0004) and GPSAltitude (0x0006) (clause 4.6.6).
pub(super) fn location(fields: &Fields, policy: LocationPolicy) -> Option<Location> {
    match policy {
        LocationPolicy::Exact => Some(rounded(exact_location(fields)?, EXACT_DECIMALS)),
        LocationPolicy::Rounded => {
            Some(Location { altitude: None, ..rounded(exact_location(fields)?, ROUNDED_DECIMALS) })
        }
        LocationPolicy::Off => None,
    }
}

fn exact_location(fields: &Fields) -> Option<Location> {
    if measurement_is_void(fields) {
        return None;
    }
    let latitude = coordinate(fields, Tag::GPSLatitude, Tag::GPSLatitudeRef, ["N", "S"], 90.0)?;
    let longitude = coordinate(fields, Tag::GPSLongitude, Tag::GPSLongitudeRef, ["E", "W"], 180.0)?;
    // Cameras without a GPS fix write zeros. The point 0, 0 lies in the open Atlantic.
    let no_fix = latitude == 0.0 && longitude == 0.0;
    (!no_fix).then(|| Location { latitude, longitude, altitude: altitude(fields) })
}

/// Whether GPSStatus (0x0009) is V: the measurement was interrupted, so the place is an old one.
fn measurement_is_void(fields: &Fields) -> bool {
    fields.text(Tag::GPSStatus).is_some_and(|status| status.eq_ignore_ascii_case("V"))
}

/// A coordinate in signed degrees. `directions` are the letters of the positive and the negative half.
fn coordinate(
    fields: &Fields,
    tag: Tag,
    direction_tag: Tag,
    directions: [&str; 2],
    limit: f64,
) -> Option<f64> {
    let degrees = degrees(&fields.numbers(tag)?).filter(|degrees| *degrees <= limit)?;
    let direction = fields.text(direction_tag)?;
    let [positive, negative] = directions;
    if direction.eq_ignore_ascii_case(positive) {
        Some(degrees)
    } else if direction.eq_ignore_ascii_case(negative) {
        Some(-degrees)
    } else {
        None
    }
}

/// Converts degrees, minutes and seconds to degrees. Minutes may be decimal, with 0 seconds (clause
/// 4.6.6); some software omits zeros at the end.
fn degrees(parts: &[f64]) -> Option<f64> {
    let degrees = *parts.first()?;
    let minutes = parts.get(1).copied().unwrap_or(0.0);
    let seconds = parts.get(2).copied().unwrap_or(0.0);
    let sixty = 0.0..60.0;
    let possible = degrees >= 0.0 && sixty.contains(&minutes) && sixty.contains(&seconds);
    possible.then_some(degrees + minutes / 60.0 + seconds / 3600.0)
}

/// GPSAltitude with the sign of GPSAltitudeRef (0x0005): 1 is below sea level; 0 and no reference are
/// above it. EXIF 3.0 (clause 4.6.7.1.6) uses 0 and 1 for ellipsoidal heights, and adds 2 and 3 for above
/// and below sea level.
fn altitude(fields: &Fields) -> Option<f64> {
    let metres = fields.number(Tag::GPSAltitude)?;
    let is_below = matches!(fields.uint(Tag::GPSAltitudeRef), Some(1 | 3));
    Some(if is_below { -metres.abs() } else { metres }).filter(|metres| ALTITUDES.contains(metres))
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

    use super::super::sample::{ascii, byte, facts, facts_under, field, rational};
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
        assert_eq!(latitude(&[(35, 1), (60, 1), (0, 1)]), None);
        assert_eq!(latitude(&[(35, 1), (0, 1), (60, 1)]), None);
        let negative = Value::SRational(vec![(-35, 1).into(), (39, 1).into(), (0, 1).into()]);
        let mut fields = tokyo();
        fields[1] = field(Tag::GPSLatitude, negative);
        assert_eq!(facts(&fields).location, None);
    }

    #[test]
    fn two_zeros_are_no_fix_but_one_zero_is_a_place() {
        let zero = [(0, 1), (0, 1), (0, 1)];
        assert_eq!(facts(&place(&zero, "N", &zero, "E")).location, None);
        let equator = facts(&place(&zero, "S", &[(9, 1)], "E")).location.unwrap();
        assert_eq!((equator.latitude, equator.longitude), (0.0, 9.0));
        assert!(equator.latitude.is_sign_positive());
    }

    #[test]
    fn a_void_measurement_gives_no_place() {
        assert_eq!(tokyo_with([ascii(Tag::GPSStatus, "V")]), None);
        assert!(tokyo_with([ascii(Tag::GPSStatus, "A")]).is_some());
    }

    #[test]
    fn altitude_is_in_metres_and_negative_below_sea_level() {
        let metres = || rational(Tag::GPSAltitude, &[(4305, 10)]);
        assert_eq!(altitude_of([metres()]), Some(430.5));
        for (reference, expected) in [(0, 430.5), (1, -430.5), (2, 430.5), (3, -430.5)] {
            let altitude = altitude_of([metres(), byte(Tag::GPSAltitudeRef, reference)]);
            assert_eq!(altitude, Some(expected), "reference {reference}");
        }
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
