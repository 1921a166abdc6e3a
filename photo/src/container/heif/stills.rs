//! The pictures of the items: how they are derived from one another, their properties, alpha and tiles
//! (ISO/IEC 23008-12 clause 6).

use std::collections::BTreeMap;

use super::super::{Chunk, chunks};
use super::items::{MAX_SEARCHED, Meta, Reference};
use super::picture::{
    Crop, Picture, Tile, Tiles, of_another_coding, read_colours, says_alpha, size,
};
use super::{Numbers, corrupt, media_box, unsupported};
use crate::{CancelFlag, Orientation, PhotoError, Size};

/// Most tiles of a picture. One of 200 megapixels in tiles of 512x512 has 768.
const MAX_TILES: usize = 4096;
/// Bytes of the longest description of a grid.
const MAX_GRID_BYTES: usize = 12;
/// Most items from which a picture is derived one after another.
const MAX_DERIVATIONS: usize = 4;

/// The pictures of the items of a file.
pub(crate) struct Stills<'a> {
    meta: Meta<'a>,
    kinds: BTreeMap<u32, [u8; 4]>,
    references: Vec<Reference<'a>>,
    properties: Vec<Chunk<'a>>,
    /// The numbers of each item's properties, of one byte or two.
    associations: BTreeMap<u32, (&'a [u8], usize)>,
    cancel: &'a CancelFlag,
}

