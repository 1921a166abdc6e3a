//! Decodes fax: Modified Huffman and Group 3 (ITU-T T.4), and Group 4 (ITU-T T.6), as TIFF 6.0 sections 10
//! and 11 store them. The fax crate has the tables of codes; it decodes neither two-dimensional Group 3 nor
//! rows without end-of-line codes.

use std::convert::Infallible;
use std::io::{self, ErrorKind, Read};

use fax::BitReader;
use fax::maps::{Mode, black, mode, white};

/// Zeros at the start of an end-of-line code; a one follows. No other code begins with so many.
const ZEROS_OF_AN_END_OF_LINE: usize = 11;
/// The code of a run of at least this length is followed by another of the same colour.
const SHORTEST_MAKE_UP: u64 = 64;

/// The coding of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// Each row by itself, beginning with a new byte, without end-of-line codes.
    Huffman,
    /// With end-of-line codes; in two dimensions, the next bit says whether a row refers to that before it.
    Group3 { is_two_dimensional: bool },
    /// Each row refers to that before it.
    Group4,
}

/// A strip or tile, decoded row by row. Bits are 1 where it is black.
pub(super) struct Fax<'a> {
    bits: Bits<'a>,
    width: u64,
    coding: Coding,
    has_end_of_lines: bool,
    is_first: bool,
    /// The columns where the colour changes: first to black, then to white, and so on.
    changes: Vec<u64>,
    row: io::Cursor<Vec<u8>>,
}

impl<'a> Fax<'a> {
    pub fn new(chunk: &'a [u8], width: u64, coding: Coding) -> Fax<'a> {
        Fax {
            bits: Bits { bytes: chunk, position: 0 },
            width,
            coding,
            has_end_of_lines: false,
            is_first: true,
            changes: Vec::new(),
            row: io::Cursor::default(),
        }
    }

    fn decode_row(&mut self) -> io::Result<()> {
        let is_relative = match self.coding {
            Coding::Huffman => {
                self.bits.position = self.bits.position.next_multiple_of(8);
                false
            }
            Coding::Group3 { is_two_dimensional } => {
                self.skip_end_of_line()?;
                is_two_dimensional && self.bits.take(1) == 0
            }
            Coding::Group4 => true,
        };
        let before = std::mem::take(&mut self.changes);
        match is_relative {
            true => self.relative_row(&before)?,
            false => self.absolute_row()?,
        }
        if self.bits.is_beyond_end() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.draw()
    }

    /// Skips to behind the end-of-line code that begins a row. Some writers leave these codes out.
    fn skip_end_of_line(&mut self) -> io::Result<()> {
        let start = self.bits.position;
        let found = self.bits.skip_end_of_line(self.has_end_of_lines);
        if self.is_first {
            self.is_first = false;
            self.has_end_of_lines = found;
        }
        match (found, self.has_end_of_lines) {
            (true, _) => Ok(()),
            (false, true) => Err(ErrorKind::UnexpectedEof.into()),
            (false, false) => {
                self.bits.position = start;
                Ok(())
            }
        }
    }

    /// A row of runs, white and black in turn (T.4 clause 4.1).
    fn absolute_row(&mut self) -> io::Result<()> {
        let (mut column, mut is_black) = (0, false);
        while column < self.width {
            column += self.run(is_black)?;
            is_black = !is_black;
            self.change(column)?;
        }
        Ok(())
    }

    /// A row of changes relative to those of the row before it (T.6 clause 2.2).
    fn relative_row(&mut self, before: &[u64]) -> io::Result<()> {
        // The first column to which a change can refer: at the start of a row, that of the first pixel.
        let (mut column, mut reach, mut is_black, mut next) = (0, 0, false, 0);
        while column < self.width {
            while next > 0 && before.get(next - 1).is_some_and(|change| *change >= reach) {
                next -= 1;
            }
            while before.get(next).is_some_and(|change| *change < reach) {
                next += 1;
            }
            // Changes to black have even places.
            next += usize::from((next % 2 == 1) != is_black);
            let change_at = |place| before.get(place).copied().unwrap_or(self.width);
            match mode::decode(&mut self.bits) {
                Some(Mode::Pass) => column = change_at(next + 1),
                Some(Mode::Horizontal) => {
                    for is_black in [is_black, !is_black] {
                        column += self.run(is_black)?;
                        self.change(column)?;
                    }
                }
                Some(Mode::Vertical(offset)) => {
                    let change = change_at(next).checked_add_signed(offset.into());
                    column = change.filter(|change| *change >= column).ok_or_else(invalid)?;
                    self.change(column)?;
                    is_black = !is_black;
                }
                Some(Mode::Extension) => return Err(ErrorKind::Unsupported.into()),
                // The data may end before the picture does.
                Some(Mode::EOF) => return Err(ErrorKind::UnexpectedEof.into()),
                None => return Err(invalid()),
            }
            reach = column + 1;
        }
        Ok(())
    }

    /// The length of a run.
    fn run(&mut self, is_black: bool) -> io::Result<u64> {
        let mut length = 0;
        loop {
            let code = match is_black {
                true => black::decode(&mut self.bits),
                false => white::decode(&mut self.bits),
            };
            let code = u64::from(code.ok_or_else(invalid)?);
            length += code;
            if code < SHORTEST_MAKE_UP {
                return Ok(length);
            }
            if length > self.width {
                return Err(invalid());
            }
        }
    }

    /// Notes a change of colour. Two in the same column are none.
    fn change(&mut self, column: u64) -> io::Result<()> {
        if column > self.width {
            return Err(invalid());
        }
        if self.changes.last() == Some(&column) {
            self.changes.pop();
        } else if column < self.width {
            self.changes.push(column);
        }
        Ok(())
    }

    fn draw(&mut self) -> io::Result<()> {
        let bytes = usize::try_from(self.width.div_ceil(8)).map_err(io::Error::other)?;
        let row = self.row.get_mut();
        row.clear();
        row.resize(bytes, 0);
        for run in self.changes.chunks(2) {
            let (start, end) = (run.first(), run.get(1).unwrap_or(&self.width));
            blacken(row, *start.unwrap_or(end), *end);
        }
        self.row.set_position(0);
        Ok(())
    }
}

impl Read for Fax<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.row.position() == self.row.get_ref().len() as u64 {
            self.decode_row().map_err(|error| match self.bits.is_beyond_end() {
                true => ErrorKind::UnexpectedEof.into(),
                false => error,
            })?;
        }
        self.row.read(buffer)
    }
}

