//! Copies of an original without metadata: of HEICs, whose pictures and metadata lie among each other, and of files
//! that are large, damaged or hostile. Whatever a file declares, a copy costs its bytes, and its pixels are those of
//! the original.

use std::fs;
use std::path::Path;

use photo::{CancelFlag, DctScale, Inspected, Policy, Resampling, Spec, Strip, inspect};

use super::cost;
use super::files::{media_box, png_chunk, riff_chunk, segment, small_png, webp};
use super::floods::gray_jpeg;
use super::golden;
use super::hevc::{Heic, STREAM};

const STRIPS: [Strip; 2] = [Strip::Location, Strip::All];
/// A name of a place that no file has by chance.
const PLACE: &[u8] = b"Xanadu";

fn holds(file: &[u8], text: &[u8]) -> bool {
    file.windows(text.len()).any(|window| window == text)
}

fn pixels(photo: &Inspected) -> Result<Vec<u8>, &'static str> {
    let plan = photo.plan(&[Spec::scaled(1.0, 0.9)], Resampling::Best, u64::MAX);
    let mut plan = plan.map_err(|error| error.name())?;
    plan.dct_scale = DctScale::FULL;
    let decoded = plan.decode(&CancelFlag::default()).map_err(|error| error.name())?;
    Ok(decoded.data)
}

/// A copy, checked to show what the original shows.
fn copy(file: &[u8], strip: Strip) -> Result<Vec<u8>, &'static str> {
    let cancel = CancelFlag::default();
    let original = inspect(file, Policy::default(), &cancel);
    let copy = original.stripped(strip, &cancel).unwrap()?.file;
    let made = inspect(&copy, Policy::default(), &cancel);
    if let Ok(pixels) = pixels(&original) {
        assert!(self::pixels(&made) == Ok(pixels), "other pixels");
    }
    assert_eq!(original.orientation(), made.orientation());
    Ok(copy)
}

/// Makes both copies, and checks that this takes little time.
fn copy_soon(file: &[u8], name: &str) -> [Result<usize, &'static str>; 2] {
    let cancel = CancelFlag::default();
    let original = inspect(file, Policy::default(), &cancel);
    STRIPS.map(|strip| {
        let make = || original.stripped(strip, &cancel).unwrap().map(|copy| copy.file.len());
        let (made, taken) = cost::timed(make);
        cost::assert_soon(taken, name, || cost::timed(make).1);
        made
    })
}

/// A block of EXIF with GPS and the name of a place.
fn exif() -> Vec<u8> {
    let mut block = b"MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    block.extend(b"\x01\x0F\0\x02\0\0\0\x06\0\0\0\x26"); // Make
    block.extend(b"\x88\x25\0\x04\0\0\0\x01\0\0\0\x2C"); // the offset of GPS
    block.extend(b"\0\0\0\0Canon\0");
    block.extend(b"\0\x01\0\x1B\0\x02\0\0\0\x06\0\0\0\x3E\0\0\0\0Xanadu"); // GPSProcessingMethod
    block
}

fn exif_item() -> Vec<u8> {
    [b"\0\0\0\x06Exif\0\0", &exif()[..]].concat()
}

