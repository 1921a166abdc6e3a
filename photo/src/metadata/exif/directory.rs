//! Reads the directories of EXIF: tags and their values, as TIFF 6.0 (pages 13 to 16) stores them.
//!
//! The EXIF library is not used for this. It copies a block as a whole (for a TIFF that is the file with
//! all its pixels), copies every value whatever length it declares, and knows neither text of type UTF-8
//! nor pointers of type IFD. This module reads at most some kilobytes of any file.

use ::exif::{Context, Field, In, Rational, SRational, Tag, Value};

/// Most bytes of a value. A longer text is cut, because facts are shorter anyway; any other value is
/// dropped.
const MAX_VALUE_BYTES: usize = 2048;
/// Most bytes of all values together; a camera writes a few kilobytes besides its MakerNote.
const MAX_TOTAL_BYTES: usize = 128 * 1024;
/// Most entries of a directory; a camera writes some dozens.
const MAX_ENTRIES: usize = 1024;

/// The fields of a directory, and the byte order in which they are stored.
pub(crate) struct Directory {
    /// The directory to which its tags belong.
    pub context: Context,
    pub order: ByteOrder,
    pub fields: Vec<Field>,
}

/// Which byte of a number comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    Big,
    Little,
}

/// The directories of the primary image: IFD0, Exif, GPS and Interoperability. If a file has several
/// blocks, the first directory of each kind counts, so that the fields of one directory stay together.
pub(crate) fn directories(blocks: &[impl AsRef<[u8]>]) -> Vec<Directory> {
    let mut budget = MAX_TOTAL_BYTES;
    let mut chosen: [Option<Directory>; 4] = Default::default();
    for block in blocks.iter().filter_map(|block| Block::new(block.as_ref())) {
        for (chosen, found) in chosen.iter_mut().zip(block.directories(&mut budget)) {
            if chosen.is_none() {
                *chosen = found;
            }
        }
    }
    chosen.into_iter().flatten().collect()
}

/// Tags of IFD0 that hold blocks of other metadata: XMP (XMP part 3, clause 1.1.8), and IPTC and the image
/// resources of Photoshop (TIFF 6.0's registered tags).
const EMBEDDED: [(u16, Embedded); 3] =
    [(700, Embedded::Xmp), (0x83BB, Embedded::Resources), (0x8649, Embedded::Resources)];

/// What a tag of IFD0 holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Embedded {
    /// A packet of XMP.
    Xmp,
    /// Image resources, or IPTC by itself.
    Resources,
}

/// The blocks of other metadata in IFD0 of a block, at most one a tag.
pub(crate) fn embedded(block: &[u8]) -> Vec<(Embedded, &[u8])> {
    let Some(block) = Block::new(block) else { return Vec::new() };
    let Some(entries) = block.first().and_then(|offset| block.entries(offset)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (tag, kind) in EMBEDDED {
        let mut values = entries.clone().filter(|entry| block.short(*entry) == Some(tag));
        let value =
            values.next().and_then(|entry| block.value(entry)).map(|(_, bytes)| (kind, bytes));
        found.extend(value);
    }
    found
}

/// An entry of a directory as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stored<'a> {
    /// Its tag, named as [`Directory`] names it: the number is the stored one.
    pub tag: Tag,
    /// The code of its type.
    pub kind: u16,
    /// The number of its elements.
    pub count: u32,
    pub value: &'a [u8],
}

/// The readable entries of IFD0, Exif and Interoperability of a block as they are stored, at most 1,024 each, and
/// their byte order. Nothing is copied. `None` if the block has no IFD0, or is a BigTIFF.
pub(crate) fn stored(block: &[u8]) -> Option<(ByteOrder, [Vec<Stored<'_>>; 3])> {
    let block = Block::new(block).filter(|block| !block.is_big)?;
    let entries = |context, offset: Option<usize>| {
        let entries = offset.and_then(|offset| block.entries(offset)).into_iter().flatten();
        entries.filter_map(|entry| block.stored(context, entry)).collect::<Vec<Stored>>()
    };
    let primary = entries(Context::Tiff, Some(block.first()?));
    let exif = entries(Context::Exif, block.pointed(&primary, Tag::ExifIFDPointer));
    let interoperability = block
        .pointed(&exif, Tag::InteropIFDPointer)
        .or_else(|| block.pointed(&primary, Tag::InteropIFDPointer));
    let interoperability = entries(Context::Interop, interoperability);
    Some((block.order, [primary, exif, interoperability]))
}

/// A block of EXIF. Offsets count from its start.
#[derive(Clone, Copy)]
struct Block<'a> {
    bytes: &'a [u8],
    order: ByteOrder,
    /// Whether the block is a BigTIFF: counts and offsets have eight bytes instead of four, and the number
    /// of entries has eight instead of two (as libtiff describes it).
    is_big: bool,
}

