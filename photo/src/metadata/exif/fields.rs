//! Looks up the fields of the primary image by tag and by type of value.

use ::exif::{Field, Tag, Value};

use super::super::text;
use super::directory::{ByteOrder, Directory, uints};

/// The fields of the primary image (IFD0 with its Exif, GPS and Interoperability IFDs), in the order of
/// the file. If a tag is given twice, the one in its own directory counts, then the first one.
pub(crate) struct Fields(Vec<Directory>);

impl Fields {
    pub(crate) fn new(directories: Vec<Directory>) -> Self {
        Self(directories)
    }

    /// All fields, each with the byte order in which it is stored: those that stand in their own directory,
    /// then the misplaced ones.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Field, ByteOrder)> {
        let all = |is_own: bool| {
            let fields = self
                .0
                .iter()
                .flat_map(|directory| directory.fields.iter().map(move |field| (directory, field)));
            fields
                .filter(move |(directory, field)| {
                    (field.tag.context() == directory.context) == is_own
                })
                .map(|(directory, field)| (field, directory.order))
        };
        all(true).chain(all(false))
    }

    pub(crate) fn get(&self, tag: Tag) -> Option<&Field> {
        self.all(tag).next()
    }

    fn all(&self, tag: Tag) -> impl Iterator<Item = &Field> {
        self.iter().map(|(field, _)| field).filter(move |field| field.tag == tag)
    }

    /// The first whole number of a value in the tag's own directory that is not negative.
    pub(crate) fn own_uint(&self, tag: Tag) -> Option<u32> {
        let own = self.0.iter().filter(|directory| directory.context == tag.context());
        let field = own.flat_map(|directory| &directory.fields).find(|field| field.tag == tag)?;
        uints(&field.value).into_iter().next()
    }

    /// The first whole number of a value that is not negative.
    pub(crate) fn uint(&self, tag: Tag) -> Option<u32> {
        self.uints(tag).next()
    }

    /// All whole numbers of a value that are not negative.
    pub(crate) fn uints(&self, tag: Tag) -> impl Iterator<Item = u32> {
        self.get(tag).into_iter().flat_map(|field| uints(&field.value))
    }

    /// The first of [`Self::numbers`].
    pub(crate) fn number(&self, tag: Tag) -> Option<f64> {
        self.numbers(tag)?.first().copied()
    }

    /// Rationals as numbers, which some programs write as whole or floating-point numbers. Absent if one
    /// has the denominator 0, which means unknown, or has an impossible magnitude.
    pub(crate) fn numbers(&self, tag: Tag) -> Option<Vec<f64>> {
        let numbers: Vec<f64> = match &self.get(tag)?.value {
            Value::Rational(values) => values.iter().map(|value| value.to_f64()).collect(),
            Value::SRational(values) => values.iter().map(|value| value.to_f64()).collect(),
            Value::Float(values) => values.iter().copied().map(f64::from).collect(),
            Value::Double(values) => values.clone(),
            value @ (Value::Byte(_)
            | Value::Short(_)
            | Value::Long(_)
            | Value::SByte(_)
            | Value::SShort(_)
            | Value::SLong(_)
            | Value::Ascii(_)
            | Value::Undefined(..)
            | Value::Unknown(..)) => uints(value).into_iter().map(f64::from).collect(),
        };
        numbers.iter().all(is_measurable).then_some(numbers)
    }

    /// A value as readable text; absent if nothing readable is left.
    pub(crate) fn text(&self, tag: Tag) -> Option<String> {
        value_text(&self.get(tag)?.value)
    }

    /// The texts of a tag that is given several times.
    pub(crate) fn texts(&self, tag: Tag) -> impl Iterator<Item = String> {
        self.all(tag).filter_map(|field| value_text(&field.value))
    }
}

/// Whether a number has a plausible magnitude. Numbers of type DOUBLE reach far beyond those that DynamoDB
/// accepts, 1E-130 to 9.99E+125 (Developer Guide, "Supported data types and naming rules"); a whole number
/// that is stored as DOUBLE by mistake is around 5E-324.
fn is_measurable(number: &f64) -> bool {
    *number == 0.0 || (1e-30..=1e30).contains(&number.abs())
}

/// A value as readable text; absent if nothing readable is left.
pub(crate) fn value_text(value: &Value) -> Option<String> {
    match value {
        // In most files, bytes after the first NUL are leftover memory. exiftool drops them too.
        Value::Ascii(strings) => text::plain_bytes(strings.first()?),
        // Some writers store text as bytes, or a number in place of a name.
        Value::Byte(bytes) | Value::Undefined(bytes, _) => text::plain_utf8(bytes),
        Value::Short(_) | Value::Long(_) => Some(value.get_uint(0)?.to_string()),
        Value::Rational(_)
        | Value::SByte(_)
        | Value::SShort(_)
        | Value::SLong(_)
        | Value::SRational(_)
        | Value::Float(_)
        | Value::Double(_)
        | Value::Unknown(..) => None,
    }
}

/// The number of elements of a value: bytes of a text or a blob, numbers of any other type.
pub(crate) fn count(value: &Value) -> usize {
    match value {
        Value::Byte(values) | Value::Undefined(values, _) => values.len(),
        Value::Ascii(strings) => strings.iter().map(|string| string.len() + 1).sum(),
        Value::Short(values) => values.len(),
        Value::Long(values) => values.len(),
        Value::Rational(values) => values.len(),
        Value::SByte(values) => values.len(),
        Value::SShort(values) => values.len(),
        Value::SLong(values) => values.len(),
        Value::SRational(values) => values.len(),
        Value::Float(values) => values.len(),
        Value::Double(values) => values.len(),
        Value::Unknown(..) => 1,
    }
}