fn packet(children: &str) -> Vec<u8> {
    format!(
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>
        <rdf:Description xmlns:p='http://ns.adobe.com/photoshop/1.0/'>{children}</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    .into_bytes()
}

/// A HEIC with a picture, EXIF and XMP, both with a place, an item of another program, and bytes of no item.
fn heic() -> Heic {
    let mut heic = Heic::grid(2, 2, &STREAM);
    let exif = heic.item(b"Exif", vec![], &exif_item());
    let text = packet("<p:City>Xanadu</p:City><p:Headline>lunch</p:Headline>");
    let xmp = heic.item(b"mime", vec![], &text);
    heic.item(b"uri ", vec![], PLACE);
    heic.refer(b"cdsc", exif, &[1]);
    heic.refer(b"cdsc", xmp, &[1]);
    let kind = [b"\x02\0\0\0\0", &[xmp as u8, 0, 0][..], b"mime\0application/rdf+xml\0"].concat();
    heic.before[1] = media_box(b"infe", &kind);
    heic.data.extend(PLACE);
    heic
}

#[test]
fn a_place_in_a_heic_is_overwritten_and_nothing_moves() {
    let file = heic().file();
    assert!(holds(&file, b"Canon") && holds(&file, b"lunch"));
    for strip in STRIPS {
        let copy = copy(&file, strip).unwrap();
        assert_eq!(copy.len(), file.len());
        assert!(!holds(&copy, PLACE), "{strip:?}");
        assert_eq!(holds(&copy, b"Canon"), strip == Strip::Location);
        assert_eq!(holds(&copy, b"lunch"), strip == Strip::Location);
        assert!(self::copy(&copy, strip).is_ok_and(|again| again == copy));
    }
}

#[test]
fn boxes_of_a_heic_that_are_not_known_are_overwritten() {
    let place = [b"0123456789abcdef", PLACE].concat();
    let within = |change: &dyn Fn(&mut Heic)| {
        let mut heic = Heic::single(&STREAM);
        change(&mut heic);
        heic.file()
    };
    let behind = |name: &[u8; 4]| [Heic::single(&STREAM).file(), media_box(name, &place)].concat();
    for (name, file, is_longer) in [
        ("the video of a motion photo", behind(b"mpvd"), true),
        ("a maker's box", behind(b"uuid"), true),
        ("free space", behind(b"free"), true),
        ("a second list", behind(b"meta"), true),
        ("bytes of no box", [Heic::single(&STREAM).file(), place.clone()].concat(), true),
        ("data of no item", behind(b"mdat"), false),
        ("XML among the lists", within(&|heic| heic.before[0] = media_box(b"xml ", &place)), false),
        ("a description", within(&|heic| heic.properties.push(media_box(b"udes", &place))), false),
        (
            "an unknown property",
            within(&|heic| heic.properties.push(media_box(b"uuid", &place))),
            false,
        ),
    ] {
        assert!(holds(&file, PLACE), "{name}");
        for strip in STRIPS {
            let copy = copy(&file, strip).expect(name);
            assert!(!holds(&copy, PLACE), "{name}");
            assert_eq!(copy.len() < file.len(), is_longer, "{name}");
        }
    }
}

#[test]
fn a_heic_that_cannot_be_copied_safely_says_why() {
    let refused = |change: &dyn Fn(&mut Heic)| {
        let mut heic = heic();
        change(&mut heic);
        copy(&heic.file(), Strip::Location).unwrap_err()
    };
    let video = [heic().file(), media_box(b"moov", b"")].concat();
    assert_eq!(copy(&video, Strip::All), Err("it holds a sequence or a video"));
    let jpeg = refused(&|heic| heic.data_of(5).kind = *b"jpeg");
    assert!(jpeg.contains("JPEG"), "{jpeg}");
    let (exif, tile) = (3, 2);
    let shared = refused(&|heic| heic.data_of(exif).parts = heic.data_of(tile).parts.clone());
    assert!(shared.contains("within its pictures"), "{shared}");
    let whole = refused(&|heic| heic.data_of(exif).parts = vec![(0, 0)]);
    assert!(whole.contains("within its pictures"), "{whole}");
    let beyond = refused(&|heic| heic.data_of(exif).parts = vec![(u32::MAX, 1)]);
    assert!(beyond.contains("cannot be followed"), "{beyond}");
    // Among data that do not lie in the boxes of data.
    let mut outside = golden("heic-420.heic");
    let at = outside.windows(4).position(|name| name == b"mdat").unwrap();
    outside[at..at + 4].copy_from_slice(b"mda2");
    let outside = copy(&outside, Strip::All).unwrap_err();
    assert!(outside.contains("among its data"), "{outside}");
}

#[test]
fn exif_without_room_for_an_orientation_is_overwritten() {
    for length in 0..=exif_item().len() {
        let mut heic = heic();
        let (start, _) = heic.data_of(3).parts[0];
        let cut = (0..length as u32).map(|byte| (start + byte, 1));
        heic.data_of(3).parts =
            if length > 30 { vec![(start, length as u32)] } else { cut.collect() };
        for strip in STRIPS {
            if let Ok(copy) = copy(&heic.file(), strip) {
                assert!(!holds(&copy, PLACE), "{length}");
            }
        }
    }
}

#[test]
fn every_golden_photo_has_both_copies_or_a_reason() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/photos");
    let mut copies = [0; 2];
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let file = golden(&name);
        let is_decoded = {
            let original = inspect(&file, Policy::default(), &CancelFlag::default());
            original.header().is_ok()
                && !name.ends_with("tif")
                && !name.ends_with("bmp")
                && !name.ends_with("gif")
                && !name.starts_with("heic-sequence")
        };
        for (strip, count) in STRIPS.into_iter().zip(&mut copies) {
            let copy = copy(&file, strip);
            assert_eq!(copy.is_ok(), is_decoded, "{name}: {:?}", copy.err());
            *count += usize::from(copy.is_ok());
        }
    }
    assert!(copies.iter().all(|count| *count > 150), "{copies:?}");
}

/// Copies of a part that fill 40 MB.
fn flood(part: &[u8]) -> Vec<u8> {
    part.repeat((40 << 20) / part.len())
}