impl<'a> Block<'a> {
    /// A block that begins with a TIFF header. Its version number is ignored, except that of BigTIFF.
    fn new(bytes: &'a [u8]) -> Option<Block<'a>> {
        let order = match bytes.first_chunk()? {
            b"II" => ByteOrder::Little,
            b"MM" => ByteOrder::Big,
            _ => return None,
        };
        let is_big = order.u16(*bytes.get(2..)?.first_chunk()?) == 43;
        Some(Block { bytes, order, is_big })
    }

    /// Follows each pointer once, from the directory to which it belongs, so that there are no loops.
    fn directories(self, budget: &mut usize) -> [Option<Directory>; 4] {
        let mut read = |context, offset| self.directory(context, offset?, budget);
        let primary = read(Context::Tiff, self.first());
        let exif = read(Context::Exif, pointer(&primary, Tag::ExifIFDPointer));
        // Some programs put the pointers of one directory into the other, as they do with its tags.
        let mut pointed = |context, tag| {
            [&primary, &exif].into_iter().find_map(|parent| read(context, pointer(parent, tag)))
        };
        let gps = pointed(Context::Gps, Tag::GPSInfoIFDPointer);
        let interoperability = pointed(Context::Interop, Tag::InteropIFDPointer);
        [primary, exif, gps, interoperability]
    }

    /// The offset of IFD0.
    fn first(self) -> Option<usize> {
        self.long(if self.is_big { 8 } else { 4 })
    }

    /// The offsets of the entries of a directory.
    fn entries(self, offset: usize) -> Option<impl Iterator<Item = usize> + Clone> {
        let (count, count_length, entry_length) = match self.is_big {
            true => (self.long(offset)?, 8, 20),
            false => (self.short(offset)?.into(), 2, 12),
        };
        let table = self.bytes.get(offset..)?.get(count_length..)?;
        let count = count.min(MAX_ENTRIES).min(table.len() / entry_length);
        Some((offset + count_length..).step_by(entry_length).take(count))
    }

    /// The readable fields of a directory; `None` if there are none.
    fn directory(self, context: Context, offset: usize, budget: &mut usize) -> Option<Directory> {
        let entries = self.entries(offset)?;
        let fields: Vec<Field> =
            entries.filter_map(|entry| self.field(context, entry, budget)).collect();
        (!fields.is_empty()).then_some(Directory { context, order: self.order, fields })
    }

    /// Reads an entry: tag, type, number of elements, then their bytes or the offset of these.
    fn field(self, context: Context, entry: usize, budget: &mut usize) -> Option<Field> {
        let tag = tag(context, self.short(entry)?);
        let (kind, bytes) = self.value(entry)?;
        let bytes = bytes.get(..MAX_VALUE_BYTES).filter(|_| kind.is_text()).unwrap_or(bytes);
        let is_wanted = bytes.len() <= MAX_VALUE_BYTES && tag != Tag::MakerNote;
        *budget = budget.checked_sub(bytes.len()).filter(|_| is_wanted)?;
        Some(Field { tag, ifd_num: In::PRIMARY, value: kind.value(bytes, self.order) })
    }

    /// The type and the bytes of an entry's value.
    fn value(self, entry: usize) -> Option<(Kind, &'a [u8])> {
        let kind = Kind::of(self.short(entry + 2)?)?;
        let length = self.long(entry + 4)?.checked_mul(kind.bytes())?;
        let (place, place_length) = if self.is_big { (entry + 12, 8) } else { (entry + 8, 4) };
        let start = if length > place_length { self.long(place)? } else { place };
        Some((kind, self.bytes.get(start..)?.get(..length)?))
    }

    fn stored(self, context: Context, entry: usize) -> Option<Stored<'a>> {
        let (kind, value) = self.value(entry)?;
        let count = u32::try_from(value.len() / kind.bytes()).ok()?;
        let tag = tag(context, self.short(entry)?);
        Some(Stored { tag, kind: self.short(entry + 2)?, count, value })
    }

