//! Builds EXIF for tests.

use std::io::Cursor;

use ::exif::experimental::Writer;
use ::exif::{Context, Field, In, Tag, Value};

use super::exif::tags::is_kept;
use super::{Facts, LocationPolicy};
use crate::CancelFlag;

pub(crate) fn read(file: &[u8], location: LocationPolicy) -> Facts {
    super::read(file, location, &CancelFlag::default())
}

pub(super) fn field(tag: Tag, value: Value) -> Field {
    let ifd_num = In::PRIMARY;
    Field { tag, ifd_num, value }
}

pub(super) fn thumbnail(field: Field) -> Field {
    let ifd_num = In::THUMBNAIL;
    Field { ifd_num, ..field }
}

pub(super) fn ascii(tag: Tag, text: &str) -> Field {
    field(tag, Value::Ascii(vec![text.into()]))
}

pub(super) fn byte(tag: Tag, value: u8) -> Field {
    field(tag, Value::Byte(vec![value]))
}

pub(super) fn short(tag: Tag, value: u16) -> Field {
    field(tag, Value::Short(vec![value]))
}

pub(super) fn long(tag: Tag, value: u32) -> Field {
    field(tag, Value::Long(vec![value]))
}

pub(super) fn rational(tag: Tag, parts: &[(u32, u32)]) -> Field {
    let values = parts.iter().copied().map(Into::into).collect();
    field(tag, Value::Rational(values))
}

pub(super) fn undefined(tag: Tag, bytes: &[u8]) -> Field {
    field(tag, Value::Undefined(bytes.to_vec(), 0))
}

/// A TIFF block in the byte order II (little-endian) or MM.
pub(super) fn block(fields: &[Field], little_endian: bool) -> Vec<u8> {
    let mut writer = Writer::new();
    for field in fields {
        writer.push_field(field);
    }
    let mut block = Cursor::new(Vec::new());
    writer.write(&mut block, little_endian).unwrap();
    block.into_inner()
}

/// A JPEG that holds one block of EXIF.
pub(super) fn jpeg(block: &[u8]) -> Vec<u8> {
    jpeg_of(&[&[b"Exif\0\0", block].concat()])
}

/// The smallest JPEG that holds APP1 segments: SOI, APP1, EOI.
pub(super) fn jpeg_of(segments: &[&[u8]]) -> Vec<u8> {
    let mut file = vec![0xff, 0xd8];
    for segment in segments {
        file.extend([0xff, 0xe1]);
        file.extend(u16::try_from(2 + segment.len()).unwrap().to_be_bytes());
        file.extend(*segment);
    }
    file.extend([0xff, 0xd9]);
    file
}

pub(super) fn facts(fields: &[Field]) -> Facts {
    facts_under(fields, LocationPolicy::Exact)
}

/// The facts of a JPEG with these fields, after checking that they are the same in both byte orders.
pub(super) fn facts_under(fields: &[Field], location: LocationPolicy) -> Facts {
    let facts = read(&jpeg(&block(fields, false)), location);
    assert_eq!(facts, read(&jpeg(&block(fields, true)), location));
    facts
}

/// A field with this text for every tag that [`Facts::tags`] keeps.
pub(super) fn every_tag(text: &str) -> Vec<Field> {
    let contexts = [Context::Tiff, Context::Exif, Context::Gps, Context::Interop];
    contexts
        .into_iter()
        .flat_map(|context| (0..=u16::MAX).map(move |number| Tag(context, number)))
        .filter(|tag| is_kept(*tag, LocationPolicy::Exact))
        .map(|tag| ascii(tag, text))
        .collect()
}
