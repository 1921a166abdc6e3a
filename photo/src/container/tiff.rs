//! The directories of a TIFF: fields and their values (TIFF 6.0 pages 13 to 16; BigTIFF as libtiff describes
//! it). Nothing is copied.

use crate::PhotoError;

/// Most fields of a directory: as many as a TIFF can count, and a BigTIFF may count more.
const MAX_FIELDS: usize = u16::MAX as usize;

/// The bytes of a file, and the byte order and width of its numbers.
#[derive(Clone, Copy, Debug)]
struct File<'a> {
    bytes: &'a [u8],
    is_big_endian: bool,
    /// Whether offsets and counts have eight bytes, as in BigTIFF.
    is_wide: bool,
}

/// A directory, which describes one picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Directory<'a> {
    file: File<'a>,
    entries: &'a [u8],
}

/// A field's values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub bytes: &'a [u8],
    is_big_endian: bool,
    /// Bytes of a whole number; 0 if the values are none.
    width: usize,
    is_fraction: bool,
}

impl<'a> File<'a> {
    fn new(bytes: &'a [u8]) -> Option<File<'a>> {
        let is_big_endian = match bytes.first_chunk()? {
            b"II" => false,
            b"MM" => true,
            _ => return None,
        };
        let is_wide = number(bytes.get(2..4)?, is_big_endian) == 43;
        Some(File { bytes, is_big_endian, is_wide })
    }

    fn number(self, at: usize, width: usize) -> Option<u64> {
        Some(number(self.bytes.get(at..)?.get(..width)?, self.is_big_endian))
    }

    fn offset(self, at: usize) -> Option<usize> {
        usize::try_from(self.number(at, if self.is_wide { 8 } else { 4 })?).ok()
    }

    fn entry_bytes(self) -> usize {
        if self.is_wide { 20 } else { 12 }
    }

    fn directory(self, offset: usize) -> Option<Directory<'a>> {
        let count_bytes = if self.is_wide { 8 } else { 2 };
        let count = usize::try_from(self.number(offset, count_bytes)?).ok()?.min(MAX_FIELDS);
        let entries = self.bytes.get(offset.checked_add(count_bytes)?..)?;
        Some(Directory { file: self, entries: entries.get(..count * self.entry_bytes())? })
    }
}

impl<'a> Directory<'a> {
    /// The first directory; `None` if it is not in the file.
    pub fn first(tiff: &'a [u8]) -> Option<Directory<'a>> {
        let file = File::new(tiff)?;
        file.directory(file.offset(if file.is_wide { 8 } else { 4 })?)
    }

    /// The directory at this offset.
    pub fn at(self, offset: u64) -> Option<Directory<'a>> {
        self.file.directory(usize::try_from(offset).ok()?)
    }

    pub fn is_big_endian(self) -> bool {
        self.file.is_big_endian
    }

    /// Whether there is a field of this tag, even if its values are missing.
    pub fn has(self, tag: u16) -> bool {
        self.field(tag).map_or(true, |field| field.is_some())
    }

    /// The first field of this tag.
    ///
    /// # Errors
    /// [`PhotoError::Truncated`] if its values lie beyond the end of the file.
    pub fn field(self, tag: u16) -> Result<Option<Field<'a>>, PhotoError> {
        let order = self.file.is_big_endian;
        let is_of_tag = |entry: &&[u8]| {
            entry.get(..2).is_some_and(|found| number(found, order) == u64::from(tag))
        };
        let mut entries = self.entries.chunks_exact(self.file.entry_bytes());
        let Some(entry) = entries.find(is_of_tag) else { return Ok(None) };
        match self.values(entry) {
            Some(field) => Ok(Some(field)),
            None => Err(PhotoError::Truncated {
                bytes: self.file.bytes.len(),
                what: format!("the values of tag {tag} are missing"),
            }),
        }
    }

    /// The values of an entry: tag, type, count, and the values or their offset.
    fn values(self, entry: &'a [u8]) -> Option<Field<'a>> {
        let order = self.file.is_big_endian;
        let place_bytes = if self.file.is_wide { 8 } else { 4 };
        let kind = number(entry.get(2..4)?, order);
        let count = usize::try_from(number(entry.get(4..4 + place_bytes)?, order)).ok()?;
        let place = entry.get(4 + place_bytes..)?;
        let is_whole_number = matches!(kind, 1 | 3 | 4 | 6 | 8 | 9 | 13 | 16..=18);
        let width = if is_whole_number { bytes_of_a_value(kind) } else { 0 };
        let length = count.checked_mul(bytes_of_a_value(kind))?;
        let bytes = match length <= place_bytes {
            true => place.get(..length)?,
            false => {
                let offset = usize::try_from(number(place, order)).ok()?;
                self.file.bytes.get(offset..)?.get(..length)?
            }
        };
        Some(Field { bytes, is_big_endian: order, width, is_fraction: kind == 5 })
    }
}