    /// The offset in an entry of this tag.
    fn pointed(self, entries: &[Stored], tag: Tag) -> Option<usize> {
        let entry = entries.iter().find(|entry| entry.tag == tag)?;
        Some(self.order.u32(*entry.value.first_chunk()?) as usize)
    }

    fn short(self, at: usize) -> Option<u16> {
        Some(self.order.u16(*self.bytes.get(at..)?.first_chunk()?))
    }

    /// A count or an offset.
    fn long(self, at: usize) -> Option<usize> {
        let bytes = self.bytes.get(at..)?;
        match self.is_big {
            true => usize::try_from(self.order.u64(*bytes.first_chunk()?)).ok(),
            false => Some(self.order.u32(*bytes.first_chunk()?) as usize),
        }
    }
}

/// The tag of this number. Windows puts tags of the Exif directory into IFD0, and some phones do the
/// reverse.
fn tag(context: Context, number: u16) -> Tag {
    let [own, other] = match context {
        Context::Tiff => [Context::Tiff, Context::Exif],
        Context::Exif => [Context::Exif, Context::Tiff],
        Context::Gps | Context::Interop | _ => [context, context],
    }
    .map(|context| Tag(context, number));
    let is_misplaced = own.description().is_none() && other.description().is_some();
    if is_misplaced { other } else { own }
}

fn pointer(parent: &Option<Directory>, tag: Tag) -> Option<usize> {
    let field = parent.as_ref()?.fields.iter().find(|field| field.tag == tag)?;
    uints(&field.value).first().map(|offset| *offset as usize)
}

/// The whole numbers of a value that are not negative. EXIF uses no signed types for counts and codes, but
/// libexif and exiv2 write them.
pub(crate) fn uints(value: &Value) -> Vec<u32> {
    match value {
        Value::SByte(values) => not_negative(values),
        Value::SShort(values) => not_negative(values),
        Value::SLong(values) => not_negative(values),
        Value::Byte(_) | Value::Short(_) | Value::Long(_) => {
            value.iter_uint().map(Iterator::collect).unwrap_or_default()
        }
        Value::Ascii(_)
        | Value::Rational(_)
        | Value::Undefined(..)
        | Value::SRational(_)
        | Value::Float(_)
        | Value::Double(_)
        | Value::Unknown(..) => Vec::new(),
    }
}

fn not_negative<T: Copy + TryInto<u32>>(values: &[T]) -> Vec<u32> {
    values.iter().filter_map(|value| (*value).try_into().ok()).collect()
}

/// The type of a value (TIFF 6.0 page 15).
#[derive(Clone, Copy)]
enum Kind {
    Byte,
    Ascii,
    Short,
    Long,
    Rational,
    SByte,
    Undefined,
    SShort,
    SLong,
    SRational,
    Float,
    Double,
    Long8,
}

impl Kind {
    fn of(code: u16) -> Option<Kind> {
        Some(match code {
            1 => Kind::Byte,
            2 | 129 => Kind::Ascii, // 129 is UTF-8 (EXIF 3.0 clause 4.6.2)
            3 => Kind::Short,
            4 | 13 => Kind::Long, // 13 is the offset of a directory (TIFF Technical Note 1)
            5 => Kind::Rational,
            6 => Kind::SByte,
            7 => Kind::Undefined,
            8 => Kind::SShort,
            9 => Kind::SLong,
            10 => Kind::SRational,
            11 => Kind::Float,
            12 => Kind::Double,
            16 | 18 => Kind::Long8, // types of BigTIFF; 18 is an offset
            _ => return None,
        })
    }

    /// Bytes of one element.
    fn bytes(self) -> usize {
        match self {
            Kind::Byte | Kind::Ascii | Kind::SByte | Kind::Undefined => 1,
            Kind::Short | Kind::SShort => 2,
            Kind::Long | Kind::SLong | Kind::Float => 4,
            Kind::Rational | Kind::SRational | Kind::Double | Kind::Long8 => 8,
        }
    }