impl<'a> Stills<'a> {
    /// Reads the lists of the items, but no picture.
    ///
    /// # Errors
    /// [`PhotoError::Cancelled`].
    pub fn of(meta: Meta<'a>, cancel: &'a CancelFlag) -> Result<Stills<'a>, PhotoError> {
        let inside = |name| {
            let mut inside = chunks(meta.inside(b"iprp"), media_box, cancel);
            inside.find(|inner| inner.name == name).map(|inner| inner.data)
        };
        let properties = chunks(inside(b"ipco"), media_box, cancel).take(MAX_SEARCHED).collect();
        let associations = inside(b"ipma").map(|list| associations(list, cancel));
        let kinds = meta.entries(cancel).map(|entry| (entry.id, entry.kind)).collect();
        let references = meta.references(cancel).collect();
        cancel.check()?;
        let associations = associations.unwrap_or_default();
        Ok(Stills { meta, kinds, references, properties, associations, cancel })
    }

    /// The primary picture.
    ///
    /// # Errors
    /// [`PhotoError::Corrupt`] if it is not described whole; [`PhotoError::UnsupportedFormat`].
    pub fn primary(&self) -> Result<Picture<'a>, PhotoError> {
        let primary = self.meta.primary();
        self.picture(primary.ok_or_else(|| corrupt("it names no primary picture"))?)
    }

    /// The picture of another one's alpha.
    ///
    /// # Errors
    /// As those of [`Stills::primary`].
    pub fn alpha_of(&self, picture: &Picture<'_>) -> Result<Option<Picture<'a>>, PhotoError> {
        picture.alpha.map(|alpha| self.picture(alpha)).transpose()
    }

    fn picture(&self, item: u32) -> Result<Picture<'a>, PhotoError> {
        let (items, kind) = self.derivation(item)?;
        let innermost = items.last().copied().unwrap_or(item);
        let mut size = None;
        let mut crop = None;
        let mut orientation = Orientation::Upright;
        let (mut nclx, mut profile) = (None, None);
        let of_tile = self.derived_from(innermost).next().filter(|_| kind == *b"grid");
        for property in of_tile.into_iter().flat_map(|tile| self.properties_of(tile)) {
            read_colours(property, &mut nclx, &mut profile);
        }
        for property in items.iter().rev().flat_map(|item| self.properties_of(*item)) {
            match property.name {
                b"ispe" => size = size.or_else(|| extent(property.data)),
                b"clap" if orientation != Orientation::Upright => {
                    return Err(unsupported("that is cropped after it is turned"));
                }
                b"clap" => crop = size.and_then(|size| Crop::read(property.data, size)).or(crop),
                b"irot" => {
                    let turns = property.data.first().map_or(0, |angle| angle & 3);
                    (0..turns).for_each(|_| orientation = orientation.turned_counter_clockwise());
                }
                b"imir" => {
                    let is_across = property.data.first().is_some_and(|axis| axis & 1 == 1);
                    orientation = match is_across {
                        true => orientation.mirrored_horizontally(),
                        false => orientation.mirrored_vertically(),
                    };
                }
                _ => read_colours(property, &mut nclx, &mut profile),
            }
        }
        let size = size.ok_or_else(|| corrupt("it does not tell its size"))?;
        let crop = crop.unwrap_or(Crop { left: 0, top: 0, size });
        let alpha = self.alpha(&items);
        let is_premultiplied = alpha.is_some_and(|alpha| {
            let mut of_picture = self.references.iter().filter(|one| items.contains(&one.from));
            of_picture.any(|one| one.kind == b"prem" && one.to().any(|to| to == alpha))
        });
        let item = innermost;
        Ok(Picture { size, crop, orientation, nclx, profile, item, kind, alpha, is_premultiplied })
    }

    /// The items from which a picture is derived, itself first, and what the last one is: one that is coded
    /// or put together from tiles. A picture with a gain map is the one that the map is for (ISO 21496-1).
    fn derivation(&self, picture: u32) -> Result<(Vec<u32>, [u8; 4]), PhotoError> {
        let (mut items, mut item) = (Vec::new(), picture);
        for _ in 0..MAX_DERIVATIONS {
            let kind = self.kinds.get(&item).ok_or_else(|| corrupt("a picture is missing"))?;
            if kind != b"tmap" {
                items.push(item);
            }
            if kind != b"iden" && kind != b"tmap" {
                return Ok((items, *kind));
            }
            let of = self.derived_from(item).next();
            item = of.ok_or_else(|| corrupt("a picture is derived from none"))?;
        }
        Err(corrupt("its picture is derived from too many others"))
    }

    /// The items from which an item is derived directly.
    fn derived_from(&self, item: u32) -> impl Iterator<Item = u32> {
        let mut derivations = self.references.iter().filter(|one| one.kind == b"dimg");
        let of_item = derivations.find(|one| one.from == item);
        of_item.into_iter().flat_map(|one| one.to())
    }

    /// The item of alpha that belongs to one of these items.
    fn alpha(&self, items: &[u32]) -> Option<u32> {
        let mut auxiliaries = self.references.iter().filter(|one| one.kind == b"auxl");
        let alpha = auxiliaries.find(|one| {
            one.to().any(|to| items.contains(&to))
                && self
                    .properties_of(one.from)
                    .any(|property| property.name == b"auxC" && says_alpha(property.data))
        });
        alpha.map(|one| one.from)
    }

    /// The properties of an item, in the order in which they apply.
    fn properties_of(&self, item: u32) -> impl Iterator<Item = &Chunk<'a>> {
        let (numbers, width) = self.associations.get(&item).copied().unwrap_or((&[], 1));
        numbers.chunks_exact(width).filter_map(move |number| {
            // The highest bit says whether the property is essential.
            let number = match *number {
                [number] => usize::from(number & 0x7F),
                [high, low] => usize::from(u16::from_be_bytes([high & 0x7F, low])),
                _ => 0,
            };
            self.properties.get(number.checked_sub(1)?)
        })
    }

    fn property(&self, item: u32, name: &[u8; 4]) -> Option<&'a [u8]> {
        self.properties_of(item).find(|one| one.name == name).map(|one| one.data)
    }

    /// The tiles of a picture, if they are coded as HEVC.
    ///
    /// # Errors
    /// [`PhotoError::UnsupportedFormat`] if they are coded in another way;
    /// [`PhotoError::Corrupt`] and [`PhotoError::Truncated`] if they are not all there.
    pub fn tiles(&self, picture: &Picture<'_>) -> Result<Tiles<'a>, PhotoError> {
        let (columns, rows, items) = match &picture.kind {
            b"grid" => self.grid(picture)?,
            _ => (1, 1, vec![picture.item]),
        };
        let coded = items.iter().map(|item| self.coded(*item, *item != picture.item));
        let coded = coded.collect::<Result<Vec<(Size, &[u8])>, PhotoError>>()?;
        let size = coded.first().map_or(picture.size, |(size, _)| *size);
        let is_covered = |tiles: u32, tile: u32, whole: u32| {
            let (tile, whole) = (u64::from(tile), u64::from(whole));
            whole.div_ceil(tile) == u64::from(tiles)
        };
        if coded.iter().any(|(one, _)| *one != size)
            || !is_covered(columns, size.width, picture.size.width)
            || !is_covered(rows, size.height, picture.size.height)
        {
            return Err(corrupt("its tiles do not cover it"));
        }
        let data = self.meta.data(&items, self.cancel);
        self.cancel.check()?;
        let data = data.ok_or_else(|| PhotoError::image_data_is_missing(self.meta.file.len()))?;
        let tiles = coded.into_iter().zip(data);
        let tiles = tiles.map(|((_, configuration), data)| Tile { configuration, data }).collect();
        Ok(Tiles { columns, size, tiles })
    }

    /// The size of a coded item, and the configuration of its decoder.
    fn coded(&self, item: u32, is_of_grid: bool) -> Result<(Size, &'a [u8]), PhotoError> {
        self.cancel.check()?;
        let kind = self.kinds.get(&item).ok_or_else(|| corrupt("a tile is missing"))?;
        if kind != b"hvc1" {
            return Err(of_another_coding(*kind));
        }
        let has = |name| self.property(item, name).is_some();
        if is_of_grid && (has(b"clap") || has(b"irot") || has(b"imir")) {
            return Err(unsupported("whose tiles are cropped or turned"));
        }
        let size = self.property(item, b"ispe").and_then(extent);
        let size = size.ok_or_else(|| corrupt("a tile does not tell its size"))?;
        let configuration = self.property(item, b"hvcC");
        Ok((size, configuration.ok_or_else(|| corrupt("a tile has no hvcC"))?))
    }

    /// The number of columns and rows of a grid, and its tiles.
    fn grid(&self, picture: &Picture<'_>) -> Result<(u32, u32, Vec<u32>), PhotoError> {
        let data = self.meta.data(&[picture.item], self.cancel).and_then(|mut data| data.pop());
        let data = data.and_then(|parts| {
            let bytes = parts.into_iter().flatten().take(MAX_GRID_BYTES);
            grid(&bytes.copied().collect::<Vec<u8>>())
        });
        let data = data.filter(|(.., size)| *size == picture.size);
        let (columns, rows, _) =
            data.ok_or_else(|| corrupt("its grid is not as large as the picture"))?;
        let count = columns as usize * rows as usize;
        if count > MAX_TILES {
            return Err(corrupt("it has more tiles than any photo has"));
        }
        let items: Vec<u32> = self.derived_from(picture.item).take(count).collect();
        if items.len() < count {
            return Err(corrupt("its grid has fewer tiles than it says"));
        }
        Ok((columns, rows, items))
    }
}

