//! The photos that are uploaded: those of a folder, or distinct ones made from the test photo.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use photo::{CancelFlag, Format, Orientation, Policy, Size, Sizing};
use turbojpeg::{Compressor, YuvImage};

use crate::progress::Progress;

/// The test photo, of 5323x8000 pixels.
const REFERENCE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/photos/ref-5323x8000.jpg");
/// JPEG quality on the IJG scale. It gives about as many bytes as the test photo has.
const QUALITY: i32 = 77;
/// Rows by which each photo begins lower than the one before. The number is even, as two rows of luma
/// share one of chroma.
const ROWS_LOWER: usize = 332;
/// Minutes between the times when two photos were taken.
const MINUTES_LATER: i64 = 7;

/// A photo to upload.
#[derive(Debug)]
pub struct Photo {
    /// Name of the file.
    pub name: String,
    pub bytes: Vec<u8>,
    pub content_type: String,
    /// Size as stored.
    size: Size,
    orientation: Orientation,
}

impl Photo {
    /// Size as displayed.
    pub fn size(&self) -> Size {
        self.orientation.displayed(self.size)
    }

    /// Size as displayed of a rendition.
    pub fn rendition_size(&self, sizing: Sizing) -> Size {
        sizing.of(self.size())
    }

    fn read(path: &Path) -> Result<Photo, String> {
        let bytes = fs::read(path).map_err(|error| cannot("read", path, &error))?;
        let inspected = photo::inspect(&bytes, Policy::default(), &CancelFlag::default());
        let header = inspected
            .header()
            .map_err(|error| format!("cannot read {} as a photo: {error}", path.display()))?;
        let format = inspected.format.map_or("", Format::name).to_lowercase();
        Ok(Photo {
            name: file_name(path),
            content_type: format!("image/{format}"),
            size: header.size,
            orientation: inspected.orientation(),
            bytes,
        })
    }
}

