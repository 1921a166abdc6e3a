//! XMP: the properties of a photo that are read where EXIF has none (ISO 16684-1, "part 1"; Adobe's XMP
//! Specification, parts 2 and 3).
//!
//! A packet is XML of strangers. It is read as a stream, in one pass: no tree is built, no entity is expanded, and
//! both its bytes and its depth are limited. What follows the first fault is not read. Packets in UTF-16 or
//! UTF-32, which part 3 allows in few formats and no camera writes, are not read.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::QName;
use quick_xml::{Reader, XmlVersion};

use super::clock::Clock;
use crate::CancelFlag;

/// Most bytes of a packet that are read. Those of cameras have some kilobytes; editors keep their history
/// in them.
pub(crate) const MAX_PACKET_BYTES: usize = 2 << 20;
/// Most packets that are read; a file has one, and one with the extension.
const MAX_PACKETS: usize = 4;
/// Most elements inside each other; those of editors' histories are some ten deep.
pub(crate) const MAX_DEPTH: usize = 64;
/// Most namespaces that are declared at a time; an editor declares some twenty.
pub(crate) const MAX_NAMESPACES: usize = 64;
/// Most bytes of a value. Dates and places are short, and texts are cut at 512 bytes anyway.
const MAX_VALUE_BYTES: usize = 1024;

/// Bytes of an extension's header: GUID, length of the whole, offset of this part.
const GUID_BYTES: usize = 32;

/// A namespace whose names are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Namespace {
    Rdf,
    Exif,
    ExifEx,
    Aux,
    Photoshop,
    Xmp,
    Note,
}

const NAMESPACES: [(&str, Namespace); 7] = [
    ("http://www.w3.org/1999/02/22-rdf-syntax-ns#", Namespace::Rdf),
    ("http://ns.adobe.com/exif/1.0/", Namespace::Exif),
    ("http://cipa.jp/exif/1.0/", Namespace::ExifEx),
    ("http://ns.adobe.com/exif/1.0/aux/", Namespace::Aux),
    ("http://ns.adobe.com/photoshop/1.0/", Namespace::Photoshop),
    ("http://ns.adobe.com/xap/1.0/", Namespace::Xmp),
    ("http://ns.adobe.com/xmp/note/", Namespace::Note),
];

/// A property that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Property {
    DateTimeOriginal,
    DateCreated,
    DateTimeDigitized,
    CreateDate,
    GpsLatitude,
    GpsLongitude,
    GpsLatitudeRef,
    GpsLongitudeRef,
    GpsAltitude,
    GpsAltitudeRef,
    GpsStatus,
    GpsTimeStamp,
    Lens,
    LensModel,
    HasExtendedXmp,
}

const PROPERTIES: [(Namespace, &str, Property); 15] = [
    (Namespace::Exif, "DateTimeOriginal", Property::DateTimeOriginal),
    (Namespace::Photoshop, "DateCreated", Property::DateCreated),
    (Namespace::Exif, "DateTimeDigitized", Property::DateTimeDigitized),
    (Namespace::Xmp, "CreateDate", Property::CreateDate),
    (Namespace::Exif, "GPSLatitude", Property::GpsLatitude),
    (Namespace::Exif, "GPSLongitude", Property::GpsLongitude),
    (Namespace::Exif, "GPSLatitudeRef", Property::GpsLatitudeRef),
    (Namespace::Exif, "GPSLongitudeRef", Property::GpsLongitudeRef),
    (Namespace::Exif, "GPSAltitude", Property::GpsAltitude),
    (Namespace::Exif, "GPSAltitudeRef", Property::GpsAltitudeRef),
    (Namespace::Exif, "GPSStatus", Property::GpsStatus),
    (Namespace::Exif, "GPSTimeStamp", Property::GpsTimeStamp),
    (Namespace::Aux, "Lens", Property::Lens),
    (Namespace::ExifEx, "LensModel", Property::LensModel),
    (Namespace::Note, "HasExtendedXMP", Property::HasExtendedXmp),
];

