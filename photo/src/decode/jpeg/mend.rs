//! Writes a copy of a JPEG about which libjpeg-turbo has nothing to say unless a part of the picture is
//! missing.
//!
//! TurboJPEG reports only the first warning of a decoding. So every harmless cause of one is mended before,
//! and what it still reports is damage.

use std::iter;

use super::Header;
use crate::container::jpeg::{ImageEnd, Segment, Segments, marker};
use crate::{CancelFlag, PhotoError};

/// The major version of JFIF, and its offset in the payload (JFIF 1.02 page 5).
const JFIF_VERSION: u8 = 1;
const JFIF_VERSION_AT: usize = 5;
/// The offset of Adobe's colour transform in the payload (Adobe Technical Note 5116, page 23).
const TRANSFORM_AT: usize = 11;

/// The spectral selection and approximation of a sequential scan (T.81 table B.3).
const SEQUENTIAL: [u8; 3] = [0, 63, 0];

/// Whether libjpeg-turbo would warn about the segment: only versions 1.x of JFIF are defined.
pub(super) fn is_odd(segment: &Segment) -> bool {
    segment.is_disguised || (segment.marker == marker::APP0 && jfif(segment.payload).is_some())
}

/// JFIF's payload with the version that libjpeg-turbo knows, if it has another one.
fn jfif(payload: &[u8]) -> Option<Vec<u8>> {
    let is_jfif = payload.starts_with(b"JFIF\0");
    // A shorter payload is no JFIF header to libjpeg-turbo (jdmarker.c, examine_app0).
    patched(payload, JFIF_VERSION_AT, JFIF_VERSION).filter(|_| is_jfif && payload.len() >= 14)
}

/// Adobe's colour transform, if this is Adobe's payload.
pub(super) fn transform(payload: &[u8]) -> Option<&u8> {
    payload.get(TRANSFORM_AT).filter(|_| payload.starts_with(b"Adobe"))
}

/// The defined colour transform that libjpeg-turbo takes this one for (jdapimin.c,
/// default_decompress_parms).
pub(super) fn known_transform(transform: u8, components: u8) -> u8 {
    match (components, transform) {
        (_, 0) => 0,
        (3, _) => 1,
        (4, _) => 2,
        _ => transform,
    }
}

/// The header of a sequential scan with the parameters that it must have, if it has others. They mean
/// nothing there (T.81 B.2.3).
pub(super) fn sequential(header: &[u8]) -> Option<Vec<u8>> {
    let (ids, parameters) = header.split_last_chunk::<3>()?;
    (*parameters != SEQUENTIAL).then(|| [ids, &SEQUENTIAL].concat())
}

/// The payload with another byte at this offset, if it has a different one there.
fn patched(payload: &[u8], at: usize, byte: u8) -> Option<Vec<u8>> {
    let mut patched = payload.to_vec();
    let old = patched.get_mut(at).filter(|old| **old != byte)?;
    *old = byte;
    Some(patched)
}

/// A copy of the image without metadata and without bytes that belong to no segment, in which everything
/// has the value that libjpeg-turbo takes it for, and which ends with EOI. JFIF's APP0 and Adobe's APP14
/// stay, because they define the components' colours.
///
/// # Errors
/// [`PhotoError::Cancelled`] once the flag is raised.
pub(super) fn mended(
    jpeg: &[u8],
    header: &Header,
    image_end: usize,
    cancel: &CancelFlag,
) -> Result<Vec<u8>, PhotoError> {
    let mut mended = Vec::with_capacity(image_end.min(jpeg.len()) + 4);
    write_to_end(jpeg, header, Some(image_end), &mut mended, cancel, |segment, mended| {
        if !segment.is_metadata() {
            write(segment.marker, &payload(segment, header), mended);
        }
    })?;
    Ok(mended)
}

/// Appends a copy of the image in which each segment is what the callback writes of it. Bytes that belong to no
/// segment are left out, and so is all behind the image, which ends with EOI.
///
/// # Errors
/// [`PhotoError::Cancelled`] once the flag is raised.
pub(crate) fn write_image<'a>(
    jpeg: &'a [u8],
    header: &Header,
    copy: &mut Vec<u8>,
    cancel: &CancelFlag,
    write_segment: impl FnMut(&Segment<'a>, &mut Vec<u8>),
) -> Result<(), PhotoError> {
    write_to_end(jpeg, header, header.mended_to, copy, cancel, write_segment)
}

/// Writes the image up to this offset, else up to its EOI.
fn write_to_end<'a>(
    jpeg: &'a [u8],
    header: &Header,
    image_end: Option<usize>,
    copy: &mut Vec<u8>,
    cancel: &CancelFlag,
    mut write_segment: impl FnMut(&Segment<'a>, &mut Vec<u8>),
) -> Result<(), PhotoError> {
    let image = image_end.and_then(|end| jpeg.get(..end)).unwrap_or(jpeg);
    copy.extend([0xFF, marker::SOI]);
    let mut segments = Segments::new(image, cancel);
    if image_end.is_some() {
        segments.image_end = ImageEnd::File;
    }
    // The offset of the scan's data, if the last segment began a scan.
    let mut data = None;
    while let Some(segment) = segments.next().transpose()? {
        if let Some(start) = data.take() {
            let end = match segment.position.is_empty() && header.lacks_end {
                true => without_padding(image, start),
                false => segment.position.start,
            };
            copy.extend_from_slice(image.get(start..end).unwrap_or_default());
        }
        match segment.marker {
            marker::EOI => break,
            marker::SOS => data = Some(segment.position.end),
            marker::DRI => segments.has_restarts = segment.payload.iter().any(|byte| *byte != 0),
            _ => {}
        }
        write_segment(&segment, copy);
    }
    copy.extend([0xFF, marker::EOI]);
    Ok(())
}

