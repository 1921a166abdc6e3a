//! Events about one key whose invocations cross, in schedules at random: whichever way they cross, the
//! newest object has the last word.
//!
//! One thing happens at a time: an upload or a removal, or one call of one invocation, which may be
//! its last. Each event has an invocation of its own, and Lambda's tries of it. The seed of a schedule
//! decides all of it: `ORDERS_SEED=seed` runs that one again. Photos of odd seeds have four renditions, the
//! others one.

use std::collections::{BTreeMap, HashMap};
use std::future::ready;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use turbojpeg::{Image, PixelFormat, Subsamp};

use crate::lambda::{Lambda, Next};
use crate::stack::{FOUR_RENDITIONS, File, Stack};

const SCHEDULES: u64 = 400;
const AT_ONCE: usize = 4;
/// Lambda's of an event.
const TRIES: usize = 3;
/// At how many of the first steps of a schedule its order changes.
const CHANGES: usize = 5;
const STEPS_WITH_CHANGES: usize = 20;

/// Where schedules take place, each about a key of its own, with as many renditions of each photo.
struct Place {
    stack: Stack,
    environment: HashMap<String, String>,
    photos: [Photo; 3],
    /// Processes that wait for an event.
    idle: Mutex<Vec<Lambda>>,
}

struct Photo {
    name: &'static str,
    bytes: Vec<u8>,
    /// What it gives by itself, with its name in the keys; nothing if it is broken.
    renditions: BTreeMap<String, Vec<u8>>,
}

/// What comes to one key.
///
/// Who is next is decided as in Burckhardt, Kothari, Musuvathi and Nagarakatte, "A randomized scheduler
/// with probabilistic guarantees of finding bugs": always the first in a random order, which at some
/// random steps goes behind all others. So some wait for long, in the middle of what they do.
struct Schedule {
    place: Arc<Place>,
    key: String,
    random: Random,
    changes: [usize; CHANGES],
    /// Each of these puts right what others left, and would hide it if it were in every schedule.
    has_duplicates: bool,
    has_events_by_hand: bool,
    has_kills: bool,
    /// How many uploads and removals are to come, and their place in the order.
    news: usize,
    rank_of_news: i64,
    /// Of the last upload or removal.
    sequencer: u64,
    /// The key's object: the number of its photo, and its ETag.
    object: Option<(usize, String)>,
    invocations: Vec<Invocation>,
    history: History,
}

/// A try of an event.
struct Invocation {
    event: Event,
    lambda: Lambda,
    /// Its place in the order: the highest is first.
    rank: i64,
}

struct Event {
    name: String,
    payload: Value,
    tries: usize,
}

/// All that happened, for who must understand how it came to its end.
type History = Arc<Mutex<Vec<String>>>;

/// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators"): seeds that are
/// neighbours give other numbers too.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    /// A place in the order, which nobody else has.
    fn rank(&mut self) -> i64 {
        1 + self.below(1 << 32) as i64
    }
}

impl Place {
    async fn new(name: &str, renditions: Option<&str>) -> Place {
        let stack = Stack::silent(name).await;
        let mut environment = stack.environment().await;
        environment.extend(renditions.map(|text| ("RENDITIONS".to_owned(), text.to_owned())));
        let photo = |name, bytes| Photo { name, bytes, renditions: BTreeMap::new() };
        let mut photos = [
            photo("tall photo", gray(16, 32)),
            photo("wide photo", gray(32, 16)),
            photo("broken photo", b"no photo".to_vec()),
        ];
        for photo in &mut photos[..2] {
            let etag = stack.upload(photo.name, &photo.bytes).await;
            let mut lambda = Lambda::start(&environment).await;
            lambda.invoke(&json!({"Records": [stack.record(photo.name, &etag, 1)]}));
            lambda.finish().await.unwrap();
            let files = stack.renditions_of(photo.name).await.into_iter();
            photo.renditions = files.map(|(key, file)| (key, file.bytes)).collect();
        }
        assert!(photos[0].renditions.values().ne(photos[1].renditions.values()));
        Place { stack, environment, photos, idle: Mutex::default() }
    }

    async fn lambda(&self) -> Lambda {
        let idle = self.idle.lock().unwrap().pop();
        match idle {
            Some(lambda) => lambda,
            None => Lambda::start(&self.environment).await,
        }
    }
}

fn gray(width: usize, height: usize) -> Vec<u8> {
    let pixels = vec![100; width * height];
    let format = PixelFormat::GRAY;
    let image = Image { pixels: &pixels[..], width, pitch: width, height, format };
    turbojpeg::compress(image, 90, Subsamp::Gray).unwrap().to_vec()
}