impl<'a> Field<'a> {
    /// Whole numbers; none if the values are of another type.
    pub fn numbers(self) -> impl ExactSizeIterator<Item = u64> + 'a {
        let values = match self.width {
            0 => [].chunks_exact(1),
            width => self.bytes.chunks_exact(width),
        };
        values.map(move |value| number(value, self.is_big_endian))
    }

    /// Fractions (RATIONAL); none if the values are of another type.
    pub fn fractions(self) -> impl Iterator<Item = f64> + 'a {
        let values = if self.is_fraction { self.bytes } else { &[] };
        values.chunks_exact(8).map(move |value| {
            let (numerator, denominator) = value.split_at(4);
            let [numerator, denominator] =
                [numerator, denominator].map(|part| number(part, self.is_big_endian) as f64);
            numerator / denominator
        })
    }
}

/// Bytes of a value of this type (page 15; 13 is IFD in TIFF Technical Note 1, 16 to 18 are BigTIFF's), 1 if
/// it is unknown.
pub(crate) fn bytes_of_a_value(kind: u64) -> usize {
    match kind {
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16..=18 => 8,
        _ => 1,
    }
}

/// The whole number in these bytes, at most eight.
pub(crate) fn number(bytes: &[u8], is_big_endian: bool) -> u64 {
    let append = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    match is_big_endian {
        true => bytes.iter().fold(0, append),
        false => bytes.iter().rev().fold(0, append),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory with one field.
    fn file(is_big_endian: bool, is_wide: bool, kind: u16, count: u64, place: u64) -> Vec<u8> {
        let mut file = if is_big_endian { b"MM".to_vec() } else { b"II".to_vec() };
        let mut put = |number: u64, width: usize| match is_big_endian {
            true => file.extend(&number.to_be_bytes()[8 - width..]),
            false => file.extend(&number.to_le_bytes()[..width]),
        };
        let (wide, narrow) = if is_wide { (8, 8) } else { (4, 2) };
        put(if is_wide { 43 } else { 42 }, 2);
        if is_wide {
            put(8, 2);
            put(0, 2);
        }
        put(if is_wide { 16 } else { 8 }, wide);
        put(1, narrow);
        put(273, 2);
        put(kind.into(), 2);
        put(count, wide);
        put(place, wide);
        file
    }

    fn numbers(file: &[u8], tag: u16) -> Result<Option<Vec<u64>>, PhotoError> {
        let field = Directory::first(file).unwrap().field(tag)?;
        Ok(field.map(|field| field.numbers().collect()))
    }

    #[test]
    fn values_stand_in_their_entry_or_where_it_points() {
        for is_big_endian in [false, true] {
            for is_wide in [false, true] {
                let kind = if is_wide { 16 } else { 4 };
                let inside = file(is_big_endian, is_wide, kind, 1, 70_000);
                assert_eq!(numbers(&inside, 273), Ok(Some(vec![70_000])));
                assert_eq!(numbers(&inside, 274), Ok(None));
                let end = inside.len() as u64;
                let mut outside = file(is_big_endian, is_wide, 3, 5, end);
                for value in 1..=5u16 {
                    let [low, high] = value.to_le_bytes();
                    outside.extend(if is_big_endian { [high, low] } else { [low, high] });
                }
                assert_eq!(numbers(&outside, 273), Ok(Some(vec![1, 2, 3, 4, 5])));
                outside.pop();
                assert_eq!(numbers(&outside, 273).unwrap_err().name(), "TruncatedPhoto");
            }
        }
    }

    #[test]
    fn a_directory_that_is_cut_off_is_none() {
        let whole = file(false, false, 4, 1, 7);
        for length in 0..whole.len() {
            assert!(Directory::first(&whole[..length]).is_none(), "{length}");
        }
        assert!(Directory::first(b"II*\0\xFF\xFF\xFF\xFF").is_none());
    }

    #[test]
    fn counts_beyond_any_file_do_no_harm() {
        for kind in 0..=19 {
            for count in [u64::MAX, u64::MAX / 8 + 2, 1 << 40] {
                let wide = file(true, true, kind, count, 8);
                assert_eq!(numbers(&wide, 273).unwrap_err().name(), "TruncatedPhoto");
            }
        }
    }
}
