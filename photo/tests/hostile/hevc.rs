//! Writes HEVC streams of gray pictures, and HEICs that hold them.
//!
//! The decoder's own tables of arithmetic coding are used, the other way round (ITU-T H.265 clause 9.3.4).

use heifer_hevc_dec::cabac::RANGE_TAB_LPS;
use heifer_hevc_dec::contexts::{Contexts, ctx};

use super::files::media_box;

/// Writes bits, the highest first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    free: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        for bit in (0..count).rev() {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            self.free -= 1;
            *self.bytes.last_mut().unwrap() |= ((value >> bit & 1) as u8) << self.free;
        }
    }

    /// Exponential-Golomb codes (clause 9.2).
    fn codes(&mut self, values: &[u32]) {
        for value in values {
            let bits = (value + 1).ilog2();
            self.put(0, bits);
            self.put(value + 1, bits + 1);
        }
    }

    /// The bytes, after a one and as many zeros as fill the last of them.
    fn ended(mut self) -> Vec<u8> {
        self.put(1, 1);
        self.bytes
    }
}

/// The arithmetic encoder.
struct Encoder {
    bits: Bits,
    contexts: Contexts,
    low: u32,
    range: u32,
    outstanding: u32,
    is_first: bool,
}

impl Encoder {
    fn new() -> Encoder {
        let (bits, contexts) = (Bits::default(), Contexts::new(26));
        Encoder { bits, contexts, low: 0, range: 510, outstanding: 0, is_first: true }
    }

    fn put(&mut self, bit: u32) {
        if !self.is_first {
            self.bits.put(bit, 1);
        }
        self.is_first = false;
        for _ in 0..std::mem::take(&mut self.outstanding) {
            self.bits.put(1 - bit, 1);
        }
    }

    fn renormalize(&mut self) {
        while self.range < 256 {
            self.put_one();
            self.range <<= 1;
        }
    }

    /// Puts the highest bit of `low`, or remembers that it is not known yet.
    fn put_one(&mut self) {
        match self.low {
            0..256 => self.put(0),
            512.. => {
                self.low -= 512;
                self.put(1);
            }
            256..512 => {
                self.low -= 256;
                self.outstanding += 1;
            }
        }
        self.low <<= 1;
    }

    fn decision(&mut self, context: usize, bin: u8) {
        let model = &mut self.contexts[context];
        let share = RANGE_TAB_LPS[usize::from(model.state)][(self.range >> 6 & 3) as usize];
        self.range -= u32::from(share);
        if bin != model.mps {
            self.low += self.range;
            self.range = share.into();
        }
        model.update(bin);
        self.renormalize();
    }

    /// A bin of 0 without a context.
    fn zero(&mut self) {
        self.low <<= 1;
        match self.low {
            0..512 => self.put(0),
            1024.. => {
                self.low -= 1024;
                self.put(1);
            }
            512..1024 => {
                self.low -= 512;
                self.outstanding += 1;
            }
        }
    }

    fn terminate(&mut self, is_end: bool) {
        self.range -= 2;
        if is_end {
            self.low += self.range;
            self.range = 2;
        }
        self.renormalize();
        if is_end {
            self.put(self.low >> 9 & 1);
            self.bits.put(self.low >> 7 & 3 | 1, 2);
        }
    }
}

/// A stream of one picture.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    /// Width and height, multiples of a block.
    pub size: (u32, u32),
    /// What is not shown at the left, right, top and bottom, in samples of chroma.
    pub hidden: [u32; 4],
    /// 0 without chroma, 1 for 4:2:0, 2 for 4:2:2, 3 for 4:4:4.
    pub chroma: u32,
    pub bits: u32,
    /// The logarithm of a block's side: 4 or 5.
    pub block: u32,
    /// The number of its parameter sets.
    pub id: u32,
    /// Columns and rows of HEVC's own tiles.
    pub tiles: (u32, u32),
    /// The width of the first column of tiles in blocks, if not all columns are alike.
    pub first_column: Option<u32>,
    /// Whether each row of a tile begins anew.
    pub has_rows: bool,
    pub has_separate_planes: bool,
}

pub const STREAM: Stream = Stream {
    size: (64, 64),
    hidden: [0; 4],
    chroma: 1,
    bits: 8,
    block: 5,
    id: 0,
    tiles: (1, 1),
    first_column: None,
    has_rows: false,
    has_separate_planes: false,
};

impl Stream {
    pub fn of_size(width: u32, height: u32) -> Stream {
        Stream { size: (width, height), ..STREAM }
    }