/// The dates of taking, the most trusted first.
const DATES: [Property; 4] = [
    Property::DateTimeOriginal,
    Property::DateCreated,
    Property::DateTimeDigitized,
    Property::CreateDate,
];

/// The properties of a photo, each of which is given by the first packet that has it.
#[derive(Debug, Default)]
pub(super) struct Xmp(BTreeMap<Property, String>);

impl Xmp {
    /// Reads the packets, then the extension that they name: payloads of the JPEG segments behind the identifier
    /// of extensions.
    pub fn read(packets: &[&[u8]], extensions: &[&[u8]], cancel: &CancelFlag) -> Xmp {
        let mut xmp = Xmp::default();
        for packet in packets.iter().take(MAX_PACKETS) {
            xmp.read_packet(packet, cancel);
        }
        if let Some(guid) = xmp.get(Property::HasExtendedXmp) {
            let extension = join(extensions, guid.as_bytes());
            xmp.read_packet(&extension, cancel);
        }
        xmp
    }

    pub fn get(&self, property: Property) -> Option<&str> {
        self.0.get(&property).map(String::as_str)
    }

    /// The dates of taking, the most trusted first.
    pub fn dates(&self) -> Vec<Clock> {
        DATES.into_iter().filter_map(|date| Clock::read(self.get(date)?)).collect()
    }

    /// The time of the GPS fix in UTC. Without an offset it is taken for UTC.
    pub fn gps_time(&self) -> Option<NaiveDateTime> {
        let clock =
            Clock::read(self.get(Property::GpsTimeStamp)?).filter(|clock| clock.has_time)?;
        match clock.offset {
            Some(offset) => clock.second.checked_sub_offset(offset),
            None => Some(clock.second),
        }
    }

    fn read_packet(&mut self, packet: &[u8], cancel: &CancelFlag) {
        let packet = packet.get(..MAX_PACKET_BYTES).unwrap_or(packet);
        let text = String::from_utf8_lossy(packet);
        let mut reader = Reader::from_str(&text);
        reader.config_mut().allow_dangling_amp = true;
        let mut walk =
            Walk { xmp: self, levels: Vec::new(), bindings: Vec::new(), text: String::new() };
        while cancel.check().is_ok() {
            let step = match reader.read_event() {
                Ok(Event::Start(element)) => walk.open(&element),
                Ok(Event::Empty(element)) => walk.open(&element).and_then(|()| walk.close()),
                Ok(Event::End(_)) => walk.close(),
                Ok(Event::Text(text)) => walk.text(&text.xml10_content()),
                Ok(Event::CData(text)) => walk.text(&text.xml10_content()),
                Ok(Event::GeneralRef(name)) => walk.text(&reference(&name)),
                Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_)) => {
                    Some(())
                }
                Ok(Event::Eof) | Err(_) => None,
            };
            if step.is_none() {
                return;
            }
        }
    }
}

/// The character for which a reference stands: a number, or one of the five names of XML. Entities that the
/// packet declares stand for nothing.
fn reference(name: &str) -> String {
    match name {
        "lt" => "<".to_owned(),
        "gt" => ">".to_owned(),
        "amp" => "&".to_owned(),
        "apos" => "'".to_owned(),
        "quot" => "\"".to_owned(),
        _ => {
            let number =
                name.strip_prefix('#').map(|digits| match digits.strip_prefix(['x', 'X']) {
                    Some(digits) => u32::from_str_radix(digits, 16),
                    None => digits.parse(),
                });
            let character = number.and_then(Result::ok).and_then(char::from_u32);
            character.map(String::from).unwrap_or_default()
        }
    }
}

/// What an element is by its place in the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// Around rdf:RDF.
    Around,
    /// rdf:RDF.
    Rdf,
    /// rdf:Description, or another node directly inside rdf:RDF: its attributes and children are properties.
    Node,
    /// A property, or an rdf: element in it, such as rdf:Seq and rdf:li.
    Value(Property),
    /// Anything else with all that is in it, such as the properties of another photo in an editor's history.
    Other,
}

