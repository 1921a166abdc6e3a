//! Recognises picture formats by content, because names and Content-Types can be wrong.

use std::fmt;

use crate::container::{heif, jpeg, raw};

/// A picture format that is recognised by a file's first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are the names of formats")]
pub enum Format {
    Jpeg,
    Png,
    Gif,
    WebP,
    Tiff,
    Bmp,
    Heic,
    Avif,
    /// HEIF of another coding than HEVC and AV1, or of one that it does not tell.
    Heif,
    JpegXl,
    Jpeg2000,
    /// A camera's raw file.
    Raw(Raw),
}

/// The kind of a camera's raw file, by its usual extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are the names of formats")]
pub enum Raw {
    Arw,
    Cr2,
    Cr3,
    Crw,
    Dcr,
    Dng,
    Erf,
    Iiq,
    Mef,
    Mos,
    Mrw,
    Nef,
    Orf,
    Pef,
    Raf,
    Rw2,
    Srw,
    ThreeFr,
    X3f,
    /// One that is stored as a TIFF, of a camera that is not known.
    Other,
}

impl Format {
    /// The format of a file that begins with `bytes`; `None` if it is not a known one.
    ///
    /// ```
    /// use photo::Format;
    ///
    /// assert_eq!(Format::of(b"GIF89a\x10\0\x10\0"), Some(Format::Gif));
    /// assert_eq!(Format::of(b"Dear diary"), None);
    /// ```
    pub fn of(bytes: &[u8]) -> Option<Format> {
        match bytes {
            [0xFF, 0xD8, 0xFF, ..] => Some(Format::Jpeg),
            [0xFF, 0xD8, ..] if jpeg::begins(bytes) => Some(Format::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(Format::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Format::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Format::WebP),
            _ if has_tiff_header(bytes) => {
                Some(raw::of_tiff(bytes).map_or(Format::Tiff, Format::Raw))
            }
            [b'B', b'M', ..] if bytes.len() >= 26 => Some(Format::Bmp),
            [0xFF, 0x0A, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => Some(Format::JpegXl),
            // The signature box of JP2, and the bare codestream (ISO/IEC 15444-1 annexes I and A).
            [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] | [0xFF, 0x4F, 0xFF, 0x51, ..] => {
                Some(Format::Jpeg2000)
            }
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => heif::format(bytes),
            _ => raw::of_other(bytes).map(Format::Raw),
        }
    }

    /// The format's name in items and messages.
    pub fn name(self) -> &'static str {
        match self {
            Format::Jpeg => "JPEG",
            Format::Png => "PNG",
            Format::Gif => "GIF",
            Format::WebP => "WebP",
            Format::Tiff => "TIFF",
            Format::Bmp => "BMP",
            Format::Heic => "HEIC",
            Format::Avif => "AVIF",
            Format::Heif => "HEIF",
            Format::JpegXl => "JPEG XL",
            Format::Jpeg2000 => "JPEG 2000",
            Format::Raw(raw) => raw.name(),
        }
    }
}

impl Raw {
    /// The format's name in items.
    pub fn name(self) -> &'static str {
        self.make_and_name().1
    }

    /// Whose raw file it is, and its name.
    fn make_and_name(self) -> (&'static str, &'static str) {
        match self {
            Raw::Arw => ("a Sony", "ARW"),
            Raw::Cr2 => ("a Canon", "CR2"),
            Raw::Cr3 => ("a Canon", "CR3"),
            Raw::Crw => ("a Canon", "CRW"),
            Raw::Dcr => ("a Kodak", "DCR"),
            Raw::Dng => ("an Adobe", "DNG"),
            Raw::Erf => ("an Epson", "ERF"),
            Raw::Iiq => ("a Phase One", "IIQ"),
            Raw::Mef => ("a Mamiya", "MEF"),
            Raw::Mos => ("a Leaf", "MOS"),
            Raw::Mrw => ("a Minolta", "MRW"),
            Raw::Nef => ("a Nikon", "NEF"),
            Raw::Orf => ("an Olympus", "ORF"),
            Raw::Pef => ("a Pentax", "PEF"),
            Raw::Raf => ("a Fujifilm", "RAF"),
            Raw::Rw2 => ("a Panasonic", "RW2"),
            Raw::Srw => ("a Samsung", "SRW"),
            Raw::ThreeFr => ("a Hasselblad", "3FR"),
            Raw::X3f => ("a Sigma", "X3F"),
            Raw::Other => ("a camera's", "RAW"),
        }
    }
}