/// The first `count` photos of a folder by their names.
pub fn of_folder(folder: &Path, count: usize) -> Result<Vec<Photo>, String> {
    let entries = fs::read_dir(folder).map_err(|error| cannot("read", folder, &error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| cannot("read", folder, &error))?.path();
        if path.is_file() && !file_name(&path).starts_with('.') {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(format!(
            "no photos in {}: --photos must name a folder of photos",
            folder.display()
        ));
    }
    paths.sort();
    paths.iter().take(count).map(|path| Photo::read(path)).collect()
}

/// Distinct photos of 5323x8000 pixels, made in a folder unless they exist there.
pub fn made(folder: &Path, count: usize, progress: &Progress) -> Result<Vec<Photo>, String> {
    let paths: Vec<PathBuf> =
        (1..=count).map(|number| folder.join(format!("photo-{number:02}.jpg"))).collect();
    let missing = paths.iter().filter(|path| !path.exists()).count();
    if missing > 0 {
        fs::create_dir_all(folder).map_err(|error| cannot("make", folder, &error))?;
        let bar = progress.bar(format!("making photos in {}", folder.display()), missing);
        let reference =
            fs::read(REFERENCE).map_err(|error| cannot("read", REFERENCE.as_ref(), &error))?;
        let maker = Maker::new(&reference)?;
        for (number, path) in paths.iter().enumerate().filter(|(_, path)| !path.exists()) {
            write_whole(path, &maker.photo(number)?)?;
            bar.advance();
        }
    }
    paths.iter().map(|path| Photo::read(path)).collect()
}

/// Makes photos out of one: each begins lower, with the rows above at its end, and was taken later.
struct Maker {
    picture: YuvImage<Vec<u8>>,
    /// The APP segments of the photo: EXIF and colour profile.
    segments: Vec<u8>,
    taken_at: NaiveDateTime,
}

impl Maker {
    fn new(jpeg: &[u8]) -> Result<Maker, String> {
        let broken = |error| format!("the test photo is broken: {error}");
        let picture = turbojpeg::decompress_to_yuv(jpeg).map_err(|e| broken(e.to_string()))?;
        let taken_at =
            NaiveDate::from_ymd_opt(2024, 4, 6).and_then(|day| day.and_hms_opt(17, 23, 41));
        let taken_at =
            taken_at.ok_or_else(|| broken("the time that it should have is invalid".to_owned()))?;
        let segments = app_segments(jpeg);
        if !contains(&segments, &exif_time(taken_at)) {
            return Err(broken(format!("it was not taken at {taken_at}")));
        }
        Ok(Maker { picture, segments, taken_at })
    }

    fn photo(&self, number: usize) -> Result<Vec<u8>, String> {
        let failed = |error: turbojpeg::Error| format!("photo {number} cannot be made: {error}");
        let mut compressor = Compressor::new().map_err(failed)?;
        compressor.set_quality(QUALITY).map_err(failed)?;
        let pixels = self.pixels(number);
        let picture = YuvImage { pixels: pixels.as_slice(), ..self.picture.as_deref() };
        let jpeg = compressor.compress_yuv_to_vec(picture).map_err(failed)?;
        let later = self.taken_at + TimeDelta::minutes(MINUTES_LATER * number as i64);
        let segments = replaced(&self.segments, &exif_time(self.taken_at), &exif_time(later));
        let (start, rest) = jpeg.split_at(2);
        Ok([start, &segments, rest].concat())
    }

    /// Luma and chroma of the photo with this number.
    fn pixels(&self, number: usize) -> Vec<u8> {
        let (luma, chroma) = (self.picture.y_size(), self.picture.uv_size());
        let rows_lower = (number * ROWS_LOWER) % self.picture.height;
        let mut pixels = Vec::with_capacity(self.picture.pixels.len());
        let mut rest = self.picture.pixels.as_slice();
        for ((width, height), lower) in
            [(luma, rows_lower), (chroma, rows_lower / 2), (chroma, rows_lower / 2)]
        {
            let (plane, others) = rest.split_at(width * height);
            rest = others;
            let (above, below) = plane.split_at(lower * width);
            pixels.extend_from_slice(below);
            pixels.extend_from_slice(above);
        }
        pixels
    }
}

/// The APP1 to APP15 segments before a JPEG's picture (ITU-T T.81 annex B.2.4.6).
fn app_segments(jpeg: &[u8]) -> Vec<u8> {
    let mut segments = Vec::new();
    let mut rest = jpeg.get(2..).unwrap_or_default();
    while let [0xFF, marker, high, low, ..] = *rest {
        let length = 2 + usize::from(u16::from_be_bytes([high, low]));
        let Some((segment, behind)) = rest.split_at_checked(length) else { break };
        match marker {
            0xDA => break, // the picture begins
            0xE1..=0xEF => segments.extend_from_slice(segment),
            _ => {}
        }
        rest = behind;
    }
    segments
}

/// A time as EXIF has it (EXIF 2.32, clause 4.6.4, DateTime).
fn exif_time(time: NaiveDateTime) -> Vec<u8> {
    time.format("%Y:%m:%d %H:%M:%S").to_string().into_bytes()
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// The bytes with a text replaced by another of the same length.
fn replaced(bytes: &[u8], text: &[u8], by: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for start in 0..bytes.len() {
        if bytes[start..].starts_with(text) {
            bytes[start..start + text.len()].copy_from_slice(by);
        }
    }
    bytes
}

/// Writes a file so that nobody finds half of it, even if the test is interrupted.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let unfinished = path.with_extension("new");
    fs::write(&unfinished, bytes)
        .and_then(|()| fs::rename(&unfinished, path))
        .map_err(|error| cannot("write", path, &error))
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> String {
    format!("cannot {what} {}: {error}", path.display())
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn inspect(jpeg: &[u8]) -> photo::Inspected<'_> {
        photo::inspect(jpeg, Policy::default(), &CancelFlag::default())
    }

    fn taken_at(jpeg: &[u8]) -> String {
        inspect(jpeg).facts.taken_at.unwrap().iso8601()
    }

    #[test]
    fn made_photos_differ_in_pixels_and_time_and_are_else_like_the_test_photo() {
        let reference = fs::read(REFERENCE).unwrap();
        let maker = Maker::new(&reference).unwrap();
        let rows: HashSet<usize> =
            (0..24).map(|number| number * ROWS_LOWER % maker.picture.height).collect();
        assert_eq!(rows.len(), 24, "no two begin at the same row");

        let photo = maker.photo(3).unwrap();
        assert_eq!(inspect(&photo).header().unwrap().size, Size { width: 5323, height: 8000 });
        assert!(photo.len().abs_diff(reference.len()) < reference.len() / 10, "{}", photo.len());
        assert_eq!(taken_at(&reference), "2024-04-06T17:23:41.123+09:00");
        assert_eq!(taken_at(&photo), "2024-04-06T17:44:41.123+09:00");
        assert_ne!(maker.pixels(3), maker.picture.pixels);
        assert_eq!(maker.pixels(3).len(), maker.picture.pixels.len());
    }

    #[test]
    fn a_rendition_is_expected_as_the_photo_is_displayed() {
        let photo = Photo {
            name: "a.jpg".to_owned(),
            bytes: vec![],
            content_type: "image/jpeg".to_owned(),
            size: Size { width: 8000, height: 5323 },
            orientation: Orientation::from_exif(Some(6)),
        };
        assert_eq!(photo.size(), Size { width: 5323, height: 8000 });
        assert_eq!(photo.rendition_size(Sizing::Scale(0.25)), Size { width: 1331, height: 2000 });
    }
}
