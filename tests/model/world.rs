//! What S3 and DynamoDB keep about one key, and the same in the product's own types.

use std::collections::BTreeMap;
use std::ops::Range;

use thumbnailer::event::Sequencer;
use thumbnailer::item::{Place, RenditionHead, RenditionRef, RenditionRefs, Status, Stored};

/// Most places where renditions of the key can be: those of four renditions, and as many others.
pub const PLACES: usize = 8;

/// An original by its ETag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Original {
    A,
    /// Another original, whose renditions have the same bytes as those of A.
    SamePixelsAsA,
    B,
    C,
    /// An original that can have no renditions.
    Broken,
}

/// Settings: those of the beginning, and others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Settings {
    First,
    /// One rendition has other bytes.
    OtherQuality,
    /// All renditions have other keys.
    OtherPlace,
    /// There is another rendition beside those of the beginning.
    OneMore,
    /// The last of several renditions is not made any more.
    OneLess,
}

/// How many renditions a photo has with the settings of the beginning.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    pub renditions: usize,
}

/// What is at a place, by what it was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Made {
    pub from: Original,
    pub has_other_quality: bool,
}

pub type Files = [Option<Made>; PLACES];

/// A set of places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Places(u8);

/// It is a `Stored`, smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    pub status: Status,
    pub sequencer: u8,
    pub original: Option<Original>,
    /// A READY item names the renditions of these settings.
    pub settings: Option<Settings>,
    /// Where renditions may be.
    pub places: Places,
    /// `processedAt`: differs between any two writes.
    pub stamp: u8,
}

/// What S3 and DynamoDB keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub settings: Settings,
    pub original: Option<Original>,
    /// The rendition at each place.
    pub files: Files,
    pub item: Option<Item>,
}

impl Original {
    /// What the renditions of the original show.
    fn pixels(self) -> Original {
        if self == Original::SamePixelsAsA { Original::A } else { self }
    }

    pub fn etag(self) -> String {
        format!("{self:?}")
    }
}

impl Made {
    /// S3's ETag of the file: equal bytes have equal ETags.
    pub fn etag(self) -> String {
        format!("{:?} {}", self.from.pixels(), self.has_other_quality)
    }

    fn version(self) -> String {
        format!("{:?} {}", self.from, self.has_other_quality)
    }
}

impl Places {
    pub const NONE: Places = Places(0);

    fn of(range: Range<usize>) -> Places {
        range.fold(Places::NONE, Places::with)
    }

    pub fn with(self, place: usize) -> Places {
        Places(self.0 | 1 << place)
    }

    pub fn without(self, place: usize) -> Places {
        self.minus(Places::NONE.with(place))
    }

    pub fn and(self, others: Places) -> Places {
        Places(self.0 | others.0)
    }

    pub fn minus(self, others: Places) -> Places {
        Places(self.0 & !others.0)
    }

    pub fn contains(self, place: usize) -> bool {
        self.0 & 1 << place != 0
    }

    /// The same with one place in place of the other.
    pub fn exchanged(self, a: usize, b: usize) -> Places {
        let exchanged = |place| match place {
            _ if place == a => b,
            _ if place == b => a,
            other => other,
        };
        self.iter().map(exchanged).collect()
    }

    pub fn is_empty(self) -> bool {
        self == Places::NONE
    }

    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..PLACES).filter(move |place| self.contains(*place))
    }
}

impl FromIterator<usize> for Places {
    fn from_iter<T: IntoIterator<Item = usize>>(places: T) -> Places {
        places.into_iter().fold(Places::NONE, Places::with)
    }
}

/// What is at these places.
pub fn files_at(files: Files, places: Places) -> Files {
    std::array::from_fn(|place| files[place].filter(|_| places.contains(place)))
}

/// A place as the product has it.
fn place_at(index: usize) -> Place {
    Place { bucket: "thumbnails".to_owned(), key: index.to_string() }
}

/// The number of a place.
pub fn index_of(place: &Place) -> usize {
    place.key.parse().expect("an index")
}

impl Layout {
    /// Where the renditions of these settings are. No story has both another place and a rendition more.
    pub fn places(self, settings: Settings) -> Places {
        let count = self.renditions;
        Places::of(match settings {
            Settings::First | Settings::OtherQuality => 0..count,
            Settings::OtherPlace => count..2 * count,
            Settings::OneMore => 0..count + 1,
            Settings::OneLess => 0..count - 1,
        })
    }

    /// The rendition of these settings at one of their places.
    pub fn made(self, from: Original, settings: Settings, place: usize) -> Made {
        Made { from, has_other_quality: settings == Settings::OtherQuality && place == 0 }
    }

    /// All files that a READY item of these settings is about.
    pub fn files(self, from: Original, settings: Settings) -> Files {
        let places = self.places(settings);
        std::array::from_fn(|place| {
            places.contains(place).then(|| self.made(from, settings, place))
        })
    }

    /// The renditions of these settings as items name them.
    pub fn named(self, from: Original, settings: Settings) -> RenditionRefs {
        let elsewhere = if settings == Settings::OtherPlace { self.renditions } else { 0 };
        let named = self.places(settings).iter().map(|index| {
            let version = self.made(from, settings, index).version();
            let rendition = RenditionRef { place: place_at(index), version };
            (format!("rendition-{}", index - elsewhere), rendition)
        });
        named.collect()
    }

    pub fn stored(self, item: Item) -> Stored {
        let made = item.original.zip(item.settings);
        Stored {
            status: Some(item.status),
            etag: item.original.map(Original::etag),
            sequencer: Sequencer::new(&item.sequencer.to_string()),
            processed_at: Some(item.stamp.to_string()),
            dead_letter_id: None,
            bytes: None,
            absent: BTreeMap::new(),
            renditions: made.map(|(from, settings)| self.named(from, settings)).unwrap_or_default(),
            places: item.places.iter().map(place_at).collect(),
        }
    }
}

/// The answers of HeadObject about these places.
pub fn heads(files: Files, places: Places) -> Vec<(Place, Option<RenditionHead>)> {
    let head = |made: Made| RenditionHead { etag: made.etag(), version: Some(made.version()) };
    places.iter().map(|index| (place_at(index), files[index].map(head))).collect()
}

impl World {
    /// After a PutObject.
    pub fn with_file(mut self, place: usize, made: Made) -> World {
        self.files[place] = Some(made);
        self
    }

    /// After a DeleteObject with If-Match: the file is removed if it still has the bytes that were seen.
    pub fn without_file(mut self, place: usize, seen: Option<Made>) -> World {
        let etag = |made: Option<Made>| made.map(Made::etag);
        if etag(self.files[place]) == etag(seen) {
            self.files[place] = None;
        }
        self
    }
}