/// Sets the bits from `start` to before `end`.
fn blacken(row: &mut [u8], start: u64, end: u64) {
    let from = |column: u64| 0xFF_u8 >> (column % 8); // the bits from this column to its byte's end
    let (first, last) = ((start / 8) as usize, (end / 8) as usize);
    let mut set = |at: usize, bits: u8| {
        if let Some(byte) = row.get_mut(at) {
            *byte |= bits;
        }
    };
    if first == last {
        set(first, from(start) & !from(end));
        return;
    }
    set(first, from(start));
    set(last, !from(end));
    if let Some(bytes) = row.get_mut(first + 1..last) {
        bytes.fill(0xFF);
    }
}

fn invalid() -> io::Error {
    io::Error::other("invalid fax code")
}

/// Bits, the highest of a byte first. Behind the end come zeros.
struct Bits<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl Bits<'_> {
    /// The next bits, at most 16.
    fn peek(&self, count: u8) -> u16 {
        let start = self.position / 8;
        let byte = |at: usize| u32::from(self.bytes.get(start + at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let bits = bits << (8 + self.position % 8);
        (u64::from(bits) >> (32 - count)) as u16
    }

    fn take(&mut self, count: u8) -> u16 {
        let bits = self.peek(count);
        self.position += usize::from(count);
        bits
    }

    fn is_beyond_end(&self) -> bool {
        self.position > 8 * self.bytes.len()
    }

    /// Skips an end-of-line code, and what stands before it if it is wanted. Returns whether there is one.
    fn skip_end_of_line(&mut self, is_wanted: bool) -> bool {
        let mut zeros = 0;
        while self.position < 8 * self.bytes.len() {
            match self.take(1) {
                0 => zeros += 1,
                _ if zeros >= ZEROS_OF_AN_END_OF_LINE => return true,
                _ if is_wanted => zeros = 0,
                _ => return false,
            }
        }
        false
    }
}

impl BitReader for Bits<'_> {
    type Error = Infallible;

    fn peek(&self, bits: u8) -> Option<u16> {
        Some(Bits::peek(self, bits))
    }

    fn consume(&mut self, bits: u8) -> Result<(), Infallible> {
        self.position += usize::from(bits);
        Ok(())
    }

    fn bits_to_byte_boundary(&self) -> u8 {
        (self.position.next_multiple_of(8) - self.position) as u8
    }
}

#[cfg(test)]
mod tests {
    use fax::encoder::Encoder;
    use fax::{Color, VecWriter};

    use super::*;

    #[test]
    fn exactly_the_pixels_of_a_run_are_blackened() {
        for start in 0..24 {
            for end in start..=24 {
                let mut row = [0; 3];
                blacken(&mut row, start, end);
                let pixels = (0..24u64).map(|x| row[x as usize / 8] >> (7 - x % 8) & 1 == 1);
                assert!(pixels.eq((0..24).map(|x| (start..end).contains(&x))), "{start} to {end}");
            }
        }
    }

    #[test]
    fn bits_are_read_across_bytes_and_are_zero_behind_the_end() {
        let mut bits = Bits { bytes: b"\xA5\x0F\xFF", position: 0 };
        assert_eq!(bits.peek(16), 0xA50F);
        assert_eq!(bits.take(3), 0b101);
        assert_eq!(bits.peek(13), 0x50F);
        assert_eq!(bits.take(16), 0b0010_1000_0111_1111);
        assert_eq!(bits.take(8), 0b1111_1000);
        assert!(bits.is_beyond_end());
    }

    fn decoded(coding: Coding, width: u64, bytes: &[u8], rows: usize) -> io::Result<Vec<u8>> {
        let mut pixels = vec![0; rows * width.div_ceil(8) as usize];
        Fax::new(bytes, width, coding).read_exact(&mut pixels).map(|()| pixels)
    }

