//! JPEG: the image's own segments, with metadata written anew before them. Clauses are those of ITU-T T.81.

use super::{Original, Refusal, Strip, tells_place};
use crate::container::jpeg::{Segment, app_segments, marker};
use crate::decode::jpeg::{write, write_image};
use crate::metadata::blocks::{RESOURCE_IDENTIFIERS, XMP_IDENTIFIER};
use crate::metadata::icc;

/// The bytes before a block of EXIF in APP1 (EXIF 2.32 clause 4.7.2.1).
const EXIF_IDENTIFIER: &[u8] = b"Exif\0\0";
/// Most bytes of a segment's payload (clause B.1.1.4).
const MAX_PAYLOAD: usize = 65_533;
/// Bytes of a JFIF header up to the size of its thumbnail, and of Adobe's segment (JFIF 1.02 page 5, Adobe
/// Technical Note 5116, page 23).
const JFIF_BYTES: usize = 12;
const ADOBE_BYTES: usize = 12;

/// Copies the image up to its EOI, so without second pictures, gain maps, videos and makers' trailers. Of other
/// segments than those of the image, JFIF's and Adobe's headers and the colour profile stay, and comments that do
/// not speak of a place if only that is to be left out.
pub(super) fn stripped(original: &Original) -> Result<Vec<u8>, Refusal> {
    let (jpeg, cancel) = (original.bytes(), original.cancel);
    let header = original.photo.header()?.as_jpeg();
    let header = header.ok_or(Refusal::Because("the photo cannot be decoded"))?;
    let mut metadata = Some(metadata(original)?);
    let app2 = app_segments(jpeg, cancel).filter(|(code, _)| *code == marker::APP2);
    let has_profile = !icc::Parts::of(app2.map(|(_, payload)| payload)).are_broken();
    let mut copy = Vec::with_capacity(jpeg.len());
    write_image(jpeg, header, &mut copy, cancel, |segment, copy| {
        let Some(payload) = kept(segment, original.strip, has_profile) else { return };
        // JFIF's header is the first segment, and EXIF's comes right behind it.
        if segment.marker != marker::APP0 {
            copy.append(&mut metadata.take().unwrap_or_default());
        }
        write(segment.marker, &payload, copy);
    })?;
    Ok(copy)
}

/// The segments of metadata.
fn metadata(original: &Original) -> Result<Vec<u8>, Refusal> {
    let kept = original.kept()?;
    let mut segments = Vec::new();
    let mut push = |marker, identifier: &[u8], data: &[u8]| {
        let payload = [identifier, data].concat();
        if payload.len() <= MAX_PAYLOAD {
            write(marker, &payload, &mut segments);
        }
    };
    if let Some(exif) = &kept.exif {
        push(marker::APP1, EXIF_IDENTIFIER, exif);
    }
    for packet in &kept.xmp {
        push(marker::APP1, XMP_IDENTIFIER, packet);
    }
    if let Some(resources) = &kept.resources {
        push(marker::APP13, RESOURCE_IDENTIFIERS[0], resources);
    }
    Ok(segments)
}

/// What a copy has of a segment's payload; `None` if it has no such segment.
fn kept(segment: &Segment, strip: Strip, has_profile: bool) -> Option<Vec<u8>> {
    let payload = segment.payload;
    if segment.is_disguised {
        return None; // decoders do not read it
    }
    let is_kept = match segment.marker {
        marker::APP0 => return jfif(payload),
        marker::APP14 => {
            let adobe = payload.get(..ADOBE_BYTES).unwrap_or(payload);
            return payload.starts_with(b"Adobe").then(|| adobe.to_vec());
        }
        marker::APP2 => has_profile && payload.starts_with(icc::SIGNATURE),
        marker::COM => strip == Strip::Location && !tells_place(payload),
        marker::SOF0..=0xCF | marker::SOS | marker::DQT | marker::DNL | marker::DRI => true,
        _ => false,
    };
    is_kept.then(|| payload.to_vec())
}

/// JFIF's header without its thumbnail. A shorter one means nothing to decoders (libjpeg-turbo, jdmarker.c,
/// examine_app0).
fn jfif(payload: &[u8]) -> Option<Vec<u8>> {
    let header = payload.get(..JFIF_BYTES).filter(|_| payload.starts_with(b"JFIF\0"))?;
    (payload.len() >= JFIF_BYTES + 2).then(|| [header, &[0, 0]].concat())
}