impl Schedule {
    fn new(place: Arc<Place>, seed: u64, history: History) -> Schedule {
        let mut random = Random(seed);
        Schedule {
            place,
            key: format!("{seed}.jpg"),
            changes: std::array::from_fn(|_| random.below(STEPS_WITH_CHANGES)),
            has_duplicates: random.one_in(3),
            has_events_by_hand: random.one_in(3),
            has_kills: random.one_in(3),
            news: 2 + random.below(3),
            rank_of_news: random.rank(),
            random,
            sequencer: 0,
            object: None,
            invocations: Vec::new(),
            history,
        }
    }

    async fn live(mut self) -> Result<(), String> {
        for step in 0.. {
            if self.changes.contains(&step)
                && let Some(first) = self.first()
            {
                *first = -(step as i64);
            }
            let Some(rank) = self.first().map(|rank| *rank) else { break };
            match self.invocations.iter().position(|invocation| invocation.rank == rank) {
                Some(number) => self.go_on(number).await?,
                None => self.happen().await,
            }
        }
        self.check().await
    }

    /// The rank of who is next, if anything is left to be done.
    fn first(&mut self) -> Option<&mut i64> {
        let news = (self.news > 0).then_some(&mut self.rank_of_news);
        self.invocations.iter_mut().map(|invocation| &mut invocation.rank).chain(news).max()
    }

    /// Something happens to the object, and events tell of it.
    async fn happen(&mut self) {
        self.news -= 1;
        let sequencer = self.next_sequencer();
        let (name, mut record) = if self.object.is_some() && self.random.one_in(3) {
            self.remove().await
        } else {
            self.upload().await
        };
        let name = format!("{name} {sequencer}");
        self.history.lock().unwrap().push(name.clone());
        record["s3"]["object"]["sequencer"] = sequencer.into();
        self.begin(Event::new(&name, &record)).await;
        if self.has_duplicates && self.random.one_in(2) {
            self.begin(Event::new(&format!("{name} again"), &record)).await;
        }
        if self.has_events_by_hand && self.random.one_in(2) {
            let object = record["s3"]["object"].as_object_mut().unwrap();
            object.remove("sequencer");
            if self.random.one_in(2) {
                object.remove("eTag");
            }
            self.begin(Event::new(&format!("{name} by hand"), &record)).await;
        }
    }

    /// Numbers of any length, in either case.
    fn next_sequencer(&mut self) -> String {
        self.sequencer += 1 + self.random.below(300) as u64;
        match self.random.below(3) {
            0 => format!("{:X}", self.sequencer),
            1 => format!("{:x}", self.sequencer),
            _ => format!("{:018X}", self.sequencer),
        }
    }

    async fn remove(&mut self) -> (String, Value) {
        let stack = &self.place.stack;
        stack.remove(&self.key).await;
        self.object = None;
        let mut record = stack.record(&self.key, "", 0);
        record["eventName"] = "ObjectRemoved:Delete".into();
        record["s3"]["object"].as_object_mut().unwrap().remove("eTag");
        ("removal".to_owned(), record)
    }

    /// Mostly of another photo than the one that is there.
    async fn upload(&mut self) -> (String, Value) {
        let Place { stack, photos, .. } = &*self.place;
        let mut number = self.random.below(photos.len());
        if self.object.as_ref().is_some_and(|(there, _)| *there == number) {
            number = self.random.below(photos.len());
        }
        let photo = &photos[number];
        let etag = stack.upload(&self.key, &photo.bytes).await;
        let record = stack.record(&self.key, &etag, 0);
        self.object = Some((number, etag));
        (photo.name.to_owned(), record)
    }

    async fn begin(&mut self, mut event: Event) {
        event.tries += 1;
        let mut lambda = self.place.lambda().await;
        lambda.invoke(&event.payload);
        let rank = self.random.rank();
        self.invocations.push(Invocation { event, lambda, rank });
    }