    /// Columns and rows of blocks.
    fn blocks(&self) -> (u32, u32) {
        let side = |length: u32| length.div_ceil(1 << self.block);
        (side(self.size.0), side(self.size.1))
    }

    fn has_tiles(&self) -> bool {
        self.tiles != (1, 1)
    }

    /// The size of what is shown.
    pub fn shown(&self) -> (u32, u32) {
        let (across, down) = [(1, 1), (2, 2), (2, 1), (1, 1)][self.chroma as usize];
        let [left, right, top, bottom] = self.hidden;
        (self.size.0 - (left + right) * across, self.size.1 - (top + bottom) * down)
    }

    /// The sequence parameter set (clause 7.3.2.2).
    pub fn sps(&self) -> Vec<u8> {
        let mut bits = Bits::default();
        bits.put(1, 4 + 3 + 1);
        bits.put(4, 2 + 1 + 5); // the profile of the range extensions
        for (value, count) in [(0x0800_0000, 32), (0, 32), (0, 16), (186, 8)] {
            bits.put(value, count);
        }
        bits.codes(&[self.id, self.chroma]);
        if self.chroma == 3 {
            bits.put(self.has_separate_planes.into(), 1);
        }
        bits.codes(&[self.size.0, self.size.1]);
        bits.put(u32::from(self.hidden != [0; 4]), 1);
        if self.hidden != [0; 4] {
            bits.codes(&self.hidden);
        }
        bits.codes(&[self.bits - 8, self.bits - 8, 0]);
        bits.put(1, 1);
        // Blocks of one size, transforms of 4 samples to that size.
        bits.codes(&[0, 0, 0, self.block - 3, 0, 0, self.block - 2, 0, 0]);
        bits.put(0, 4); // no scaling lists, asymmetric parts, sample adaptive offset and PCM
        bits.codes(&[0]);
        bits.put(0b0_0100, 5);
        unit(33, bits)
    }

    /// The picture parameter set (clause 7.3.2.3).
    pub fn pps(&self) -> Vec<u8> {
        let mut bits = Bits::default();
        bits.codes(&[self.id, self.id]);
        bits.put(u32::from(self.has_rows), 1); // dependent slices
        bits.put(0, 1 + 3 + 1 + 1);
        bits.codes(&[0, 0, 0]);
        bits.put(0, 1 + 1 + 1);
        bits.codes(&[0, 0]);
        bits.put(0, 4);
        bits.put(self.has_tiles().into(), 1);
        bits.put(self.has_rows.into(), 1);
        if self.has_tiles() {
            bits.codes(&[self.tiles.0 - 1, self.tiles.1 - 1]);
            bits.put(self.first_column.is_none().into(), 1);
            self.first_column.into_iter().for_each(|width| bits.codes(&[width - 1]));
            bits.put(1, 1);
        }
        bits.put(0, 4);
        bits.codes(&[0]);
        bits.put(0, 2);
        unit(34, bits)
    }

    /// A slice that begins at the block of this number and has as many (clauses 7.3.6.1 and 7.3.8).
    pub fn slice(&self, first: u32, count: u32) -> Vec<u8> {
        self.slice_with(first, count, false, 0)
    }

    /// A slice that depends on another one's header, or that declares where parts of it begin.
    pub fn slice_with(&self, first: u32, count: u32, is_dependent: bool, entries: u32) -> Vec<u8> {
        let mut bits = Bits::default();
        bits.put(u32::from(first == 0) << 1, 2);
        bits.codes(&[self.id]);
        if first > 0 {
            if self.has_rows {
                bits.put(is_dependent.into(), 1);
            }
            let (columns, rows) = self.blocks();
            bits.put(first, u32::BITS - (columns * rows - 1).leading_zeros());
        }
        if !is_dependent {
            bits.codes(&[2, 0]); // only intra prediction, the usual quantizer
        }
        if self.has_tiles() || self.has_rows {
            bits.codes(&[entries]);
            if entries > 0 {
                bits.codes(&[0]);
                (0..entries).for_each(|_| bits.put(0, 1));
            }
        }
        let header = unit(19, bits);
        let mut encoder = Encoder::new();
        for block in 0..count {
            for (context, bin) in [(ctx::PART_MODE, 1), (ctx::PREV_INTRA_LUMA_PRED_FLAG, 1)] {
                encoder.decision(context, bin);
            }
            encoder.zero(); // the most probable mode
            let has_chroma = self.chroma > 0 && !self.has_separate_planes;
            if has_chroma {
                encoder.decision(ctx::INTRA_CHROMA_PRED_MODE, 0);
                let blocks = if self.chroma == 2 { 4 } else { 2 };
                (0..blocks).for_each(|_| encoder.decision(ctx::CBF_CHROMA, 0));
            }
            encoder.decision(ctx::CBF_LUMA + 1, 0);
            encoder.terminate(block + 1 == count);
        }
        [header, encoder.bits.bytes].concat()
    }

