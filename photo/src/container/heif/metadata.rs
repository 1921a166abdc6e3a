//! The items of metadata (ISO/IEC 23008-12 annexes A.2 and A.3).

use std::borrow::Cow;

use super::items::{Entry, Meta};
use crate::CancelFlag;
use crate::metadata::blocks::{MAX_BLOCKS, extend};

/// A kind of metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An item of type Exif.
    Exif,
    /// An item of type mime, whose content type is that of XMP.
    Xmp,
}

/// The data of the item of that kind that describes the primary picture, else of the first one.
pub(crate) fn item<'a>(file: &'a [u8], kind: Kind, cancel: &CancelFlag) -> Option<Cow<'a, [u8]>> {
    let meta = Meta::of(file, cancel)?;
    let items = meta.entries(cancel).filter(|entry| kind.is_of(entry)).map(|entry| entry.id);
    let items: Vec<u32> = items.take(MAX_BLOCKS).collect();
    // A file can hold several pictures, each with its own EXIF.
    let mut descriptions = meta.references(cancel).filter(|one| one.kind == b"cdsc");
    let of_primary = meta.primary().and_then(|primary| {
        let description = descriptions
            .find(|one| items.contains(&one.from) && one.to().next() == Some(primary))?;
        Some(description.from)
    });
    let item = of_primary.or(items.first().copied())?;
    let mut parts = meta.data(&[item], cancel)?.pop()?.into_iter();
    let mut data = Cow::from(parts.next()?);
    for part in parts {
        extend(&mut data, part);
    }
    Some(data)
}

impl Kind {
    /// Whether an item is of this kind.
    pub fn is_of(self, entry: &Entry<'_>) -> bool {
        match self {
            Kind::Exif => entry.kind == *b"Exif",
            Kind::Xmp => {
                let content_type = entry.names.split(|byte| *byte == 0).nth(1).unwrap_or_default();
                entry.kind == *b"mime" && content_type == b"application/rdf+xml"
            }
        }
    }
}