#[cfg(test)]
mod tests {
    use ::exif::{Field, Tag, Value};

    use crate::LocationPolicy;
    use crate::metadata::sample::{ascii, block, facts, field, jpeg, read};

    fn make(bytes: &[u8]) -> Option<String> {
        let value = Value::Ascii(vec![bytes.to_vec()]);
        facts(&[field(Tag::Make, value)]).camera.make
    }

    /// The block with the type of the tag's entry changed from ASCII (2) to `field_type`.
    fn retyped(fields: &[Field], tag: Tag, field_type: u8, little_endian: bool) -> Vec<u8> {
        let mut block = block(fields, little_endian);
        let (entry, type_byte) = if little_endian {
            ([tag.number().to_le_bytes(), [2, 0]].concat(), 2)
        } else {
            ([tag.number().to_be_bytes(), [0, 2]].concat(), 3)
        };
        let at = block.windows(4).position(|bytes| bytes == entry).unwrap();
        block[at + type_byte] = field_type;
        block
    }

    #[test]
    fn trailing_nuls_and_surrounding_spaces_are_trimmed() {
        assert_eq!(make(b"SONY \0\0 \0").as_deref(), Some("SONY"));
        assert_eq!(make(b"  SONY").as_deref(), Some("SONY"));
    }

    #[test]
    fn an_empty_or_blank_text_is_absent() {
        for bytes in [&b""[..], b"   ", b"\0\0\0", b" \0 ", b"\x01\x02"] {
            assert_eq!(make(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn names_stored_with_other_types_are_read() {
        let make = |value| facts(&[field(Tag::Make, value)]).camera.make;
        assert_eq!(make(Value::Byte(b"SONY\0".to_vec())).as_deref(), Some("SONY"));
        assert_eq!(make(Value::Undefined(b"SONY ".to_vec(), 0)).as_deref(), Some("SONY"));
        assert_eq!(make(Value::Undefined(vec![0xE9, 1, 2], 0)), None);
        assert_eq!(make(Value::Short(vec![450])).as_deref(), Some("450"));
        assert_eq!(make(Value::Ascii(vec![b"450".to_vec()])).as_deref(), Some("450"));
        assert_eq!(make(Value::Float(vec![1.5])), None);
    }

    #[test]
    fn bytes_after_the_first_nul_are_dropped() {
        assert_eq!(make(b"SONY\0garbage").as_deref(), Some("SONY"));
    }

    #[test]
    fn text_that_is_not_utf8_is_latin_1() {
        assert_eq!(make("Léon".as_bytes()).as_deref(), Some("Léon"));
        assert_eq!(make(b"L\xe9on").as_deref(), Some("Léon"));
        assert_eq!(make(b"\xa9 2008\x85").as_deref(), Some("© 2008"));
        let long_and_cut = "é".repeat(2000);
        assert!(make(&long_and_cut.as_bytes()[1..]).unwrap().starts_with("©Ã©Ã"));
        assert!(make(long_and_cut.as_bytes()).unwrap().starts_with("éé"));
        assert!(make(&[b"a", long_and_cut.as_bytes()].concat()).unwrap().starts_with("aéé"));
    }

    #[test]
    fn a_camera_text_is_cut_at_512_bytes() {
        let make = make(&[b'a'; 2000]).unwrap();
        assert_eq!(make, format!("{}…", "a".repeat(509)));
    }

    #[test]
    fn a_text_of_exif_3_type_utf8_is_read_in_both_byte_orders() {
        for (text, little_endian) in
            [("富士フイルム", false), ("富士フイルム", true), ("ü", false), ("ü", true)]
        {
            let block = retyped(&[ascii(Tag::Make, text)], Tag::Make, 129, little_endian);
            let facts = read(&jpeg(&block), LocationPolicy::Exact);
            assert_eq!(facts.camera.make.as_deref(), Some(text));
        }
    }

    #[test]
    fn a_text_of_exif_3_type_utf8_that_exceeds_the_block_is_absent() {
        let fields = [ascii(Tag::Make, "Canon EOS")];
        let mut block = retyped(&fields, Tag::Make, 129, false);
        block.truncate(block.len() - 3);
        let facts = read(&jpeg(&block), LocationPolicy::Exact);
        assert_eq!(facts.camera.make, None);
    }

    #[test]
    fn numbers_of_impossible_magnitude_are_absent() {
        let f_number = |value| facts(&[field(Tag::FNumber, value)]).exposure.f_number;
        assert_eq!(f_number(Value::Double(vec![1e30])), Some(1e30));
        assert_eq!(f_number(Value::Double(vec![1e-30])), Some(1e-30));
        for wild in [1e-200, 1e200, 5e-324, 1.1e30, 0.9e-30, f64::MAX, f64::INFINITY, f64::NAN] {
            assert_eq!(f_number(Value::Double(vec![wild])), None, "{wild:e}");
            let facts = facts(&[
                field(Tag::ExposureTime, Value::Double(vec![wild])),
                field(Tag::FocalLength, Value::Double(vec![wild])),
                field(Tag::GPSAltitude, Value::Double(vec![wild])),
            ]);
            assert_eq!(facts.exposure, Default::default(), "{wild:e}");
        }
        assert_eq!(f_number(Value::Float(vec![f32::MAX])), None);
        assert_eq!(f_number(Value::Float(vec![f32::MIN_POSITIVE / 2.0])), None);
    }
}
