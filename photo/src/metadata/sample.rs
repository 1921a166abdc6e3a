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

pub(crate) fn field(tag: Tag, value: Value) -> Field {
    let ifd_num = In::PRIMARY;
    Field { tag, ifd_num, value }
}

pub(crate) fn thumbnail(field: Field) -> Field {
    let ifd_num = In::THUMBNAIL;
    Field { ifd_num, ..field }
}

pub(crate) fn ascii(tag: Tag, text: &str) -> Field {
    field(tag, Value::Ascii(vec![text.into()]))
}

pub(crate) fn byte(tag: Tag, value: u8) -> Field {
    field(tag, Value::Byte(vec![value]))
}

pub(crate) fn short(tag: Tag, value: u16) -> Field {
    field(tag, Value::Short(vec![value]))
}

pub(crate) fn long(tag: Tag, value: u32) -> Field {
    field(tag, Value::Long(vec![value]))
}

pub(crate) fn rational(tag: Tag, parts: &[(u32, u32)]) -> Field {
    let values = parts.iter().copied().map(Into::into).collect();
    field(tag, Value::Rational(values))
}

pub(crate) fn undefined(tag: Tag, bytes: &[u8]) -> Field {
    field(tag, Value::Undefined(bytes.to_vec(), 0))
}

/// A TIFF block in the byte order II (little-endian) or MM.
pub(crate) fn block(fields: &[Field], little_endian: bool) -> Vec<u8> {
    let mut writer = Writer::new();
    for field in fields {
        writer.push_field(field);
    }
    let mut block = Cursor::new(Vec::new());
    writer.write(&mut block, little_endian).unwrap();
    block.into_inner()
}

/// A JPEG that holds one block of EXIF.
pub(crate) fn jpeg(block: &[u8]) -> Vec<u8> {
    jpeg_of(&[&[b"Exif\0\0", block].concat()])
}

/// The smallest JPEG that holds APP1 segments: SOI, APP1, EOI.
pub(crate) fn jpeg_of(segments: &[&[u8]]) -> Vec<u8> {
    let segments: Vec<(u8, &[u8])> = segments.iter().map(|payload| (0xe1, *payload)).collect();
    jpeg_of_segments(&segments)
}

/// The smallest JPEG that holds these segments, each with its marker.
pub(crate) fn jpeg_of_segments(segments: &[(u8, &[u8])]) -> Vec<u8> {
    let mut file = vec![0xff, 0xd8];
    for (marker, payload) in segments {
        file.extend([0xff, *marker]);
        file.extend(u16::try_from(2 + payload.len()).unwrap().to_be_bytes());
        file.extend(*payload);
    }
    file.extend([0xff, 0xd9]);
    file
}

/// A PNG of these chunks, without valid checksums.
pub(crate) fn png(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in chunks {
        png.extend((data.len() as u32).to_be_bytes());
        png.extend([*name, *data, b"CRC_"].concat());
    }
    png
}

/// The payload of APP1 that holds a packet of XMP with these attributes of its rdf:Description.
pub(crate) fn xmp(attributes: &str) -> Vec<u8> {
    [b"http://ns.adobe.com/xap/1.0/\0", packet(attributes, "").as_bytes()].concat()
}

/// A packet of XMP whose rdf:Description has these attributes and children.
pub(crate) fn packet(attributes: &str, children: &str) -> String {
    format!(
        r#"<?xpacket begin="﻿" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/"
 xmlns:exifEX="http://cipa.jp/exif/1.0/" xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:xmpNote="http://ns.adobe.com/xmp/note/" {attributes}>{children}</rdf:Description>
</rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"#
    )
}

/// The payload of APP13 that holds this image resource.
pub(crate) fn photoshop(number: u16, data: &[u8]) -> Vec<u8> {
    [b"Photoshop 3.0\0", &resource(number, data)[..]].concat()
}

/// An image resource without a name.
pub(crate) fn resource(number: u16, data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u32).to_be_bytes();
    let padding = &[0][..data.len() % 2];
    [b"8BIM", &number.to_be_bytes()[..], &[0, 0], &length, data, padding].concat()
}

/// Datasets of IPTC's record 2.
pub(crate) fn iptc(datasets: &[(u8, &str)]) -> Vec<u8> {
    let of = |(number, text): &(u8, &str)| {
        let length = (text.len() as u16).to_be_bytes();
        [&[0x1c, 2, *number][..], &length, text.as_bytes()].concat()
    };
    datasets.iter().flat_map(of).collect()
}

pub(crate) fn facts(fields: &[Field]) -> Facts {
    facts_under(fields, LocationPolicy::Exact)
}

/// The facts of a JPEG with these fields, after checking that they are the same in both byte orders.
pub(crate) fn facts_under(fields: &[Field], location: LocationPolicy) -> Facts {
    let facts = read(&jpeg(&block(fields, false)), location);
    assert_eq!(facts, read(&jpeg(&block(fields, true)), location));
    facts
}

/// A field with this text for every tag that [`Facts::tags`] keeps.
pub(crate) fn every_tag(text: &str) -> Vec<Field> {
    let contexts = [Context::Tiff, Context::Exif, Context::Gps, Context::Interop];
    contexts
        .into_iter()
        .flat_map(|context| (0..=u16::MAX).map(move |number| Tag(context, number)))
        .filter(|tag| is_kept(*tag, LocationPolicy::Exact))
        .map(|tag| ascii(tag, text))
        .collect()
}

/// A block with only IFD0, which has these entries: tag, type, count, and the last four bytes.
pub fn raw(entries: &[(u16, u16, u32, u32)], values: &[u8]) -> Vec<u8> {
    let mut block = b"MM\0\x2a\0\0\0\x08".to_vec();
    block.extend((entries.len() as u16).to_be_bytes());
    for (tag, kind, count, place) in entries {
        block.extend([tag.to_be_bytes(), kind.to_be_bytes()].concat());
        block.extend([count.to_be_bytes(), place.to_be_bytes()].concat());
    }
    block.extend([0; 4]);
    block.extend(values);
    block
}