#[test]
fn floods_of_parts_cost_their_bytes() {
    let jpeg = gray_jpeg(640, 480);
    let with = |segments: &[u8]| [&jpeg[..20], segments, &jpeg[20..]].concat();
    let of_app1 = |part: &[u8], count: usize| with(&segment(0xE1, part).repeat(count));
    let xmp = b"http://ns.adobe.com/xap/1.0/\0";
    let many =
        |text: &str| of_app1(&[xmp, &packet(&text.repeat(60_000 / text.len()))[..]].concat(), 600);
    let exif = [b"Exif\0\0", &exif()[..]].concat();
    let wide = [
        b"Exif\0\0MM\0\x2a\0\0\0\x08\x0F\xFF",
        &b"\x01\x0E\0\x02\0\0\xF0\0\0\0\0\x08".repeat(5000)[..],
    ]
    .concat();
    let iptc = [b"Photoshop 3.0\0", &b"\x1C\x02\x05\0\0".repeat(12_000)[..]].concat();
    let resources = [b"Photoshop 3.0\0", &b"8BIM\x04\x04\0\0\0\0\0\0".repeat(5_000)[..]].concat();
    let heic = |boxes: &[u8]| [Heic::single(&STREAM).file(), flood(boxes)].concat();
    let in_meta = |change: &dyn Fn(&mut Heic)| {
        let mut heic = heic_of_items();
        change(&mut heic);
        heic.file()
    };
    for (name, file) in [
        ("blocks of EXIF", of_app1(&exif, 8000)),
        ("entries that share their bytes", of_app1(&wide, 600)),
        ("elements", many("<p:City/>")),
        ("open elements", many("<p:a>")),
        ("attributes", many("<p:a b='' p:City='' c=''/>")),
        ("declarations", many("<p:a xmlns:b='c'/>")),
        ("references", many("&amp;")),
        ("angle brackets", many("<")),
        ("datasets", with(&segment(0xED, &iptc).repeat(600))),
        ("image resources", with(&segment(0xED, &resources).repeat(600))),
        ("comments", with(&segment(0xFE, &[b'g'; 60_000]).repeat(600))),
        ("makers' segments", with(&segment(0xE7, &[7; 60_000]).repeat(600))),
        ("a trailer", [with(b""), flood(b"\xFF\xD8")].concat()),
        (
            "texts",
            small_png(
                &png_chunk(b"tEXt", &[b"Title\0", &[b'x'; 10_000][..]].concat()).repeat(4000),
                b"",
            ),
        ),
        ("chunks", webp(&flood(&riff_chunk(b"ABCD", b"")))),
        ("boxes", heic(&media_box(b"free", b""))),
        ("data", heic(&media_box(b"mdat", &[7; 100_000]))),
        (
            "properties",
            in_meta(&|heic| heic.properties.extend(vec![media_box(b"uuid", b""); 100_000])),
        ),
        (
            "boxes among the lists",
            in_meta(&|heic| heic.before[0] = flood(&media_box(b"uuid", b""))),
        ),
        (
            "items of EXIF",
            in_meta(&|heic| {
                for _ in 0..10_000 {
                    heic.item(b"Exif", vec![], &exif_item());
                }
            }),
        ),
        (
            "items that share their bytes",
            in_meta(&|heic| {
                let item = heic.item(b"Exif", vec![], &exif_item());
                let shared = heic.data_of(item).clone();
                heic.items.extend(vec![shared; 10_000]);
            }),
        ),
    ] {
        let started = std::time::Instant::now();
        let [location, all] = copy_soon(&file, name);
        println!(
            "{name:32} {:3} MB {location:?} {all:?} {:?}",
            file.len() >> 20,
            started.elapsed()
        );
        for length in [location, all].into_iter().flatten() {
            assert!(length <= file.len() + 1000, "{name}");
        }
    }
}

fn heic_of_items() -> Heic {
    Heic::single(&STREAM)
}

#[test]
fn a_prefix_and_a_flipped_bit_give_the_same_picture_or_a_reason() {
    let jpeg = gray_jpeg(64, 48);
    let exif = segment(0xE1, &[b"Exif\0\0", &exif()[..]].concat());
    let xmp = segment(
        0xE1,
        &[b"http://ns.adobe.com/xap/1.0/\0", &packet("<p:City>Xanadu</p:City>")[..]].concat(),
    );
    for file in [
        [&jpeg[..20], &exif, &xmp, &jpeg[20..]].concat(),
        golden("png-orientation-6.png"),
        golden("webp-orientation-6.webp"),
        heic().file(),
        golden("heic-exif-only.heic"),
    ] {
        for length in (0..file.len()).step_by(file.len().div_ceil(300)) {
            let _ = copy(&file[..length], Strip::Location);
        }
        for turn in 0..600 {
            let mut damaged = file.clone();
            let bit = (turn * 7919) % (8 * file.len().min(1500));
            damaged[bit / 8] ^= 1 << (bit % 8);
            for strip in STRIPS {
                let _ = copy(&damaged, strip);
            }
        }
    }
}
