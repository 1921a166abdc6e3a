//! XMP without the properties that tell a place (ISO 16684-1; Adobe's XMP Specification, parts 2 and 3).
//!
//! A packet is copied as it is, except for elements and attributes whose names tell a place, at any depth: the same
//! property can stand in a structure, in an editor's history, or among the ingredients of a picture. Names count
//! whatever their namespace is, because makers repeat them in their own. A packet that cannot be followed to its
//! end is left out as a whole.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::WORDS;
use crate::CancelFlag;
use crate::metadata::xmp::{MAX_DEPTH, MAX_NAMESPACES, MAX_PACKET_BYTES};

/// Whether the gain map that a packet may describe is still in the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GainMap {
    Gone,
    Kept,
}

/// Names of properties, in lower case, that tell a place and hold none of [`WORDS`]: those of exif, photoshop,
/// Iptc4xmpCore and Iptc4xmpExt (IPTC Photo Metadata Standard), dc:coverage (DCMI Metadata Terms), those of Darwin
/// Core, and the cells of Sony Ericsson's phones. Then what the copy does not hold: the extension of XMP, and
/// embedded thumbnails, which can have metadata of their own.
const NAMES: [&str; 29] = [
    "city",
    "state",
    "province",
    "provincestate",
    "stateprovince",
    "place",
    "address",
    "coverage",
    "locality",
    "verbatimlocality",
    "municipality",
    "county",
    "continent",
    "island",
    "islandgroup",
    "waterbody",
    "highergeography",
    "highergeographyid",
    "footprintwkt",
    "footprintsrs",
    "verbatimsrs",
    "mcc",
    "mnc",
    "lac",
    "cellid",
    "worldregion",
    "hasextendedxmp",
    "thumbnails",
    "street",
];

/// Words in names, besides [`WORDS`].
const WORDS_IN_NAMES: [&str; 7] =
    ["altitude", "country", "elevation", "sublocation", "ciadr", "geograph", "ratingregion"];

/// The beginnings of namespaces that are about places, and about how a drone flew there.
const PLACES: [&str; 8] = [
    "http://rs.tdwg.org/dwc/",
    "http://www.w3.org/2003/01/geo/",
    "http://www.georss.org/",
    "http://developer.sonyericsson.com/cell/",
    "http://ns.google.com/photos/dd/",
    "http://www.dji.com/",
    "http://www.parrot.com/",
    "http://pix4d.com/",
];

/// The beginnings of namespaces of what no copy holds: Google's motion photos, containers, depth maps, embedded
/// pictures and sounds (developer.android.com, "Motion photo format" and "Ultra HDR Image Format"), and thumbnails
/// (XMP part 2).
const GONE: [&str; 6] = [
    "http://ns.google.com/photos/1.0/camera/",
    "http://ns.google.com/photos/1.0/container/",
    "http://ns.google.com/photos/1.0/depthmap/",
    "http://ns.google.com/photos/1.0/image/",
    "http://ns.google.com/photos/1.0/audio/",
    "http://ns.adobe.com/xap/1.0/g/img/",
];

/// The beginnings of namespaces of gain maps: Adobe's and Apple's.
const GAIN_MAPS: [&str; 3] = [
    "http://ns.adobe.com/hdr-gain-map/",
    "http://ns.apple.com/HDRGainMap/",
    "http://ns.apple.com/pixeldatainfo/",
];

/// Words that no packet of a copy holds, wherever they stand: in a text, a comment, or XML in a text.
const TELLTALES: [&str; 2] = ["latitude", "longitude"];

/// The packet without place, which is never longer than it was; `None` if it cannot be followed to its end.
pub(super) fn without_place(
    packet: &[u8],
    gain_map: GainMap,
    cancel: &CancelFlag,
) -> Option<Vec<u8>> {
    let packet = str::from_utf8(packet).ok().filter(|packet| packet.len() <= MAX_PACKET_BYTES)?;
    let packet = packet.trim_end_matches('\0');
    let mut copy =
        Copy { text: String::new(), gain_map, depth: 0, left_out: None, bindings: vec![] };
    let mut reader = Reader::from_str(packet);
    reader.config_mut().allow_dangling_amp = true;
    loop {
        cancel.check().ok()?;
        let start = usize::try_from(reader.buffer_position()).ok()?;
        let event = reader.read_event().ok()?;
        let end = usize::try_from(reader.buffer_position()).ok()?;
        let text = packet.get(start..end)?;
        match event {
            Event::Start(element) => copy.open(&element, text, false)?,
            Event::Empty(element) => {
                copy.open(&element, text, true)?;
                copy.leave()?;
            }
            Event::End(_) => copy.close(text)?,
            Event::Eof => break,
            Event::DocType(_) => return None, // its entities could stand for anything
            Event::Text(_)
            | Event::CData(_)
            | Event::GeneralRef(_)
            | Event::Decl(_)
            | Event::PI(_) => copy.push(text),
            Event::Comment(_) => {}
        }
    }
    let lower = copy.text.to_ascii_lowercase();
    let is_told = TELLTALES
        .iter()
        .any(|word| memchr::memmem::find(lower.as_bytes(), word.as_bytes()).is_some());
    (copy.depth == 0 && !is_told).then(|| copy.text.into_bytes())
}