    #[test]
    fn a_fax_that_is_cut_off_is_noticed() {
        // Two vertical codes of one bit: the row is white, and no row follows.
        let end = decoded(Coding::Group4, 8, b"", 1).unwrap_err();
        assert_eq!(end.kind(), ErrorKind::UnexpectedEof);
        assert_eq!(decoded(Coding::Group4, 8, b"\x80", 1).unwrap(), [0]);
        let end = decoded(Coding::Group4, 8, b"\x80\x01\x00\x10", 2).unwrap_err();
        assert_eq!(end.kind(), ErrorKind::UnexpectedEof, "the data says that it ends");
    }

    #[test]
    fn a_change_in_the_first_column_is_one() {
        // Horizontal: no white pixel, eight black ones; then the same row again by one vertical code each.
        let bytes = [0b0010_0110, 0b1010_0010, 0b1110_0000];
        assert_eq!(decoded(Coding::Group4, 8, &bytes, 2).unwrap(), [0xFF, 0xFF]);
    }

    /// Bytes of these bits, whatever stands between them.
    fn bytes(bits: &str) -> Vec<u8> {
        let bits: Vec<u8> = bits.bytes().filter(|bit| b"01".contains(bit)).collect();
        let byte = |eight: &[u8]| {
            eight.iter().zip(0..).fold(0, |byte, (bit, at)| byte | (bit - b'0') << (7 - at))
        };
        bits.chunks(8).map(byte).collect()
    }

    const ONE_DIMENSION: Coding = Coding::Group3 { is_two_dimensional: false };
    const TWO_DIMENSIONS: Coding = Coding::Group3 { is_two_dimensional: true };
    const END_OF_LINE: &str = "000000000001";
    // Rows of eight pixels: three white and five black, all white.
    const HALF: &str = "1000 0011";
    const WHITE: &str = "10011";

    #[test]
    fn group_4_gives_back_every_picture() {
        let mut state = 7_u32;
        let mut noise = |denseness: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) % 16 < denseness
        };
        for denseness in [1, 3, 8, 15] {
            for width in [1_u16, 8, 31, 200, 6000] {
                let mut encoder = Encoder::new(VecWriter::new());
                let mut expected = Vec::new();
                for _ in 0..20 {
                    let row: Vec<bool> = (0..width).map(|_| noise(denseness)).collect();
                    let colour =
                        |is_black: &bool| if *is_black { Color::Black } else { Color::White };
                    encoder.encode_line(row.iter().map(colour), width).unwrap();
                    let bits = row.iter().map(|is_black| if *is_black { '1' } else { '0' });
                    expected.extend(bytes(&bits.collect::<String>()));
                }
                let data = encoder.finish().unwrap().finish();
                let shown = decoded(Coding::Group4, width.into(), &data, 20).unwrap();
                assert!(shown == expected, "{width} {denseness}");
            }
        }
    }

    #[test]
    fn group_3_may_lack_its_end_of_line_codes() {
        let data = bytes(&[HALF, WHITE, HALF].concat());
        assert_eq!(decoded(ONE_DIMENSION, 8, &data, 3).unwrap(), [0x1F, 0, 0x1F]);
    }

    #[test]
    fn what_stands_before_an_end_of_line_code_is_no_part_of_the_picture() {
        let fill = "0000 0000";
        for between in ["", fill, "0101", "1"] {
            let data =
                [END_OF_LINE, HALF, between, END_OF_LINE, WHITE, fill, END_OF_LINE, HALF].concat();
            let shown = decoded(ONE_DIMENSION, 8, &bytes(&data), 3).unwrap();
            assert_eq!(shown, [0x1F, 0, 0x1F], "{between}");
        }
        let without_the_last = bytes(&[END_OF_LINE, HALF, END_OF_LINE, WHITE, HALF].concat());
        let error = decoded(ONE_DIMENSION, 8, &without_the_last, 3).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_run_of_no_pixels_changes_no_colour() {
        // Three white, no black and five white pixels; then a row like it.
        let data = [END_OF_LINE, "1", "1000 0000110111 1100", END_OF_LINE, "0", "1"].concat();
        assert_eq!(decoded(TWO_DIMENSIONS, 8, &bytes(&data), 2).unwrap(), [0, 0]);
    }

    #[test]
    fn rows_that_break_off_or_do_not_fit_are_refused() {
        // A second row of eleven white pixels of which the last bits are missing.
        let error = decoded(ONE_DIMENSION, 11, &[0b0100_0010], 2).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        // Nine white pixels in a row of eight; a change before the one at which the row has arrived.
        let backwards = "001 1011 011  001 1100 010 0000010 1 0000000";
        for (bits, count) in [("001 10100 010", 1), (backwards, 2)] {
            let error = decoded(Coding::Group4, 8, &bytes(bits), count).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Other, "{bits}");
        }
        let extension = decoded(Coding::Group4, 8, &bytes("0000001111 0000000000"), 1).unwrap_err();
        assert_eq!(extension.kind(), ErrorKind::Unsupported);
    }
}
