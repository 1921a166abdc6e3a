//! The work that LZW streams cause besides producing bytes: writing code tables.

use crate::PhotoError;

/// Most table entries that weezl 0.1 may write for one picture, at about 1 ns each. An encoder that does
/// not compress at all clears its table every 254 codes, and needs a quarter of this for 100 megapixels.
const MAX_TABLES_COST: u64 = 500_000_000;
/// Fixed cost of a table, in entries.
const COST_OF_A_TABLE: u64 = 40;
/// Length of the longest code, in bits.
const MAX_CODE_SIZE: u32 = 12;

/// The two variants of LZW in picture files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lzw {
    /// Lowest bits first (GIF 89a appendix F).
    Gif,
    /// Highest bits first, and codes grow one code earlier (TIFF 6.0 page 60).
    Tiff,
}

impl Lzw {
    /// Adds the cost of a stream's tables to `cost`. Its first codes have `min_size` + 1 bits. Every clear
    /// code makes the decoder write a new table, and a stream can consist of clear codes alone.
    ///
    /// # Errors
    /// [`PhotoError::Corrupt`] if `cost` exceeds that of any photo.
    pub fn count_tables(
        self,
        data: impl Iterator<Item = u8>,
        min_size: u8,
        cost: &mut u64,
    ) -> Result<(), PhotoError> {
        let min_size = u32::from(min_size.min(11));
        let (clear, end) = (1u32 << min_size, (1u32 << min_size) + 1);
        let early = u32::from(self == Lzw::Tiff);
        let (mut size, mut next_code, mut has_last) = (min_size + 1, clear + 2, false);
        let (mut buffer, mut bits) = (0u32, 0);
        for byte in data {
            match self {
                Lzw::Gif => buffer |= u32::from(byte) << bits,
                Lzw::Tiff => buffer = buffer << 8 | u32::from(byte),
            }
            bits += 8;
            while bits >= size {
                bits -= size;
                let mask = (1 << size) - 1;
                let code = match self {
                    Lzw::Gif => {
                        let code = buffer & mask;
                        buffer >>= size;
                        code
                    }
                    Lzw::Tiff => buffer >> bits & mask,
                };
                if code == clear {
                    *cost += COST_OF_A_TABLE + u64::from(clear);
                    if *cost > MAX_TABLES_COST {
                        let what = "its data resets its code table more often than any photo's";
                        return Err(PhotoError::Corrupt(what.into()));
                    }
                    (size, next_code, has_last) = (min_size + 1, clear + 2, false);
                } else if code == end || code > next_code || (code == next_code && !has_last) {
                    return Ok(()); // the decoder stops here too
                } else if has_last && next_code < 1 << MAX_CODE_SIZE {
                    if next_code + early >= (1 << size) - 1 && size < MAX_CODE_SIZE {
                        size += 1;
                    }
                    next_code += 1;
                } else {
                    has_last = true;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packs codes of 9 bits, highest bit first.
    fn tiff_codes(codes: &[u16]) -> Vec<u8> {
        let bits: Vec<bool> = codes
            .iter()
            .flat_map(|code| (0..9).rev().map(move |bit| code >> bit & 1 == 1))
            .collect();
        let byte = |bits: &[bool]| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
        bits.chunks(8).map(byte).collect()
    }

    fn cost(kind: Lzw, data: &[u8], min_size: u8) -> Result<u64, PhotoError> {
        let mut cost = 0;
        kind.count_tables(data.iter().copied(), min_size, &mut cost).map(|()| cost)
    }

    #[test]
    fn every_new_table_is_counted() {
        let codes = [256, 1, 2, 3, 256, 256, 4, 256, 257, 256];
        assert_eq!(
            cost(Lzw::Tiff, &tiff_codes(&codes), 8),
            Ok(4 * 296),
            "nothing counts after the end code"
        );
        let wrong = [256, 1, 300, 256];
        assert_eq!(
            cost(Lzw::Tiff, &tiff_codes(&wrong), 8),
            Ok(296),
            "nothing counts after an invalid code"
        );
        // Codes of 3 bits, lowest bit first: clear, clear, clear.
        assert_eq!(cost(Lzw::Gif, &[0b00_100_100, 0b1], 2), Ok(3 * 44));
    }

    #[test]
    fn a_stream_is_followed_as_its_codes_grow() {
        // A real encoder's output: with wrong code widths, other codes would be read.
        let data: Vec<u8> = (0..20_000u32).map(|i| ((i * i) >> 7) as u8).collect();
        let gif = weezl(weezl::BitOrder::Lsb, false, &data);
        let tables = |cost: u64| cost / 296;
        assert_eq!(tables(cost(Lzw::Gif, &gif, 8).unwrap()), weezl_clears(&data));
        let tiff = weezl(weezl::BitOrder::Msb, true, &data);
        assert_eq!(tables(cost(Lzw::Tiff, &tiff, 8).unwrap()), weezl_clears(&data));
    }

    fn weezl(order: weezl::BitOrder, is_tiff: bool, data: &[u8]) -> Vec<u8> {
        let mut encoder = match is_tiff {
            true => weezl::encode::Encoder::with_tiff_size_switch(order, 8),
            false => weezl::encode::Encoder::new(order, 8),
        };
        encoder.encode(data).unwrap()
    }

    /// Clear codes of weezl's encoder: one at the start, and one whenever 4,096 codes are used up.
    fn weezl_clears(data: &[u8]) -> u64 {
        let (mut known, mut next, mut word, mut clears) =
            (std::collections::HashSet::new(), 258, Vec::new(), 1);
        for byte in data {
            word.push(*byte);
            if word.len() > 1 && known.insert(word.clone()) {
                word = vec![*byte];
                next += 1;
                if next > 4096 {
                    (known, next, clears) = (std::collections::HashSet::new(), 258, clears + 1);
                }
            }
        }
        clears
    }

    #[test]
    fn more_tables_than_any_photo_needs_are_refused() {
        let most = MAX_TABLES_COST / 296;
        let clears = |count: u64| cost(Lzw::Tiff, &tiff_codes(&vec![256; count as usize]), 8);
        assert!(clears(most).is_ok());
        assert!(matches!(clears(most + 1), Err(PhotoError::Corrupt(_))));
    }
}