    /// The picture in one slice.
    pub fn picture(&self) -> Vec<u8> {
        let (columns, rows) = self.blocks();
        units(&[self.slice(0, columns * rows)])
    }

    /// The data of `hvcC`.
    pub fn configuration(&self) -> Vec<u8> {
        configuration(&[self.sps(), self.pps()])
    }
}

fn unit(kind: u8, bits: Bits) -> Vec<u8> {
    [&[kind << 1, 1][..], &bits.ended()].concat()
}

/// Puts a 3 where a start code would be read (clause 7.4.2).
fn escaped(unit: &[u8]) -> Vec<u8> {
    let (mut escaped, mut zeros) = (Vec::with_capacity(unit.len()), 0);
    for byte in unit {
        if zeros >= 2 && *byte <= 3 {
            escaped.push(3);
            zeros = 0;
        }
        escaped.push(*byte);
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
    }
    escaped
}

/// An item's data: NAL units, each after its length.
pub fn units(units: &[Vec<u8>]) -> Vec<u8> {
    let unit = |unit: &Vec<u8>| {
        let unit = escaped(unit);
        [&(unit.len() as u32).to_be_bytes()[..], &unit].concat()
    };
    units.iter().flat_map(unit).collect()
}

/// The data of `hvcC` with these units (ISO/IEC 14496-15 clause 8.3.3.1).
pub fn configuration(units: &[Vec<u8>]) -> Vec<u8> {
    let mut record = vec![0; 23];
    (record[0], record[21], record[22]) = (1, 3, 1);
    record.extend([&[0][..], &(units.len() as u16).to_be_bytes()].concat());
    for unit in units {
        let unit = escaped(unit);
        record.extend([&(unit.len() as u16).to_be_bytes()[..], &unit].concat());
    }
    record
}

/// An item. Its number is one more than its place.
#[derive(Clone, Debug)]
pub struct Item {
    pub kind: [u8; 4],
    /// The numbers of its properties, counted from 1.
    pub properties: Vec<u16>,
    /// Offset and length of each part of its data.
    pub parts: Vec<(u32, u32)>,
}

/// The parts of a HEIC, whose first item is its primary one.
#[derive(Clone, Debug, Default)]
pub struct Heic {
    pub items: Vec<Item>,
    /// Boxes.
    pub properties: Vec<Vec<u8>>,
    pub references: Vec<Vec<u8>>,
    pub data: Vec<u8>,
    /// What stands before the boxes of `meta`, the entries of `iinf` and those of `ipma`.
    pub before: [Vec<u8>; 3],
}

impl Heic {
    pub fn new() -> Heic {
        Heic::default()
    }

    /// A picture of one item.
    pub fn single(stream: &Stream) -> Heic {
        let mut heic = Heic::new();
        heic.picture(stream);
        heic
    }

    /// A grid that uses one tile again and again.
    pub fn grid(columns: u32, rows: u32, stream: &Stream) -> Heic {
        let (width, height) = stream.shown();
        let mut heic = Heic::new();
        let size = (width * columns, height * rows);
        let extent = heic.property(extent(size));
        heic.item(b"grid", vec![extent], &grid(columns, rows, size));
        let tile = heic.picture(stream);
        let count = (columns * rows).min(65_535) as usize;
        heic.refer(b"dimg", 1, &vec![tile; count]);
        // No more bytes are read than the file has.
        heic.data.resize(heic.data.len() * count, 0);
        heic
    }

    /// Adds a property; returns its number.
    pub fn property(&mut self, property: Vec<u8>) -> u16 {
        self.properties.push(property);
        self.properties.len() as u16
    }

    /// Adds an item; returns its number.
    pub fn item(&mut self, kind: &[u8; 4], properties: Vec<u16>, data: &[u8]) -> u16 {
        let part = (self.data.len() as u32, data.len() as u32);
        self.data.extend(data);
        self.items.push(Item { kind: *kind, properties, parts: vec![part] });
        self.items.len() as u16
    }

