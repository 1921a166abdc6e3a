//! PNG: the chunks of the picture, with metadata written anew behind its header. Clauses are those of the PNG
//! Specification, third edition.

use flate2::Crc;

use super::{Original, Refusal, Strip, tells_place};
use crate::container::png::{self, png_chunk};
use crate::container::{Chunk, chunks};

/// Bytes of the signature.
const SIGNATURE_BYTES: usize = 8;
/// The keyword of XMP, and the bytes behind it: not compressed, no language, no translated keyword (XMP part 3,
/// clause 1.1.5).
const XMP_KEYWORD: &[u8] = b"XML:com.adobe.xmp\0\0\0\0\0";

/// The chunks without which the picture would look different, or an animation stand still (clauses 11.2 and
/// 11.3), under their old names too.
const PICTURE: [&[u8; 4]; 21] = [
    b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"acTL", b"fcTL", b"fdAT", b"iCCP", b"sRGB", b"gAMA",
    b"cHRM", b"cICP", b"mDCV", b"mDCv", b"cLLI", b"cLLi", b"sBIT", b"bKGD", b"hIST", b"pHYs",
    b"sTER",
];

/// Words in the keywords of texts that hold other metadata: `Raw profile type exif`, `XML:com.adobe.xmp`.
const METADATA: [&str; 5] = ["profile", "xmp", "exif", "iptc", "app1"];

/// Copies the chunks of the picture, and texts whose keywords do not speak of a place if only that is to be left
/// out. What follows the end chunk is left out.
pub(super) fn stripped(original: &Original) -> Result<Vec<u8>, Refusal> {
    let (file, cancel) = (original.bytes(), original.cancel);
    let png::Sizes { before_end, checksum, .. } = png::sizes(file, cancel)?;
    let whole = before_end.and_then(|end| file.get(..end));
    let whole = whole.ok_or(Refusal::Because("the photo cannot be decoded"))?;
    let metadata = metadata(original)?;
    let mut copy = Vec::with_capacity(whole.len() + metadata.len() + png::END.len());
    copy.extend(whole.iter().take(SIGNATURE_BYTES));
    let mut rest = whole.get(SIGNATURE_BYTES..).unwrap_or_default();
    for chunk in chunks(Some(rest), png_chunk, cancel) {
        let (stored, behind) = rest.split_at_checked(chunk.length).unwrap_or((rest, &[]));
        rest = behind;
        if is_kept(&chunk, original.strip) {
            copy.extend_from_slice(stored);
        } else if chunk.name.first().is_some_and(u8::is_ascii_uppercase) {
            return Err(Refusal::Because("it has a chunk without which it cannot be shown"));
        }
        if chunk.name == b"IHDR" {
            copy.extend_from_slice(&metadata);
        }
    }
    cancel.check()?;
    copy.extend_from_slice(&checksum);
    copy.extend_from_slice(png::END);
    Ok(copy)
}

/// The chunks of metadata. IPTC, which has no chunk of its own, is not among them.
fn metadata(original: &Original) -> Result<Vec<u8>, Refusal> {
    let kept = original.kept()?;
    let mut chunks = Vec::new();
    if let Some(exif) = &kept.exif {
        push(b"eXIf", exif, &mut chunks);
    }
    if let Some(packet) = kept.xmp.first() {
        push(b"iTXt", &[XMP_KEYWORD, packet].concat(), &mut chunks);
    }
    Ok(chunks)
}

fn push(name: &[u8; 4], data: &[u8], chunks: &mut Vec<u8>) {
    let mut checksum = Crc::new();
    checksum.update(name);
    checksum.update(data);
    chunks.extend((data.len() as u32).to_be_bytes());
    chunks.extend(name);
    chunks.extend_from_slice(data);
    chunks.extend(checksum.sum().to_be_bytes());
}

fn is_kept(chunk: &Chunk, strip: Strip) -> bool {
    match chunk.name {
        b"tEXt" | b"zTXt" | b"iTXt" => strip == Strip::Location && is_harmless(chunk.data),
        b"tIME" => strip == Strip::Location,
        name => PICTURE.iter().any(|known| *known == name),
    }
}

/// Whether a text holds neither other metadata nor a place: its keyword says so and, unless it is compressed, the
/// text itself.
fn is_harmless(text: &[u8]) -> bool {
    let keyword = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let keyword = keyword.to_ascii_lowercase();
    let holds = |word: &str| memchr::memmem::find(&keyword, word.as_bytes()).is_some();
    let names = ["city", "state", "country", "place"];
    !tells_place(text) && !METADATA.iter().chain(&names).any(|word| holds(word))
}