/// A copy in the making.
struct Copy {
    text: String,
    gain_map: GainMap,
    /// The number of open elements.
    depth: usize,
    /// The depth of the element that is left out with all that is in it.
    left_out: Option<usize>,
    /// The declared prefixes: how many elements are around the declaration, and whether its namespace is left
    /// out.
    bindings: Vec<(usize, String, bool)>,
}

impl Copy {
    fn push(&mut self, text: &str) {
        if self.left_out.is_none() {
            self.text.push_str(text);
        }
    }

    /// Enters an element that is written like this; `None` if it is too deep or broken.
    fn open(&mut self, element: &BytesStart, text: &str, is_empty: bool) -> Option<()> {
        if self.depth >= MAX_DEPTH {
            return None;
        }
        if self.left_out.is_none() {
            self.declare(element)?;
            match self.is_left_out(element.name().as_ref()) {
                true => self.left_out = Some(self.depth),
                false => self.write(element, text, is_empty)?,
            }
        }
        self.depth += 1;
        Some(())
    }

    fn close(&mut self, text: &str) -> Option<()> {
        let is_shown = self.left_out.is_none();
        self.leave()?;
        if is_shown {
            self.text.push_str(text);
        }
        Some(())
    }

    fn leave(&mut self) -> Option<()> {
        self.depth = self.depth.checked_sub(1)?;
        if self.left_out == Some(self.depth) {
            self.left_out = None;
        }
        while self.bindings.pop_if(|(around, ..)| *around >= self.depth).is_some() {}
        Some(())
    }

    /// Writes an element's start, without the attributes that are left out.
    fn write(&mut self, element: &BytesStart, text: &str, is_empty: bool) -> Option<()> {
        let is_declaration = |name: &str| name == "xmlns" || name.starts_with("xmlns:");
        let is_kept = |name: &str| is_declaration(name) || !self.is_left_out(name);
        let mut are_all_kept = true;
        for attribute in element.attributes().with_checks(false) {
            are_all_kept &= is_kept(attribute.ok()?.key.as_ref());
        }
        if are_all_kept {
            self.text.push_str(text);
            return Some(());
        }
        let mut start = format!("<{}", element.name().as_ref());
        for attribute in element.attributes().with_checks(false).flatten() {
            if !is_kept(attribute.key.as_ref()) {
                continue;
            }
            let quote = if attribute.value.contains('"') { '\'' } else { '"' };
            start.extend([" ", attribute.key.as_ref(), "="]);
            start.push(quote);
            start.push_str(&attribute.value);
            start.push(quote);
        }
        start.push_str(if is_empty { "/>" } else { ">" });
        self.text.push_str(&start);
        Some(())
    }

    /// Notes the prefixes that an element declares; `None` if they are more than any packet has.
    fn declare(&mut self, element: &BytesStart) -> Option<()> {
        for attribute in element.attributes().with_checks(false) {
            let attribute = attribute.ok()?;
            let prefix = match attribute.key.as_ref().strip_prefix("xmlns") {
                Some("") => "",
                Some(prefix) if prefix.starts_with(':') => prefix.trim_start_matches(':'),
                Some(_) | None => continue,
            };
            let uri = attribute.value.trim();
            let begins = |list: &[&str]| list.iter().any(|known| uri.starts_with(known));
            let describes_gone = self.gain_map == GainMap::Gone && begins(&GAIN_MAPS);
            let is_left_out = begins(&PLACES) || begins(&GONE) || describes_gone;
            if self.bindings.len() >= MAX_NAMESPACES {
                return None;
            }
            self.bindings.push((self.depth, prefix.to_owned(), is_left_out));
        }
        Some(())
    }