/// The numbers of each item's properties, counted from 1, and the bytes of each (ISO/IEC 23008-12 clause 9.3).
fn associations<'a>(data: &'a [u8], cancel: &CancelFlag) -> BTreeMap<u32, (&'a [u8], usize)> {
    let mut lists = BTreeMap::new();
    let Some((version, mut numbers)) = Numbers::of_box(data) else { return lists };
    let width = if data.get(3).is_some_and(|flags| flags & 1 == 1) { 2 } else { 1 };
    let count = numbers.uint(4).unwrap_or_default();
    let mut list = || {
        cancel.check().ok()?;
        let item = numbers.small(if version == 0 { 2 } else { 4 })?;
        let length = numbers.uint(1)? as usize * width;
        let list = numbers.0.get(..length)?;
        numbers.skip(length)?;
        Some((item, list))
    };
    for (item, list) in (0..count).take(MAX_SEARCHED).map_while(|_| list()) {
        lists.entry(item).or_insert((list, width));
    }
    lists
}

fn extent(data: &[u8]) -> Option<Size> {
    let (_, mut numbers) = Numbers::of_box(data)?;
    size(numbers.uint(4)?, numbers.uint(4)?)
}

/// The columns, rows and size of a grid (ISO/IEC 23008-12 clause 6.6.2.3).
fn grid(data: &[u8]) -> Option<(u32, u32, Size)> {
    let mut numbers = Numbers(data);
    let (version, flags) = (numbers.uint(1)?, numbers.uint(1)?);
    let (rows, columns) = (numbers.small(1)? + 1, numbers.small(1)? + 1);
    let width = if flags & 1 == 1 { 4 } else { 2 };
    let size = size(numbers.uint(width)?, numbers.uint(width)?)?;
    (version == 0).then_some((columns, rows, size))
}
