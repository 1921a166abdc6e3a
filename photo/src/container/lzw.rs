//! What an LZW stream makes its decoder do beside giving out bytes.

use crate::PhotoError;

/// What the tables of a picture may cost, in the entries that weezl 0.1 writes, each about 1 ns: an
/// encoder that only says each byte as it is clears its table every 254 codes, and needs a quarter of this
/// for 100 megapixels.
const MAX_TABLES_COST: u64 = 500_000_000;
/// Of a table, beside its entries.
const COST_OF_A_TABLE: u64 = 40;
/// Bits of the longest code.
const MAX_CODE_SIZE: u32 = 12;

/// The two kinds of LZW that pictures have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lzw {
    /// The lowest bits first (GIF 89a appendix F).
    Gif,
    /// The highest bits first, and longer codes one code earlier (TIFF 6.0 page 60).
    Tiff,
}

impl Lzw {
    /// Adds to `cost` what the tables of a stream cost, whose first codes have `min_size` + 1 bits. A code
    /// that clears the table makes the decoder write it anew, and is all that a stream needs to have.
    ///
    /// # Errors
    /// It costs more than any picture's.
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
                        let what = "its data clears its table more often than any picture's";
                        return Err(PhotoError::Corrupt(what.into()));
                    }
                    (size, next_code, has_last) = (min_size + 1, clear + 2, false);
                } else if code == end || code > next_code || (code == next_code && !has_last) {
                    return Ok(()); // where the decoder ends, or gives up
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

    /// Codes of 9 bits, the highest first.
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
    fn each_table_that_is_written_anew_is_counted() {
        let codes = [256, 1, 2, 3, 256, 256, 4, 256, 257, 256];
        assert_eq!(cost(Lzw::Tiff, &tiff_codes(&codes), 8), Ok(4 * 296), "not behind the end");
        let wrong = [256, 1, 300, 256];
        assert_eq!(cost(Lzw::Tiff, &tiff_codes(&wrong), 8), Ok(296), "not behind a wrong code");
        // Codes of 3 bits, the lowest first: clear, clear, clear.
        assert_eq!(cost(Lzw::Gif, &[0b00_100_100, 0b1], 2), Ok(3 * 44));
    }

    #[test]
    fn a_whole_stream_is_followed_as_its_codes_grow() {
        // One table for all of it, as any encoder's output has: with the widths followed wrongly, other
        // codes would be read.
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

    /// weezl's encoder clears at the beginning, and whenever 4,096 codes are used up.
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
    fn more_tables_than_any_picture_has_are_refused() {
        let most = MAX_TABLES_COST / 296;
        let clears = |count: u64| cost(Lzw::Tiff, &tiff_codes(&vec![256; count as usize]), 8);
        assert!(clears(most).is_ok());
        assert!(matches!(clears(most + 1), Err(PhotoError::Corrupt(_))));
    }
}