    /// Whether a property of this name is left out.
    fn is_left_out(&self, name: &str) -> bool {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let bound = self.bindings.iter().rev().find(|(_, bound, _)| bound == prefix);
        let is_of_namespace = bound.is_some_and(|(.., is_left_out)| *is_left_out);
        let lower = local.to_ascii_lowercase();
        is_of_namespace
            || NAMES.contains(&lower.as_str())
            || WORDS.iter().chain(&WORDS_IN_NAMES).any(|word| lower.contains(word))
            || ["City", "State"].iter().any(|word| local.ends_with(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::sample::packet;

    fn copy(packet: &str) -> Option<String> {
        let copy = without_place(packet.as_bytes(), GainMap::Gone, &CancelFlag::default());
        copy.map(|copy| String::from_utf8(copy).unwrap())
    }

    #[test]
    fn a_packet_without_place_is_copied_as_it_is() {
        for packet in [
            packet("photoshop:Headline='Opacity of the county fair' xmp:Rating = \"5\"", ""),
            packet(
                "",
                "<dc:title xmlns:dc='http://purl.org/dc/elements/1.1/'>a &amp; b &#x41;</dc:title>",
            ),
            packet("", "<xmp:Label><![CDATA[<x>]]></xmp:Label>\r\n\t<xmp:Rating/>"),
            format!("{}{}", packet("", ""), " ".repeat(2000)),
        ] {
            assert_eq!(copy(&packet).as_ref(), Some(&packet));
        }
    }

    #[test]
    fn properties_that_tell_a_place_are_left_out_in_every_form() {
        let iptc = "xmlns:i='http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/'";
        let other = |prefix: &str, uri: &str, name: &str| {
            (format!("xmlns:{prefix}='{uri}' {prefix}:{name}='Xanadu'"), String::new())
        };
        for (attributes, children) in [
            ("exif:GPSLatitude='35,39.5N' exif:GPSAreaInformation='Xanadu'".into(), String::new()),
            ("photoshop:City='Xanadu'".into(), String::new()),
            ("photoshop:State=\"Xanadu's\"".into(), String::new()),
            (String::new(), "<photoshop:Country>Xanadu</photoshop:Country>".into()),
            (format!("{iptc} i:Location='Xanadu' i:CountryCode='XAN'"), String::new()),
            (format!("{iptc} i:CreatorContactInfo='x'"), "<i:CreatorContactInfo><rdf:Description i:CiAdrCity='Xanadu'/></i:CreatorContactInfo>".into()),
            (String::new(), "<e:LocationShown xmlns:e='x'><rdf:Bag><rdf:li rdf:parseType='Resource'>
                <e:Sublocation>Xanadu</e:Sublocation></rdf:li></rdf:Bag></e:LocationShown>".into()),
            (String::new(), "<xmp:History><rdf:Seq><rdf:li photoshop:City='Xanadu'/></rdf:Seq></xmp:History>".into()),
            (String::new(), "<!-- Xanadu --><xmp:Rating/>".into()),
            other("w", "http://rs.tdwg.org/dwc/terms/", "anything"),
            other("dji", "http://www.dji.com/drone-dji/1.0/", "anything"),
            other("maker", "http://maker.example/", "GpsLongtitude"),
            other("t", "http://ns.adobe.com/xap/1.0/g/img/", "image"),
        ] {
            let packet = packet(&format!("xmp:Label='kept' {attributes}"), &children);
            let copy = copy(&packet).expect(&packet);
            assert!(!copy.contains("Xanadu"), "{copy}");
            assert!(copy.contains("kept") && copy.len() < packet.len(), "{copy}");
            // It is still one packet of XML.
            assert_eq!(super::tests::copy(&copy), Some(copy));
        }
    }

    #[test]
    fn gain_maps_stay_described_where_they_stay() {
        let packet = packet("xmlns:h='http://ns.adobe.com/hdr-gain-map/1.0/' h:Version='1.0'", "");
        let kept = without_place(packet.as_bytes(), GainMap::Kept, &CancelFlag::default());
        assert_eq!(kept.as_deref(), Some(packet.as_bytes()));
        assert!(!copy(&packet).unwrap().contains("h:Version"));
    }

    #[test]
    fn a_packet_that_cannot_be_followed_is_left_out() {
        let whole = packet("photoshop:City='Xanadu'", "<xmp:Rating>5</xmp:Rating>");
        let end = whole.find("</x:xmpmeta>").unwrap();
        for length in whole.find("<x:xmpmeta").unwrap() + 1..=end {
            assert_eq!(whole.get(..length).and_then(copy), None, "{length}");
        }
        for broken in [
            packet("", "<xmp:Rating>5</xmp:Other>"),
            packet("xmp:Label=5", ""),
            packet("", "&lt;exif:GPSLatitude>35,39.5N&lt;/exif:GPSLatitude>"),
            packet("xmp:Label='longitude 35'", ""),
            format!("<!DOCTYPE x [<!ENTITY y 'Xanadu'>]>{}", packet("", "&y;")),
        ] {
            assert_eq!(copy(&broken), None, "{broken}");
        }
        let bytes: Vec<u8> = whole.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(without_place(&bytes, GainMap::Gone, &CancelFlag::default()), None, "UTF-16");
    }

    #[test]
    fn depth_namespaces_and_bytes_are_limited() {
        let deep = |depth: usize| {
            copy(&format!("{}{}", "<rdf:li>".repeat(depth), "</rdf:li>".repeat(depth)))
        };
        assert!(deep(MAX_DEPTH).is_some() && deep(MAX_DEPTH + 1).is_none());
        let declared = |count: usize| {
            let names: String = (0..count).map(|number| format!(" xmlns:n{number}='x'")).collect();
            copy(&format!("<a{names}/>"))
        };
        assert!(declared(MAX_NAMESPACES).is_some() && declared(MAX_NAMESPACES + 1).is_none());
        let long = |bytes: usize| copy(&format!("<a/>{}", " ".repeat(bytes - 4)));
        assert!(long(MAX_PACKET_BYTES).is_some() && long(MAX_PACKET_BYTES + 1).is_none());
    }

    #[test]
    fn a_raised_flag_stops_the_reading() {
        let cancel = CancelFlag::default();
        cancel.raise();
        assert_eq!(without_place(b"<a/>", GainMap::Gone, &cancel), None);
    }
}