/// The way through a packet.
struct Walk<'a> {
    xmp: &'a mut Xmp,
    /// The open elements.
    levels: Vec<Level>,
    /// The declared prefixes: how many elements are around the declaration, and what it declares.
    bindings: Vec<(usize, String, Option<Namespace>)>,
    /// The text of the open property.
    text: String,
}

impl Walk<'_> {
    /// Enters an element; `None` if it is too deep.
    fn open(&mut self, element: &BytesStart) -> Option<()> {
        if self.levels.len() >= MAX_DEPTH {
            return None;
        }
        let parent = self.levels.last().copied().unwrap_or(Level::Around);
        let level = if parent == Level::Other { Level::Other } else { self.level(parent, element) };
        if level == Level::Node {
            self.read_attributes(element);
        }
        self.text.clear();
        self.levels.push(level);
        Some(())
    }

    fn level(&mut self, parent: Level, element: &BytesStart) -> Level {
        self.declare(element);
        let namespace = self.namespace(element.name());
        let is_rdf = namespace == Some(Namespace::Rdf);
        match parent {
            Level::Around if is_rdf && element.local_name().as_ref() == "RDF" => Level::Rdf,
            Level::Around => Level::Around,
            Level::Rdf => Level::Node,
            Level::Node => self.property(element.name()).map_or(Level::Other, Level::Value),
            Level::Value(property) if is_rdf => Level::Value(property),
            Level::Value(_) | Level::Other => Level::Other,
        }
    }

    /// Leaves an element; `None` at the end of the properties.
    fn close(&mut self) -> Option<()> {
        let level = self.levels.pop()?;
        if let Level::Value(property) = level {
            let text = std::mem::take(&mut self.text);
            self.keep(property, &text);
        }
        let depth = self.levels.len();
        while self.bindings.pop_if(|(around, ..)| *around >= depth).is_some() {}
        (level != Level::Rdf).then_some(())
    }

    fn text(&mut self, text: &str) -> Option<()> {
        let is_value = matches!(self.levels.last(), Some(Level::Value(_)));
        if is_value && self.text.len() + text.len() <= MAX_VALUE_BYTES {
            self.text.push_str(text);
        }
        Some(())
    }

    /// Keeps the first value of a property that is not blank.
    fn keep(&mut self, property: Property, value: &str) {
        let value = value.trim();
        if !value.is_empty() {
            self.xmp.0.entry(property).or_insert_with(|| value.to_owned());
        }
    }

    fn declare(&mut self, element: &BytesStart) {
        let depth = self.levels.len();
        for attribute in element.attributes().with_checks(false).flatten() {
            let name = attribute.key.as_ref();
            let prefix = match name.strip_prefix("xmlns") {
                Some("") => "",
                Some(prefix) if prefix.starts_with(':') => prefix.trim_start_matches(':'),
                Some(_) | None => continue,
            };
            let uri = attribute.value.trim();
            let named = NAMESPACES.iter().find(|(known, _)| *known == uri);
            if self.bindings.len() < MAX_NAMESPACES {
                self.bindings.push((
                    depth,
                    prefix.to_owned(),
                    named.map(|(_, namespace)| *namespace),
                ));
            }
        }
    }

    fn read_attributes(&mut self, element: &BytesStart) {
        for attribute in element.attributes().with_checks(false).flatten() {
            let is_short = attribute.value.len() <= MAX_VALUE_BYTES;
            let Some(property) = self.property(attribute.key).filter(|_| is_short) else {
                continue;
            };
            if let Ok(value) = attribute.normalized_value(XmlVersion::Implicit1_0) {
                self.keep(property, &value);
            }
        }
    }

    fn property(&self, name: QName) -> Option<Property> {
        let local = name.local_name();
        let mut named =
            PROPERTIES.iter().filter(|(_, known, _)| *known == local.as_ref()).peekable();
        named.peek()?;
        let namespace = self.namespace(name)?;
        named.find(|(known, ..)| *known == namespace).map(|(.., property)| *property)
    }

    /// The namespace that the name's prefix stands for.
    fn namespace(&self, name: QName) -> Option<Namespace> {
        let prefix = name.prefix();
        let prefix = prefix.as_ref().map_or("", |prefix| prefix.as_ref());
        let bound = self.bindings.iter().rev().find(|(_, bound, _)| bound == prefix);
        bound.and_then(|(.., namespace)| *namespace)
    }
}

