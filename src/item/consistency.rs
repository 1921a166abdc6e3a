//! The decisions by which renditions and item come to agree in the end, although they are several writes.
//! `tests/model` explores every order of the calls between which they are taken.

use super::{Place, Precondition, RenditionRefs, Status, Stored};

/// What S3 says of a rendition without its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RenditionHead {
    /// ETag of the rendition itself, with quotes.
    pub etag: String,
    /// Version of the rendition, as items name it; none of an object that the function did not write.
    pub version: Option<String>,
}

/// What makes renditions and item agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repair {
    /// They agree.
    Nothing,
    /// These renditions are removed, if their ETags are still these.
    Delete(Vec<(Place, String)>),
    /// A rendition that the item names is not there, or was made from another original or with other
    /// settings: all of them are made again of the original that the item is of.
    RenderAgain,
}

/// Whether an event must look at the renditions after its write, `before` being the item that was there
/// until then. Without one, an older event that has yet to write will find this event's item, and look
/// itself. An event without a sequencer has no such order to rely on.
pub fn must_look(precondition: &Precondition, before: Option<&Stored>) -> bool {
    let has_order = precondition.not_newer.is_some();
    !has_order || before.is_some_and(|stored| stored.status.is_some())
}

/// What to do for an item, given what is at each place that it or the settings name.
pub fn repair(stored: &Stored, heads: &[(Place, Option<RenditionHead>)]) -> Repair {
    let named = match stored.status {
        Some(Status::Ready) => &stored.renditions,
        Some(Status::Failed | Status::Deleted) => &RenditionRefs::new(),
        None => return Repair::Nothing,
    };
    let is_named = |place: &Place| named.values().any(|rendition| rendition.place == *place);
    let surplus = heads.iter().filter(|(place, _)| !is_named(place));
    let surplus: Vec<(Place, String)> = surplus
        .filter_map(|(place, head)| Some((place.clone(), head.as_ref()?.etag.clone())))
        .collect();
    if !surplus.is_empty() {
        return Repair::Delete(surplus);
    }
    let is_there = |place: &Place, version: &str| {
        heads.iter().any(|(of, head)| {
            let found = head.as_ref().and_then(|head| head.version.as_deref());
            of == place && found == Some(version)
        })
    };
    let is_whole = named.values().all(|rendition| is_there(&rendition.place, &rendition.version));
    if is_whole { Repair::Nothing } else { Repair::RenderAgain }
}

#[cfg(test)]
mod tests {
    use super::super::sample::not_newer;
    use super::super::{RenditionRef, Seen};
    use super::*;

    fn place(key: &str) -> Place {
        Place { bucket: "thumbnails".to_owned(), key: key.to_owned() }
    }

    fn ready(version: &str) -> Stored {
        let rendition = RenditionRef { place: place("new/a.jpg"), version: version.to_owned() };
        let renditions = RenditionRefs::from([("thumbnail".to_owned(), rendition)]);
        Stored { status: Some(Status::Ready), renditions, ..Stored::default() }
    }

    fn head(key: &str, version: &str) -> (Place, Option<RenditionHead>) {
        let head = RenditionHead { etag: format!("\"{key}\""), version: Some(version.to_owned()) };
        (place(key), Some(head))
    }

    #[test]
    fn a_rendition_that_the_item_does_not_mean_is_made_again() {
        let stored = ready("v2");
        assert_eq!(repair(&stored, &[head("new/a.jpg", "v2")]), Repair::Nothing);
        let foreign = RenditionHead { etag: "\"e\"".to_owned(), version: None };
        for heads in [
            vec![head("new/a.jpg", "v1")],
            vec![(place("new/a.jpg"), None)],
            vec![(place("new/a.jpg"), Some(foreign))],
            vec![(place("old/a.jpg"), None)],
            vec![],
        ] {
            assert_eq!(repair(&stored, &heads), Repair::RenderAgain, "{heads:?}");
        }
    }

    #[test]
    fn a_rendition_that_the_item_does_not_name_is_removed() {
        let both = [head("new/a.jpg", "v2"), head("old/a.jpg", "v1")];
        let surplus = vec![(place("old/a.jpg"), "\"old/a.jpg\"".to_owned())];
        assert_eq!(repair(&ready("v2"), &both), Repair::Delete(surplus));
        let surplus = vec![(place("old/a.jpg"), "\"old/a.jpg\"".to_owned())];
        assert_eq!(repair(&ready("v2"), &[head("old/a.jpg", "v2")]), Repair::Delete(surplus));
        let gone = [head("new/a.jpg", "v2"), (place("old/a.jpg"), None)];
        assert_eq!(repair(&ready("v2"), &gone), Repair::Nothing);
    }

    #[test]
    fn a_photo_that_failed_or_was_removed_has_no_renditions() {
        for status in [Status::Failed, Status::Deleted] {
            let stored = Stored { status: Some(status), ..Stored::default() };
            let surplus = vec![(place("new/a.jpg"), "\"new/a.jpg\"".to_owned())];
            let heads = [head("new/a.jpg", "v2")];
            assert_eq!(repair(&stored, &heads), Repair::Delete(surplus));
            assert_eq!(repair(&stored, &[(place("new/a.jpg"), None)]), Repair::Nothing);
        }
    }

    #[test]
    fn nothing_is_removed_where_no_event_has_written_an_item() {
        assert_eq!(repair(&Stored::default(), &[head("new/a.jpg", "v2")]), Repair::Nothing);
    }

    #[test]
    fn an_event_looks_again_where_an_item_was_or_nothing_orders_it() {
        let item = ready("v1");
        assert!(!must_look(&not_newer("1"), None));
        assert!(!must_look(&not_newer("1"), Some(&Stored::default())), "of the application");
        assert!(must_look(&not_newer("1"), Some(&item)));
        assert!(must_look(&Precondition::unchanged(Seen::Absent), None));
        assert!(must_look(&Precondition::unchanged(Seen::Absent), Some(&item)));
    }
}