    /// Whether a value of this type may be text, which can be cut.
    fn is_text(self) -> bool {
        matches!(self, Kind::Ascii | Kind::Byte | Kind::Undefined)
    }

    fn value(self, bytes: &[u8], order: ByteOrder) -> Value {
        match self {
            Kind::Byte => Value::Byte(bytes.to_vec()),
            Kind::Ascii => Value::Ascii(strings(bytes)),
            Kind::Undefined => Value::Undefined(bytes.to_vec(), 0),
            Kind::SByte => Value::SByte(bytes.iter().map(|byte| byte.cast_signed()).collect()),
            Kind::Short => Value::Short(elements(bytes, |bytes| order.u16(bytes))),
            Kind::SShort => Value::SShort(elements(bytes, |bytes| order.u16(bytes).cast_signed())),
            Kind::Long => Value::Long(elements(bytes, |bytes| order.u32(bytes))),
            Kind::SLong => Value::SLong(elements(bytes, |bytes| order.u32(bytes).cast_signed())),
            Kind::Float => Value::Float(elements(bytes, |bytes| f32::from_bits(order.u32(bytes)))),
            Kind::Double => {
                Value::Double(elements(bytes, |bytes| f64::from_bits(order.u64(bytes))))
            }
            // No count or offset that is used here exceeds 32 bits.
            Kind::Long8 => Value::Long(elements(bytes, |bytes| {
                u32::try_from(order.u64(bytes)).unwrap_or(u32::MAX)
            })),
            Kind::Rational => Value::Rational(elements(bytes, |bytes: [u8; 8]| {
                let [num, denom] = order.pair(bytes);
                Rational { num, denom }
            })),
            Kind::SRational => Value::SRational(elements(bytes, |bytes: [u8; 8]| {
                let [num, denom] = order.pair(bytes).map(u32::cast_signed);
                SRational { num, denom }
            })),
        }
    }
}

/// Splits a value into its texts, each of which ends with a NUL (TIFF 6.0 page 15).
fn strings(bytes: &[u8]) -> Vec<Vec<u8>> {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    bytes.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect()
}

fn elements<const N: usize, T>(bytes: &[u8], element: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().copied().map(element).collect()
}

impl ByteOrder {
    fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            ByteOrder::Big => u16::from_be_bytes(bytes),
            ByteOrder::Little => u16::from_le_bytes(bytes),
        }
    }

    fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            ByteOrder::Big => u32::from_be_bytes(bytes),
            ByteOrder::Little => u32::from_le_bytes(bytes),
        }
    }

    pub fn bytes_of_u16(self, number: u16) -> [u8; 2] {
        match self {
            ByteOrder::Big => number.to_be_bytes(),
            ByteOrder::Little => number.to_le_bytes(),
        }
    }

    pub fn bytes_of_u32(self, number: u32) -> [u8; 4] {
        match self {
            ByteOrder::Big => number.to_be_bytes(),
            ByteOrder::Little => number.to_le_bytes(),
        }
    }

    fn u64(self, bytes: [u8; 8]) -> u64 {
        match self {
            ByteOrder::Big => u64::from_be_bytes(bytes),
            ByteOrder::Little => u64::from_le_bytes(bytes),
        }
    }

    fn pair(self, [a, b, c, d, e, f, g, h]: [u8; 8]) -> [u32; 2] {
        [self.u32([a, b, c, d]), self.u32([e, f, g, h])]
    }

    /// Decodes UTF-16 in this order.
    pub fn utf16(self, bytes: &[u8]) -> String {
        let units: Vec<u16> = elements(bytes, |bytes| self.u16(bytes));
        String::from_utf16_lossy(&units)
    }
}

#[cfg(test)]
mod tests {
    use ::exif::Tag;

    use super::*;
    use crate::LocationPolicy;
    use crate::metadata::sample::{ascii, block, facts, field, jpeg, raw, read, short, undefined};

    fn fields(block: &[u8]) -> Vec<Field> {
        directories(&[block]).into_iter().flat_map(|directory| directory.fields).collect()
    }

    #[test]
    fn the_first_of_two_entries_of_a_tag_counts() {
        let entry = |orientation: u32| (0x0112, 3, 1, orientation << 16);
        let twice = jpeg(&raw(&[entry(6), entry(3)], &[]));
        assert_eq!(read(&twice, LocationPolicy::Exact).orientation, Some(6));
    }