/// The extension with this GUID, whose parts may come in any order (XMP part 3, clause 1.1.3.1).
fn join(extensions: &[&[u8]], guid: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    // As long as its parts, whatever they declare.
    let most = extensions.iter().map(|part| part.len()).sum::<usize>().min(MAX_PACKET_BYTES);
    for part in extensions.iter().filter_map(|part| part.strip_prefix(guid.get(..GUID_BYTES)?)) {
        let Some((&[_, _, _, _, a, b, c, d], data)) = part.split_first_chunk() else { continue };
        let start = u32::from_be_bytes([a, b, c, d]) as usize;
        let Some(end) = start.checked_add(data.len()).filter(|end| *end <= most) else { continue };
        if whole.len() < end {
            whole.resize(end, b' ');
        }
        if let Some(place) = whole.get_mut(start..end) {
            place.copy_from_slice(data);
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::super::sample::packet;
    use super::*;

    fn read(packet: &str) -> Xmp {
        Xmp::read(&[packet.as_bytes()], &[], &CancelFlag::default())
    }

    fn date(packet: &str) -> Option<String> {
        read(packet).get(Property::DateTimeOriginal).map(str::to_owned)
    }

    const RDF: &str = "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'";
    const EXIF: &str = "xmlns:exif='http://ns.adobe.com/exif/1.0/'";

    #[test]
    fn attributes_elements_and_lists_give_the_same() {
        for packet in [
            packet("exif:DateTimeOriginal='2019-08-11'", ""),
            packet("exif:DateTimeOriginal = \"2019-08-11\"", ""),
            packet("", "<exif:DateTimeOriginal>2019-08-11</exif:DateTimeOriginal>"),
            packet("", "<exif:DateTimeOriginal> <![CDATA[2019-08-11]]>\n</exif:DateTimeOriginal>"),
            packet("", "<exif:DateTimeOriginal>2019&#45;08&#x2D;11</exif:DateTimeOriginal>"),
            packet("exif:DateTimeOriginal='2019&#45;08-11'", ""),
            list("rdf:Seq"),
            list("rdf:Alt"),
            list("rdf:Bag"),
            packet(
                "",
                "<exif:DateTimeOriginal rdf:parseType='Resource'><rdf:value>2019-08-11</rdf:value>
                <xmp:note>no</xmp:note></exif:DateTimeOriginal>",
            ),
            packet(
                "",
                "<exif:DateTimeOriginal><rdf:Description><rdf:value>2019-08-11</rdf:value>
                </rdf:Description></exif:DateTimeOriginal>",
            ),
            packet(
                "",
                "<exif:DateTimeOriginal rdf:parseType='Resource'><xmp:note>no</xmp:note>
                <rdf:value>2019-08-11</rdf:value></exif:DateTimeOriginal>",
            ),
            packet(
                "exif:DateTimeOriginal=' '",
                "<exif:DateTimeOriginal>2019-08-11</exif:DateTimeOriginal>",
            ),
        ] {
            assert_eq!(date(&packet).as_deref(), Some("2019-08-11"), "{packet}");
        }
    }

    #[test]
    fn a_property_of_another_namespace_is_another_one() {
        assert_eq!(date(&packet("xmp:DateTimeOriginal='2019-08-11'", "")), None);
        assert_eq!(date(&packet("photoshop:DateTimeOriginal='2019-08-11'", "")), None);
    }

    #[test]
    fn a_value_that_is_too_long_is_absent() {
        for (length, is_read) in [(MAX_VALUE_BYTES, true), (MAX_VALUE_BYTES + 1, false)] {
            let value = "9".repeat(length);
            let attribute = packet(&format!("exif:DateTimeOriginal='{value}'"), "");
            let element = format!("<exif:DateTimeOriginal>{value}</exif:DateTimeOriginal>");
            for packet in [attribute, packet("", &element)] {
                assert_eq!(date(&packet).is_some(), is_read, "{length}");
            }
        }
    }

    fn list(kind: &str) -> String {
        let items = "<rdf:li>2019-08-11</rdf:li><rdf:li>2020-01-01</rdf:li>";
        packet(
            "",
            &format!("<exif:DateTimeOriginal><{kind}>{items}</{kind}></exif:DateTimeOriginal>"),
        )
    }

    #[test]
    fn a_namespace_is_known_by_its_address_not_by_its_prefix() {
        let body = |exif: &str, rdf: &str, attributes: &str, name: &str| {
            format!(
                "<{rdf}:RDF xmlns:{rdf}='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>
                <{rdf}:Description xmlns:{exif}='http://ns.adobe.com/exif/1.0/' {attributes}>
                <{name}>2019-08-11</{name}></{rdf}:Description></{rdf}:RDF>"
            )
        };
        for packet in [
            body("e", "r", "", "e:DateTimeOriginal"),
            body("exif", "rdf", "xmlns:xmp='urn:other'", "exif:DateTimeOriginal"),
            body("e", "r", "xmlns='http://ns.adobe.com/exif/1.0/'", "DateTimeOriginal"),
        ] {
            assert_eq!(date(&packet).as_deref(), Some("2019-08-11"), "{packet}");
        }
        for packet in [
            body("e", "r", "xmlns:exif='urn:other'", "exif:DateTimeOriginal"),
            body("e", "r", "", "exif:DateTimeOriginal"),
            body("e", "r", "", "DateTimeOriginal"),
            body("e", "r", "xmlns:e='urn:other'", "e:DateTimeOriginal"),
            format!("<RDF><Description {EXIF} exif:DateTimeOriginal='2019-08-11'/></RDF>"),
        ] {
            assert_eq!(date(&packet), None, "{packet}");
        }
    }

    #[test]
    fn a_declaration_ends_with_its_element() {
        let packet = format!(
            "<rdf:RDF {RDF}><rdf:Description {EXIF}/><rdf:Description exif:DateTimeOriginal='2019-08-11'/></rdf:RDF>"
        );
        assert_eq!(date(&packet), None);
        let packet = format!(
            "<rdf:RDF {RDF} {EXIF}><rdf:Description xmlns:exif='urn:other'/>
            <rdf:Description exif:DateTimeOriginal='2019-08-11'/></rdf:RDF>"
        );
        assert_eq!(date(&packet).as_deref(), Some("2019-08-11"));
    }

    #[test]
    fn the_properties_of_other_photos_are_not_read() {
        let of_other = "<rdf:Description exif:DateTimeOriginal='2001-01-01'>
            <exif:DateTimeOriginal>2001-01-01</exif:DateTimeOriginal></rdf:Description>";
        for children in [
            format!("<xmp:Pantry><rdf:Bag><rdf:li>{of_other}</rdf:li></rdf:Bag></xmp:Pantry>"),
            format!("<xmp:DerivedFrom rdf:parseType='Resource'>{of_other}</xmp:DerivedFrom>"),
            format!("<rdf:RDF>{of_other}</rdf:RDF>"),
        ] {
            assert_eq!(date(&packet("", &children)), None, "{children}");
            let own = "<exif:DateTimeOriginal>2019-08-11</exif:DateTimeOriginal>";
            let packet = packet("", &format!("{children}{own}"));
            assert_eq!(date(&packet).as_deref(), Some("2019-08-11"), "{packet}");
        }
    }

    #[test]
    fn dates_may_be_less_precise() {
        for (text, expected) in [
            ("2019", "2019-01-01 00:00:00"),
            ("2019-08", "2019-08-01 00:00:00"),
            ("2019-08-11", "2019-08-11 00:00:00"),
            ("2019-08-11T15:10", "2019-08-11 15:10:00"),
            ("2019-08-11T15:10+02:00", "2019-08-11 15:10:00"),
            ("2019-08-11T15:10:09.5Z", "2019-08-11 15:10:09"),
            ("2019:08:11 15:10:09", "2019-08-11 15:10:09"),
        ] {
            let dates = read(&packet(&format!("photoshop:DateCreated='{text}'"), "")).dates();
            assert_eq!(dates[0].second.to_string(), expected, "{text}");
        }
    }

    #[test]
    fn the_dates_are_in_their_order_of_trust() {
        let all = "xmp:CreateDate='2004' exif:DateTimeDigitized='2003' photoshop:DateCreated='2002'
            exif:DateTimeOriginal='2001'";
        let dates = read(&packet(all, "")).dates();
        let years: Vec<String> =
            dates.iter().map(|date| date.second.format("%Y").to_string()).collect();
        assert_eq!(years, ["2001", "2002", "2003", "2004"]);
    }

    #[test]
    fn entities_are_never_expanded() {
        let bomb =
            "<!DOCTYPE x [<!ENTITY a '2019'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]>";
        let children = "<exif:DateTimeOriginal>&c;</exif:DateTimeOriginal>";
        assert_eq!(date(&format!("{bomb}{}", packet("", children))), None);
        assert_eq!(date(&format!("{bomb}{}", packet("exif:DateTimeOriginal='&c;'", ""))), None);
        let text = "<aux:Lens>Tom &amp; &#x26; & Jerry &lt;3&gt; &quot;&apos;&unknown;</aux:Lens>";
        assert_eq!(read(&packet("", text)).get(Property::Lens), Some("Tom & & & Jerry <3> \"'"));
    }

    #[test]
    fn what_comes_before_a_fault_is_read() {
        let whole = packet("exif:DateTimeOriginal='2019-08-11'", "<aux:Lens>50mm</aux:Lens>");
        let lens = whole.find("<aux").unwrap();
        for length in 0..whole.len() {
            if whole.is_char_boundary(length) {
                let expected = (length >= lens).then_some("2019-08-11".to_owned());
                assert_eq!(date(&whole[..length]), expected, "{length}");
            }
        }
        let mut damaged = whole.into_bytes();
        damaged[lens + 10] = 0xFF;
        let xmp = Xmp::read(&[&damaged], &[], &CancelFlag::default());
        assert_eq!(xmp.get(Property::DateTimeOriginal), Some("2019-08-11"));
    }

    #[test]
    fn elements_that_are_too_deep_end_the_packet() {
        let lens = "<aux:Lens>50mm</aux:Lens>";
        let nested = |depth: usize| {
            let children = format!("{}{}{lens}", "<a>".repeat(depth), "</a>".repeat(depth));
            read(&packet("exif:DateTimeOriginal='2019-08-11'", &children))
        };
        assert_eq!(nested(MAX_DEPTH - 3).get(Property::Lens), Some("50mm"));
        assert_eq!(nested(MAX_DEPTH - 2).get(Property::Lens), None);
        assert_eq!(nested(100_000).get(Property::DateTimeOriginal), Some("2019-08-11"));
    }

    #[test]
    fn namespaces_and_packets_are_limited() {
        // The packet declares eight.
        let with = |more: usize| {
            let declared: String = (0..more).map(|n| format!(" xmlns:n{n}='urn:{n}'")).collect();
            let last = "xmlns:x='http://ns.adobe.com/exif/1.0/' x:DateTimeOriginal='2019'";
            date(&packet(&format!("{declared} {last}"), ""))
        };
        assert!(with(MAX_NAMESPACES - 9).is_some());
        assert!(with(MAX_NAMESPACES - 8).is_none());
        let packet = packet("exif:DateTimeOriginal='2019-08-11'", "");
        let mut packets = vec![&b"<a/>"[..]; MAX_PACKETS];
        packets.push(packet.as_bytes());
        let read = |packets| Xmp::read(packets, &[], &CancelFlag::default());
        assert!(read(&packets).get(Property::DateTimeOriginal).is_none());
        assert!(read(&packets[1..]).get(Property::DateTimeOriginal).is_some());
        let late = [&vec![b' '; MAX_PACKET_BYTES][..], packet.as_bytes()].concat();
        assert!(read(&[&late]).get(Property::DateTimeOriginal).is_none());
    }

    #[test]
    fn a_raised_flag_ends_the_packet() {
        let cancel = CancelFlag::default();
        cancel.raise();
        let packet = packet("exif:DateTimeOriginal='2019-08-11'", "");
        assert!(Xmp::read(&[packet.as_bytes()], &[], &cancel).0.is_empty());
    }

    const GUID: &str = "0123456789ABCDEF0123456789ABCDEF";

    /// The parts of an extension, each with its offset.
    fn parts(extension: &str, guid: &str, cuts: &[usize]) -> Vec<Vec<u8>> {
        let ends = cuts.iter().skip(1).copied().chain([extension.len()]);
        let part = |(start, end): (&usize, usize)| {
            let (length, offset) = (extension.len() as u32, *start as u32);
            let header = [guid.as_bytes(), &length.to_be_bytes(), &offset.to_be_bytes()].concat();
            [&header, &extension.as_bytes()[*start..end]].concat()
        };
        cuts.iter().zip(ends).map(part).collect()
    }

    fn with_extension(parts: &[Vec<u8>]) -> Option<String> {
        let main = packet(&format!("xmpNote:HasExtendedXMP='{GUID}' aux:Lens='main'"), "");
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let xmp = Xmp::read(&[main.as_bytes()], &parts, &CancelFlag::default());
        assert_eq!(xmp.get(Property::Lens), Some("main"));
        xmp.get(Property::DateTimeOriginal).map(str::to_owned)
    }

    #[test]
    fn the_extension_that_the_packet_names_is_read() {
        let extension = packet("exif:DateTimeOriginal='2019-08-11' aux:Lens='extension'", "");
        let expected = Some("2019-08-11".to_owned());
        assert_eq!(with_extension(&parts(&extension, GUID, &[0])), expected);
        let mut in_parts = parts(&extension, GUID, &[0, 100, 101, 400]);
        assert_eq!(with_extension(&in_parts), expected);
        in_parts.reverse();
        assert_eq!(with_extension(&in_parts), expected, "parts in another order");
        let other = parts(&extension, &GUID.replace('0', "F"), &[0]);
        assert_eq!(with_extension(&other), None, "the extension of another photo");
        in_parts.extend(other);
        assert_eq!(with_extension(&in_parts), expected);
        let without_main = Xmp::read(&[], &[&in_parts[0]], &CancelFlag::default());
        assert!(without_main.0.is_empty());
    }

    #[test]
    fn an_extension_takes_no_more_memory_than_its_parts() {
        let declared = |length: u32, offset: u32| {
            [GUID.as_bytes(), &length.to_be_bytes(), &offset.to_be_bytes(), b"<a/>"].concat()
        };
        for (length, offset) in
            [(u32::MAX, u32::MAX), (u32::MAX, u32::MAX - 4), (8, 1 << 20), (8, 200)]
        {
            let part = declared(length, offset);
            assert!(join(&[&part], GUID.as_bytes()).is_empty(), "{offset}");
        }
        assert_eq!(join(&[&declared(0, 2)], GUID.as_bytes()), b"  <a/>");
        assert!(join(&[b"", GUID.as_bytes(), &[0; 39]], GUID.as_bytes()).is_empty());
        let large = [GUID.as_bytes(), &[0; 8], &vec![b'a'; 60_000]].concat();
        let mut many = Vec::new();
        for number in 0..100u32 {
            let mut part = large.clone();
            part[36..40].copy_from_slice(&(number * 60_000).to_be_bytes());
            many.push(part);
        }
        let many: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
        assert_eq!(join(&many, GUID.as_bytes()).len(), MAX_PACKET_BYTES / 60_000 * 60_000);
    }
}
