//! The fields of the primary image, by tag and by the kind of value that is wanted.

use ::exif::{Exif, Field, In, Tag, Value};

use super::text;

/// EXIF 3.0 (clause 4.6.2) adds UTF-8 text as this field type; the EXIF library does not know it.
const TYPE_UTF8: u16 = 129;

/// The fields of the primary image (IFD0 with its Exif, GPS and Interoperability IFDs), in the
/// order of the file. Where a tag is given twice, the first one counts.
pub(super) struct Fields<'a> {
    exif: &'a Exif,
    primary: Vec<&'a Field>,
}

impl<'a> Fields<'a> {
    /// Reads the primary fields, as long as their values can be true.
    ///
    /// The library copies a value when its field is first looked at. In a sound block no values
    /// overlap, so together they hold no more elements than the block has bytes. A block made to
    /// exhaust memory points thousands of fields at the same bytes: reading stops where that shows.
    pub(super) fn of(exif: &'a Exif) -> Self {
        let mut elements = 0;
        let primary = exif
            .fields()
            .take_while(|field| field.ifd_num == In::PRIMARY)
            .take_while(|field| {
                elements += count(&field.value);
                elements <= exif.buf().len()
            })
            .collect();
        Self { exif, primary }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'a Field> {
        self.primary.iter().copied()
    }

    pub(super) fn exif(&self) -> &'a Exif {
        self.exif
    }

    /// A BYTE, SHORT or LONG, the first one of an array.
    pub(super) fn uint(&self, tag: Tag) -> Option<u32> {
        self.value(tag)?.get_uint(0)
    }

    /// The first of [`Self::numbers`].
    pub(super) fn number(&self, tag: Tag) -> Option<f64> {
        self.numbers(tag)?.first().copied()
    }

    /// Rationals as numbers; absent where one has the denominator 0, which means unknown.
    pub(super) fn numbers(&self, tag: Tag) -> Option<Vec<f64>> {
        let numbers: Vec<f64> = match self.value(tag)? {
            Value::Rational(values) => values.iter().map(|value| value.to_f64()).collect(),
            Value::SRational(values) => values.iter().map(|value| value.to_f64()).collect(),
            _ => return None,
        };
        numbers.iter().all(|number| number.is_finite()).then_some(numbers)
    }

    /// A text as people read it; absent where nothing is left of it.
    pub(super) fn text(&self, tag: Tag) -> Option<String> {
        self.value_text(self.value(tag)?)
    }

    /// The same for a value at hand.
    pub(super) fn value_text(&self, value: &Value) -> Option<String> {
        match value {
            // What follows the first NUL is leftover memory in most files that have it; exiftool
            // cuts it off too.
            Value::Ascii(strings) => text::plain_bytes(strings.first()?),
            Value::Unknown(TYPE_UTF8, count, entry) => {
                text::plain_bytes(self.utf8(*count, *entry)?)
            }
            _ => None,
        }
    }

    fn value(&self, tag: Tag) -> Option<&'a Value> {
        self.iter().find(|field| field.tag == tag).map(|field| &field.value)
    }

    /// The `count` bytes of a UTF-8 value. Up to four stand in the IFD entry itself, at `entry`;
    /// more of them stand where the entry points (TIFF 6.0, section 2).
    fn utf8(&self, count: u32, entry: u32) -> Option<&'a [u8]> {
        let block = self.exif.buf();
        let inside = block.get(usize::try_from(entry).ok()?..)?;
        let count = usize::try_from(count).ok()?;
        if count <= 4 {
            return inside.get(..count);
        }
        let pointer = *inside.first_chunk::<4>()?;
        let offset = if self.exif.little_endian() {
            u32::from_le_bytes(pointer)
        } else {
            u32::from_be_bytes(pointer)
        };
        block.get(usize::try_from(offset).ok()?..)?.get(..count)
    }
}

/// How many elements a value has: bytes of a text or a blob, numbers of the other types.
pub(super) fn count(value: &Value) -> usize {
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

    use super::super::sample::{ascii, block, facts, field, jpeg};
    use super::super::{LocationPolicy, parse, read};
    use super::*;

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
    fn trailing_nuls_and_spaces_are_no_part_of_a_text() {
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
    fn what_follows_the_first_nul_is_no_part_of_a_text() {
        assert_eq!(make(b"SONY\0garbage").as_deref(), Some("SONY"));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced() {
        assert_eq!(make(b"L\xe9on").as_deref(), Some("L\u{fffd}on"));
        assert_eq!(make("Léon".as_bytes()).as_deref(), Some("Léon"));
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
    fn a_text_of_exif_3_type_utf8_beyond_the_block_is_absent() {
        let fields = [ascii(Tag::Make, "Canon EOS")];
        let mut block = retyped(&fields, Tag::Make, 129, false);
        block.truncate(block.len() - 3);
        let facts = read(&jpeg(&block), LocationPolicy::Exact);
        assert_eq!(facts.camera.make, None);
    }

    /// A block whose `fields` entries all point at the same `length` bytes.
    fn overlapping(fields: u16, length: u32) -> Vec<u8> {
        let mut block = b"MM\0\x2a\0\0\0\x08".to_vec();
        block.extend(fields.to_be_bytes());
        let values = 8 + 2 + 12 * u32::from(fields) + 4;
        for tag in 0..fields {
            block.extend(tag.to_be_bytes());
            block.extend(1u16.to_be_bytes());
            block.extend(length.to_be_bytes());
            block.extend(values.to_be_bytes());
        }
        block.extend([0; 4]);
        block.resize(block.len() + usize::try_from(length).unwrap(), 7);
        block
    }

    #[test]
    fn fields_that_share_their_bytes_are_read_only_up_to_the_size_of_the_block() {
        let exif = parse(&overlapping(1000, 20_000)).unwrap();
        assert_eq!(exif.fields().len(), 1000);
        assert_eq!(Fields::of(&exif).iter().count(), 1);
    }
}