    #[test]
    fn every_type_is_read_in_both_byte_orders() {
        let rational = |num, denom| Rational { num, denom };
        let values = [
            Value::Byte(vec![1, 255]),
            Value::Ascii(vec![b"a".to_vec(), b"bc".to_vec()]),
            Value::Short(vec![1, 0xfffe]),
            Value::Long(vec![1, 0xffff_fffe]),
            Value::Rational(vec![rational(1, 2), rational(0xffff_fffe, 3)]),
            Value::SByte(vec![1, -2]),
            Value::Undefined(vec![1, 255, 3, 4, 5], 0),
            Value::SShort(vec![1, -2]),
            Value::SLong(vec![1, -2]),
            Value::SRational(vec![SRational { num: -1, denom: 2 }]),
            Value::Float(vec![1.5, -2.5]),
            Value::Double(vec![1.5, -2.5]),
        ];
        for little_endian in [false, true] {
            for value in &values {
                let field = field(Tag::ImageDescription, value.clone());
                let read = fields(&block(&[field], little_endian));
                assert_eq!(format!("{:?}", read[0].value), format!("{value:?}"));
            }
        }
    }

    #[test]
    fn a_pointer_of_type_ifd_is_followed() {
        let mut block = block(&[short(Tag::WhiteBalance, 1)], false);
        let entry = block.windows(4).position(|bytes| bytes == b"\x87\x69\0\x04").unwrap();
        block[entry + 3] = 13;
        let facts = read(&jpeg(&block), LocationPolicy::Exact);
        assert_eq!(facts.tags["WhiteBalance"], "manual white balance");
    }

    #[test]
    fn directories_that_point_at_each_other_are_read_once() {
        // The Exif, GPS and Interoperability pointers and the next IFD all point at IFD0 itself.
        let make = (0x010F, 2, 4, u32::from_be_bytes(*b"Sony"));
        let pointers = [(0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0xA005, 4, 1, 8)];
        let mut block = raw(&[&[make], &pointers[..]].concat(), &[]);
        let end = block.len();
        block[end - 4..].copy_from_slice(&8u32.to_be_bytes());
        assert_eq!(fields(&block).len(), 4 * 4);
        assert_eq!(read(&block, LocationPolicy::Exact).camera.make.as_deref(), Some("Sony"));
    }

    #[test]
    fn entries_with_invalid_offsets_counts_and_types_do_not_affect_the_others() {
        let make = (0x010F, 2, 4, u32::from_be_bytes(*b"Sony"));
        for wild in [
            (0x0110, 2, 100, 0xffff_fff0),
            (0x0110, 2, u32::MAX, 8),
            (0x0110, 12, u32::MAX, 8),
            (0x0110, 0, 1, 8),
            (0x0110, 14, 1, 8),
            (0x8769, 4, 1, 0xffff_ffff),
            (0x8769, 4, 1, 7),
            (0x8769, 2, 4, 8),
        ] {
            for entries in [[make, wild], [wild, make]] {
                let facts = read(&raw(&entries, &[]), LocationPolicy::Exact);
                assert_eq!(facts.camera.make.as_deref(), Some("Sony"), "{wild:?}");
                assert_eq!(facts.camera.model, None, "{wild:?}");
            }
        }
    }

    #[test]
    fn a_tag_in_the_wrong_directory_is_read_as_if_in_the_right_one() {
        let make = (0x010F, 2, 4, u32::from_be_bytes(*b"Sony"));
        let (iso, pointer) = ((0x8827, 3, 1, 400 << 16), (0x8769, 4, 1, 8));
        let facts = read(&raw(&[iso, pointer], &[]), LocationPolicy::Exact);
        assert_eq!(facts.exposure.iso, Some(400));
        let mut block = raw(&[(0x8769, 4, 1, 26)], &[]);
        block.extend_from_slice(&raw(&[make], &[])[8..]);
        assert_eq!(read(&block, LocationPolicy::Exact).camera.make.as_deref(), Some("Sony"));
    }