/// The payload with the values that libjpeg-turbo knows.
fn payload<'a>(segment: &Segment<'a>, header: &Header) -> std::borrow::Cow<'a, [u8]> {
    let payload = segment.payload;
    let mended = match segment.marker {
        marker::APP0 => jfif(payload),
        marker::APP14 => transform(payload).and_then(|one| {
            patched(payload, TRANSFORM_AT, known_transform(*one, header.components))
        }),
        marker::SOS if !header.is_progressive => sequential(payload),
        _ => None,
    };
    mended.map_or(payload.into(), Into::into)
}

/// Appends a segment. Its payload is no longer than the file's, so that its length fits 16 bits.
pub(crate) fn write(marker: u8, payload: &[u8], jpeg: &mut Vec<u8>) {
    let length = (payload.len() + 2) as u16;
    jpeg.extend(iter::chain([0xFF, marker], length.to_be_bytes()));
    jpeg.extend_from_slice(payload);
}

/// Where a trailer begins that is no part of the image, in a file without EOI whose last scan begins before
/// `from`. Without this, the trailer's bytes could pass for the end of an image that was cut off.
pub(super) fn trailer(jpeg: &[u8], from: usize) -> Option<usize> {
    let start = samsungs_trailer(jpeg).or_else(|| media_file(jpeg, from))?;
    (start >= from).then_some(start)
}

/// Samsung's trailer ends with a directory, which gives the distance of each entry from its own beginning,
/// and with that directory's length (ExifTool, Samsung.pm, ProcessSamsung).
fn samsungs_trailer(jpeg: &[u8]) -> Option<usize> {
    let (rest, length) = jpeg.strip_suffix(b"SEFT")?.split_last_chunk()?;
    let directory = rest.len().checked_sub(u32::from_le_bytes(*length) as usize)?;
    let entries = rest.get(directory..)?.strip_prefix(b"SEFH")?.get(8..)?.as_chunks::<12>().0;
    let distance = |&[_, _, _, _, a, b, c, d, ..]: &[u8; 12]| u32::from_le_bytes([a, b, c, d]);
    directory.checked_sub(entries.iter().map(distance).max()? as usize)
}

/// A motion photo's video is an ISO base media file, which begins with a short box of type `ftyp`
/// (ISO/IEC 14496-12 clause 4.3).
fn media_file(jpeg: &[u8], from: usize) -> Option<usize> {
    let rest = jpeg.get(from..)?;
    let is_length = |at: &usize| matches!(rest.get(*at..), Some([0, 0, 0, 8..=128, ..]));
    let boxes = memchr::memmem::find_iter(rest, b"ftyp").filter_map(|at| at.checked_sub(4));
    boxes.filter(is_length).map(|at| from + at).next()
}

/// Where the scan's data ends in a file that ends with zeros instead of EOI. One of them may belong to the
/// data. More would pass for blocks of the picture in a file that was cut off and then filled up.
fn without_padding(image: &[u8], start: usize) -> usize {
    let data = image.get(start..).unwrap_or_default();
    let length = data.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    start + data.len().min(length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailer_begins_with_its_first_entry_or_with_a_short_box() {
        let box_at_6 = b"image!\0\0\0\x18ftypmp42";
        assert_eq!(trailer(box_at_6, 3), Some(6));
        assert_eq!(trailer(box_at_6, 7), None, "in the header");
        let words = [&b"image! ftyp"[..], box_at_6].concat();
        assert_eq!(trailer(&words, 3), Some(17), "the first is no box");
        assert_eq!(trailer(b"image!\0\0\0\x07ftyp", 3), None, "shorter than its header");
        // Two entries, the first of which is the farther one: 5 and 2 bytes before the directory.
        let samsungs = |farther: u8| {
            let entries = [
                [0, 0, 1, 10, farther, 0, 0, 0, 3, 0, 0, 0],
                [0, 0, 1, 10, 2, 0, 0, 0, 2, 0, 0, 0],
            ];
            let directory = [b"SEFH\x6B\0\0\0\x02\0\0\0", entries.as_flattened()].concat();
            let length = (directory.len() as u32).to_le_bytes();
            [b"image!12345", &directory[..], &length, b"SEFT"].concat()
        };
        assert_eq!(trailer(&samsungs(5), 3), Some(6));
        assert_eq!(trailer(&samsungs(9), 3), None, "before the scan's data");
        assert_eq!(trailer(&samsungs(90), 3), None, "before the file");
    }

    #[test]
    fn all_zeros_at_the_end_but_one_are_padding() {
        for (image, end) in
            [(&b"..\x01\0\0\0"[..], 4), (b"..\x01\0", 4), (b"..\x01", 3), (b"..", 2)]
        {
            assert_eq!(without_padding(image, 2), end, "{image:?}");
        }
    }
}