    /// Adds an item that holds this picture; returns its number.
    pub fn picture(&mut self, stream: &Stream) -> u16 {
        let (extent, configuration) = (extent(stream.shown()), stream.configuration());
        self.coded(extent, &configuration, &stream.picture())
    }

    /// Adds an item of this size, configuration and data; returns its number.
    pub fn coded(&mut self, extent: Vec<u8>, configuration: &[u8], data: &[u8]) -> u16 {
        let properties = [extent, media_box(b"hvcC", configuration)];
        let properties = properties.map(|property| self.property(property)).to_vec();
        self.item(b"hvc1", properties, data)
    }

    /// Adds alpha to the first item.
    pub fn alpha(&mut self, stream: &Stream) -> u16 {
        let alpha = self.picture(stream);
        let kind = b"\0\0\0\0urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0";
        let kind = self.property(media_box(b"auxC", kind));
        self.items[usize::from(alpha) - 1].properties.push(kind);
        self.refer(b"auxl", alpha, &[1]);
        alpha
    }

    pub fn refer(&mut self, kind: &[u8; 4], from: u16, to: &[u16]) {
        let numbers = [&[from, to.len() as u16][..], to].concat();
        self.references.push(media_box(kind, &numbers.map_bytes()));
    }

    /// The data of an item.
    pub fn data_of(&mut self, item: u16) -> &mut Item {
        &mut self.items[usize::from(item) - 1]
    }

    pub fn file(&self) -> Vec<u8> {
        let [boxes, entries, associations] = &self.before;
        let count = (self.items.len() as u16).to_be_bytes();
        let infe = |(item, number): (&Item, u16)| {
            let numbers = [number, 0].as_slice().map_bytes();
            media_box(b"infe", &[b"\x02\0\0\0", &numbers[..], &item.kind, b"\0"].concat())
        };
        let infe: Vec<u8> = self.items.iter().zip(1..).flat_map(infe).collect();
        let iloc = |(item, number): (&Item, u16)| {
            let header = [number, 1, 0, item.parts.len() as u16].as_slice().map_bytes();
            let parts = item.parts.iter().flat_map(|(offset, length)| [*offset, *length]);
            [header, parts.flat_map(u32::to_be_bytes).collect()].concat()
        };
        let iloc: Vec<u8> = self.items.iter().zip(1..).flat_map(iloc).collect();
        let ipma = |(item, number): (&Item, u16)| {
            let properties = item.properties.as_slice().map_bytes();
            [&number.to_be_bytes()[..], &[item.properties.len() as u8], &properties].concat()
        };
        let ipma: Vec<u8> = self.items.iter().zip(1..).flat_map(ipma).collect();
        let properties = [
            media_box(b"ipco", &self.properties.concat()),
            media_box(b"ipma", &[b"\0\0\0\x01\xFF\xFF\xFF\xFF", &associations[..], &ipma].concat()),
        ];
        let meta = [
            b"\0\0\0\0",
            &boxes[..],
            &media_box(b"pitm", b"\0\0\0\0\0\x01"),
            &media_box(b"iinf", &[b"\0\0\0\0", &count[..], entries, &infe].concat()),
            &media_box(b"iref", &[b"\0\0\0\0", &self.references.concat()[..]].concat()),
            &media_box(b"iprp", &properties.concat()),
            &media_box(b"iloc", &[b"\x01\0\0\0\x44\0", &count[..], &iloc].concat()),
            &media_box(b"idat", &self.data),
        ];
        let brands = media_box(b"ftyp", b"heic\0\0\0\0mif1heic");
        [brands, media_box(b"meta", &meta.concat())].concat()
    }
}

trait MapBytes {
    /// The numbers, highest byte first.
    fn map_bytes(&self) -> Vec<u8>;
}

impl MapBytes for [u16] {
    fn map_bytes(&self) -> Vec<u8> {
        self.iter().flat_map(|number| number.to_be_bytes()).collect()
    }
}

/// The property of a size.
pub fn extent((width, height): (u32, u32)) -> Vec<u8> {
    media_box(b"ispe", &[[0; 4], width.to_be_bytes(), height.to_be_bytes()].concat())
}

/// The data of a grid, whose columns and rows are counted modulo 256.
pub fn grid(columns: u32, rows: u32, (width, height): (u32, u32)) -> Vec<u8> {
    let counts = [0, 1, (rows - 1) as u8, (columns - 1) as u8];
    [&counts[..], &width.to_be_bytes(), &height.to_be_bytes()].concat()
}