/// For messages, such as "a Canon raw file (CR2)".
impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (make, name) = self.make_and_name();
        write!(f, "{make} raw file ({name})")
    }
}

/// Whether the bytes begin like a TIFF, as blocks of EXIF do too. 43 is BigTIFF's.
pub(crate) fn has_tiff_header(bytes: &[u8]) -> bool {
    matches!(bytes, [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..])
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What an object's name and Content-Type claim about its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The content is a picture.
    Picture,
    /// The content is something else, such as a video or a text.
    Other,
    /// Neither the name nor the Content-Type says what the content is.
    Nothing,
}

/// Extensions of pictures, including cameras' raw files (exiftool, "Supported File Types").
const PICTURES: &[&str] = &[
    "jpg", "jpeg", "jpe", "jfif", "jif", "pjpeg", "mpo", "png", "apng", "gif", "webp", "tif",
    "tiff", "bmp", "dib", "heic", "heif", "hif", "heics", "avif", "avifs", "jxl", "jp2", "j2k",
    "jpf", "jpx", "jpm", "ico", "psd", "svg", "3fr", "arw", "cr2", "cr3", "crw", "dcr", "dng",
    "erf", "fff", "gpr", "iiq", "k25", "kdc", "mef", "mos", "mrw", "nef", "nrw", "orf", "pef",
    "raf", "raw", "rw2", "rwl", "sr2", "srf", "srw", "x3f",
];
/// Extensions of other files that are found next to pictures in an export or on a memory card.
const OTHERS: &[&str] = &[
    "mov", "mp4", "m4v", "avi", "mkv", "3gp", "3g2", "mts", "m2ts", "mpg", "mpeg", "webm", "wmv",
    "lrv", "thm", "insv", "mp3", "m4a", "wav", "aac", "json", "xml", "xmp", "aae", "txt", "html",
    "htm", "csv", "md", "pdf", "zip", "gz", "tar", "tgz", "7z", "rar", "gpx", "kml", "ds_store",
    "ini", "db", "dat", "log",
];
/// Beginnings of Content-Types that are not pictures.
const OTHER_TYPES: &[&str] =
    &["video/", "audio/", "text/", "application/json", "application/pdf", "application/zip"];