    /// Lets an invocation make its next call, unless that is when it is killed. Where it was killed or
    /// has failed, Lambda tries its event again.
    async fn go_on(&mut self, number: usize) -> Result<(), String> {
        let Invocation { event, mut lambda, rank } = self.invocations.remove(number);
        let call = match lambda.next().await {
            Next::Call(call) => call,
            Next::End(end) => {
                self.place.idle.lock().unwrap().push(lambda);
                return self.end(event, end).await;
            }
        };
        let is_killed = self.has_kills && event.tries < TRIES && self.random.one_in(10);
        let what = format!("{} {}", call.name, call.path);
        if is_killed && self.random.one_in(2) {
            self.tell(&event, &format!("killed before {what}"));
            lambda.kill();
            self.begin(event).await;
            return Ok(());
        }
        let answer = call.ask().await;
        let status = String::from_utf8_lossy(&answer[9..12]).into_owned();
        if is_killed {
            self.tell(&event, &format!("killed after {what}: {status}"));
            lambda.kill();
            self.begin(event).await;
            return Ok(());
        }
        self.tell(&event, &format!("{what}: {status}"));
        call.answer(&answer).await;
        self.invocations.push(Invocation { event, lambda, rank });
        Ok(())
    }

    async fn end(&mut self, event: Event, end: Result<(), String>) -> Result<(), String> {
        let Err(error) = end else {
            self.tell(&event, "done");
            return Ok(());
        };
        self.tell(&event, &format!("failed: {error}"));
        if event.tries == TRIES {
            return Err(format!("Lambda gives up: {}", event.name));
        }
        self.begin(event).await;
        Ok(())
    }

    fn tell(&self, event: &Event, what: &str) {
        let line = format!("    {}, try {}: {what}", event.name, event.tries);
        self.history.lock().unwrap().push(line);
    }

    /// Whether item and renditions are what the newest of the news makes of the key.
    async fn check(&self) -> Result<(), String> {
        let Place { stack, photos, .. } = &*self.place;
        let photo = self.object.as_ref().map(|(number, _)| &photos[*number]);
        let etag = self.object.as_ref().map(|(_, etag)| etag.clone());
        let status = match photo {
            Some(photo) if photo.renditions.is_empty() => "FAILED",
            Some(_) => "READY",
            None => "DELETED",
        };
        let sequencer = format!("{:032X}", self.sequencer);
        let expected = json!({"status": status, "etag": etag, "sequencer": sequencer});
        let item = stack.item_now(&self.key).await.unwrap_or_default();
        let found = json!({
            "status": item["status"],
            "etag": item["original"]["etag"],
            "sequencer": item["sequencer"],
        });
        if found != expected {
            return Err(format!("the item is {found}, not {expected}"));
        }
        let made_of = |photo: &Photo, (key, bytes): (&String, &Vec<u8>)| {
            let file = File { bytes: bytes.clone(), original_etag: etag.clone() };
            (key.replace(photo.name, &self.key), file)
        };
        let expected: BTreeMap<String, File> = photo
            .into_iter()
            .flat_map(|photo| photo.renditions.iter().map(|made| made_of(photo, made)))
            .collect();
        let renditions = stack.renditions_of(&self.key).await;
        if renditions != expected {
            let originals: Vec<_> =
                renditions.iter().map(|(key, file)| (key, &file.original_etag)).collect();
            return Err(format!("the renditions are of {originals:?}, the item {found}"));
        }
        Ok(())
    }
}

impl Event {
    fn new(name: &str, record: &Value) -> Event {
        Event { name: name.to_owned(), payload: json!({"Records": [record]}), tries: 0 }
    }
}

fn seeds() -> Range<u64> {
    let seed = |text: String| text.parse().expect("ORDERS_SEED is a number");
    match std::env::var("ORDERS_SEED").map(seed) {
        Ok(seed) => seed..seed + 1,
        Err(_) => {
            let first = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64;
            first..first + SCHEDULES
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_way_events_about_a_key_cross_the_newest_has_the_last_word() {
    let places = [
        Arc::new(Place::new("orders", None).await),
        Arc::new(Place::new("orders-of-four", Some(FOUR_RENDITIONS)).await),
    ];
    let live = async |seed| {
        let history = History::default();
        let place = Arc::clone(&places[(seed % 2) as usize]);
        let schedule = Schedule::new(place, seed, Arc::clone(&history));
        let lived = tokio::spawn(schedule.live()).await;
        let failure = lived.unwrap_or_else(|panic| Err(panic.to_string())).err()?;
        let history = history.lock().unwrap().join("\n");
        Some(format!("ORDERS_SEED={seed}\n{history}\n{failure}"))
    };
    let failures = stream::iter(seeds()).map(live).buffer_unordered(AT_ONCE).filter_map(ready);
    let failures: Vec<String> = failures.collect().await;
    let shortest = failures.iter().min_by_key(|failure| failure.lines().count());
    if let Some(shortest) = shortest {
        panic!("{} schedules failed; the shortest:\n{shortest}", failures.len());
    }
}