    #[test]
    fn a_tag_in_its_own_directory_goes_before_a_misplaced_one() {
        let text = |tag, value: &[u8; 4]| (tag, 2, 4, u32::from_be_bytes(*value));
        // IFD0 has an ISO of the Exif directory, and that has a maker of IFD0 and an ISO.
        let primary = [text(0x010F, b"own\0"), (0x8827, 3, 1, 100 << 16), (0x8769, 4, 1, 50)];
        let mut block = raw(&primary, &[]);
        assert_eq!(block.len(), 50);
        let exif = [text(0x010F, b"not\0"), text(0x0110, b"Q3\0\0"), (0x8827, 3, 1, 400 << 16)];
        block.extend_from_slice(&raw(&exif, &[])[8..]);
        let facts = read(&block, LocationPolicy::Exact);
        assert_eq!(facts.exposure.iso, Some(400));
        assert_eq!(facts.camera.make.as_deref(), Some("own"));
        assert_eq!(facts.camera.model.as_deref(), Some("Q3"));
    }

    #[test]
    fn an_orientation_outside_of_ifd0_is_ignored() {
        let mut block = raw(&[(0x8769, 4, 1, 26)], &[]);
        block.extend_from_slice(
            &raw(&[(0x0112, 3, 1, 6 << 16), (0x8827, 3, 1, 400 << 16)], &[])[8..],
        );
        let facts = read(&block, LocationPolicy::Exact);
        assert_eq!((facts.orientation, facts.exposure.iso), (None, Some(400)));
        let upright = raw(&[(0x0112, 3, 1, 1 << 16), (0x8769, 4, 1, 38)], &[]);
        let both = [&upright[..], &block[26..]].concat();
        assert_eq!(read(&both, LocationPolicy::Exact).orientation, Some(1));
    }

    #[test]
    fn whole_numbers_of_signed_types_are_read() {
        for (kind, six) in [(6, 6 << 24), (8, 6 << 16), (9, 6), (1, 6 << 24), (3, 6 << 16), (4, 6)]
        {
            let facts = read(&raw(&[(0x0112, kind, 1, six)], &[]), LocationPolicy::Exact);
            assert_eq!(facts.orientation, Some(6), "type {kind}");
        }
        let minus_one = raw(&[(0x0112, 9, 1, u32::MAX)], &[]);
        assert_eq!(read(&minus_one, LocationPolicy::Exact).orientation, None);
        let mut block = block(&[short(Tag::WhiteBalance, 1)], false);
        let entry = block.windows(4).position(|bytes| bytes == b"\x87\x69\0\x04").unwrap();
        block[entry + 3] = 9;
        assert_eq!(
            read(&block, LocationPolicy::Exact).tags["WhiteBalance"],
            "manual white balance"
        );
    }

    #[test]
    fn a_directory_that_declares_too_many_entries_is_read_to_its_end() {
        let mut block = raw(&[(0x010F, 2, 4, u32::from_be_bytes(*b"Sony"))], &[]);
        block[8..10].fill(0xff);
        assert_eq!(read(&block, LocationPolicy::Exact).camera.make.as_deref(), Some("Sony"));
    }

    #[test]
    fn the_maker_note_is_not_read() {
        let note = undefined(Tag::MakerNote, b"0123456789");
        assert!(fields(&block(&[note], false)).iter().all(|field| field.tag != Tag::MakerNote));
    }

    #[test]
    fn a_long_text_is_cut_and_a_long_table_is_dropped() {
        let long = "a".repeat(10_000);
        let table = Field { value: Value::Short(vec![1; 5000]), ..short(Tag::TransferFunction, 1) };
        let fields = fields(&block(&[ascii(Tag::Artist, &long), table], false));
        assert_eq!(fields.len(), 1);
        assert_eq!(count_of_text(&fields[0]), MAX_VALUE_BYTES);
        let facts = facts(&[ascii(Tag::Artist, &long)]);
        assert!(facts.tags["Artist"].ends_with('…'));
    }

    fn count_of_text(field: &Field) -> usize {
        let Value::Ascii(strings) = &field.value else { panic!("{:?}", field.value) };
        strings[0].len()
    }

    #[test]
    fn entries_that_share_their_bytes_stay_within_the_budget() {
        let entries: Vec<_> = (0..u16::MAX).map(|tag| (tag, 1, 2048, 8)).collect();
        let fields = fields(&raw(&entries, &[7; 4096]));
        assert_eq!(fields.len(), MAX_TOTAL_BYTES / 2048);
    }
}