impl Claim {
    /// The claim of an object's key and Content-Type. Either of them can make it a picture.
    ///
    /// ```
    /// use photo::Claim;
    ///
    /// assert_eq!(Claim::of("trip/a.CR3", Some("binary/octet-stream")), Claim::Picture);
    /// assert_eq!(Claim::of("trip/clip.mov", None), Claim::Other);
    /// assert_eq!(Claim::of("trip/a", None), Claim::Nothing);
    /// ```
    pub fn of(key: &str, content_type: Option<&str>) -> Claim {
        let name = key.rsplit('/').next().unwrap_or_default();
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        let has_extension =
            |list: &[&str]| extension.as_deref().is_some_and(|one| list.contains(&one));
        let kind = content_type.unwrap_or_default().to_ascii_lowercase();
        let is_type = |prefixes: &[&str]| prefixes.iter().any(|prefix| kind.starts_with(prefix));
        if has_extension(PICTURES) || is_type(&["image/"]) {
            Claim::Picture
        } else if has_extension(OTHERS) || is_type(OTHER_TYPES) {
            Claim::Other
        } else {
            Claim::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_is_recognised_by_its_first_bytes() {
        let bitmap = [b"BM".as_slice(), &[0; 30]].concat();
        for (bytes, expected) in [
            (&b"\xFF\xD8\xFF\xE0"[..], Format::Jpeg),
            (b"\x89PNG\r\n\x1A\n", Format::Png),
            (b"GIF87a", Format::Gif),
            (b"GIF89a", Format::Gif),
            (b"RIFF\0\0\0\0WEBPVP8 ", Format::WebP),
            (b"II*\0", Format::Tiff),
            (b"MM\0*", Format::Tiff),
            (b"II+\0", Format::Tiff),
            (&bitmap, Format::Bmp),
            (b"\0\0\0\x18ftypheic", Format::Heic),
            (b"\0\0\0\x18ftypmif1", Format::Heic),
            (b"\0\0\0\x18ftypavif", Format::Avif),
            (b"\0\0\0\x18ftypavis", Format::Avif),
            (b"\xFF\x0A", Format::JpegXl),
            (b"\0\0\0\x0CjP  \r\n\x87\n", Format::Jpeg2000),
            (b"\xFF\x4F\xFF\x51\0", Format::Jpeg2000),
        ] {
            assert_eq!(Format::of(bytes), Some(expected), "{bytes:?}");
        }
    }

    #[test]
    fn each_raw_file_is_recognised_by_its_first_bytes() {
        for (bytes, name, message) in [
            (&b"II*\0\x10\0\0\0CR\x02\0"[..], "CR2", "a Canon raw file (CR2)"),
            (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", "CR3", "a Canon raw file (CR3)"),
            (b"II\x1A\0\0\0HEAPCCDR\x02\0", "CRW", "a Canon raw file (CRW)"),
            (b"II*\0\x10\0\0\0IIIITwaR", "IIQ", "a Phase One raw file (IIQ)"),
            (b"MM\0*\0\0\0\x10MMMMRawT", "IIQ", "a Phase One raw file (IIQ)"),
            (b"MM\0\0\0\x1AHEAPCCDR\0\x02", "CRW", "a Canon raw file (CRW)"),
            (b"\0MRM\0\0\x12\x34", "MRW", "a Minolta raw file (MRW)"),
            (b"\0MRI\x34\x12\0\0", "MRW", "a Minolta raw file (MRW)"),
            (b"IIRO\x08\0\0\0", "ORF", "an Olympus raw file (ORF)"),
            (b"IIRS\x08\0\0\0", "ORF", "an Olympus raw file (ORF)"),
            (b"MMOR\0\0\0\x08", "ORF", "an Olympus raw file (ORF)"),
            (b"FUJIFILMCCD-RAW 0201", "RAF", "a Fujifilm raw file (RAF)"),
            (b"IIU\0\x18\0\0\0", "RW2", "a Panasonic raw file (RW2)"),
            (b"FOVb\0\0\x02\0", "X3F", "a Sigma raw file (X3F)"),
        ] {
            let Some(Format::Raw(raw)) = Format::of(bytes) else { panic!("{bytes:?}") };
            assert_eq!((raw.name(), raw.to_string().as_str()), (name, message));
        }
    }

    #[test]
    fn texts_videos_and_empty_files_are_not_pictures() {
        for bytes in [&b""[..], b"Hello, this is text", b"BMW", b"\0\0\0\x18ftypmp42", b"\xFF\xD8"]
        {
            assert_eq!(Format::of(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn a_name_or_a_content_type_claims_a_picture_or_something_else() {
        for (key, content_type, expected) in [
            ("trip/a.jpg", None, Claim::Picture),
            ("trip/A.JPG", Some("video/mp4"), Claim::Picture),
            ("trip/a.CR3", Some("binary/octet-stream"), Claim::Picture),
            ("trip/a", Some("image/jpeg"), Claim::Picture),
            ("trip/a.mov", Some("Image/HEIC"), Claim::Picture),
            ("trip/IMG_0001.MOV", Some("video/quicktime"), Claim::Other),
            ("trip/IMG_0001.MOV", None, Claim::Other),
            ("trip/.DS_Store", Some("binary/octet-stream"), Claim::Other),
            ("trip/IMG_0001.jpg.json", None, Claim::Other),
            ("trip/clip", Some("video/mp4"), Claim::Other),
            ("trip/a", None, Claim::Nothing),
            ("trip/a", Some("application/octet-stream"), Claim::Nothing),
            ("trip.mov/a", None, Claim::Nothing),
            ("trip/2024.04", None, Claim::Nothing),
            ("trip/a. ", None, Claim::Nothing),
            ("trip/a.", None, Claim::Nothing),
            ("", None, Claim::Nothing),
        ] {
            assert_eq!(Claim::of(key, content_type), expected, "{key} {content_type:?}");
        }
    }
}
