// The page of a trip: it holds the photos, and passes them to its parts.

import { albumOf } from "./album.js";
import { find, plural } from "./dom.js";
import { dayOf, daysText } from "./facts.js";
import { lightboxOf } from "./lightbox.js";
import { watch } from "./live.js";
import { mapOf } from "./map.js";
import { photoOf, photosOf, placesOf } from "./server.js";
import { uploadsOf } from "./uploads.js";

const TOGETHER = 200; // ms in which the changes of several photos become one
const INDEX_LAGS = 10_000; // ms for which a notice counts more than the index
const URLS_LAST = 240_000; // ms, a little less than the server's URLs are valid

let photos = new Map(); // of the album that is shown, by photoKey
const news = new Map(); // what notices told of them lately, by photoKey: the photo, or null for a removed one
const watches = new Map(); // by album: the shown one, and those whose uploads are not done
let shown; // the album
let shownAt = 0;
let changes; // a timer

const uploads = uploadsOf(find("#sent"), { onSent: (album) => watched(album).expectPhotos() });
const album = albumOf(find("#days"), {
  onOpen: open, onLocate: locate, onSelect: (key) => map.select(key), onLost: refresh,
});
const map = mapOf(find("#map"), { onSelect: (key) => album.select(key, { scrolls: true }), onOpen: open });
const lightbox = lightboxOf(find("#lightbox"), {
  onShow: select,
  onClose: (key) => album.focus(key),
});

// ---- The album

function visit(name) {
  shown = find("#name").value = name;
  if (name !== albumOfUrl()) history.pushState(null, "", `?${new URLSearchParams({ album: name })}`);
  find("#title").textContent = name;
  document.title = `${name} · Trip photos`;
  photos = new Map();
  news.clear();
  for (const [other, watch] of watches) {
    if (other !== name && !uploads.isAwaiting(other)) watch.close(), watches.delete(other);
  }
  watched(name);
  return look(name);
}

function albumOfUrl() {
  return new URLSearchParams(location.search).get("album") || "tokyo trip";
}

function watched(name) {
  const known = watches.get(name);
  if (known) return known;
  const made = watch(name, {
    look: () => look(name),
    onNotice: (notice) => hear(name, notice),
    isAwaiting: () => uploads.isAwaiting(name),
  });
  watches.set(name, made);
  return made;
}

/** Looks at a whole album. Says whether a photo is new or done anew. */
async function look(name) {
  try {
    const found = await photosOf(name);
    found.forEach(uploads.settle);
    if (name !== shown) return true;
    const before = photos;
    photos = withNews(found);
    shownAt = Date.now();
    await showAll();
    showTrouble("");
    return found.some(({ photoKey, processedAt }) => before.get(photoKey)?.processedAt !== processedAt);
  } catch (error) {
    showTrouble(`The album cannot be shown: ${error.message}`);
    return false;
  }
}

/** Gets new URLs where the old ones are no longer valid. */
async function refresh() {
  if (Date.now() - shownAt < URLS_LAST) return;
  shownAt = Date.now();
  await look(shown);
}

/** The photos that the index has, and what notices told in the last seconds: the index follows the table within
 * moments only. */
function withNews(found) {
  const all = new Map(found.map((photo) => [photo.photoKey, photo]));
  for (const [key, { photo, at }] of news) {
    if (Date.now() - at > INDEX_LAGS) news.delete(key);
    else if (photo) all.set(key, photo);
    else all.delete(key);
  }
  return all;
}

/** A notice says that something happened to a photo; the item says what. */
async function hear(name, { photoKey, status }) {
  try {
    const photo = status === "DELETED" ? null : await photoOf(photoKey);
    if (photo) uploads.settle(photo);
    if (name !== shown) return;
    news.set(photoKey, { photo, at: Date.now() });
    photos = withNews([...photos.values()]);
    showSoon();
  } catch {
    look(name); // it may be gone
  }
}

function showSoon() {
  changes ??= setTimeout(() => {
    changes = undefined;
    showAll();
  }, TOGETHER);
}

async function showAll() {
  const all = inOrder();
  const ready = all.filter(({ status }) => status === "READY").length, failed = all.length - ready;
  album.show(all);
  find("#nothing").hidden = all.length > 0;
  find("#summary").textContent = all.length === 0 ? "" : [
    plural(ready, "photo"),
    daysText(dayOf(all[0]), dayOf(all.at(-1))),
    failed > 0 && `${failed} failed`,
  ].filter(Boolean).join(" · ");
  map.show(await placesOf(shown));
}

/** By the clock of the place, and by key where two photos have the same: texts of a fixed form sort as times. */
function inOrder() {
  const order = ({ timelineAt, photoKey }) => `${timelineAt} ${photoKey}`;
  return [...photos.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

function showTrouble(trouble) {
  find("#trouble").textContent = trouble;
  find("#trouble").hidden = !trouble;
}

// ---- One photo

async function open(key) {
  await refresh();
  lightbox.open(inOrder().filter(({ status }) => status === "READY"), key);
}

function select(key) {
  album.select(key);
  map.select(key);
}

function locate(key) {
  select(key);
  find("#map").scrollIntoView({ block: "nearest" });
}

// ---- User input

async function upload(files) {
  const name = find("#name").value.trim();
  if (name !== shown) visit(name);
  await uploads.add(files, name);
}

find("#open").addEventListener("submit", (event) => {
  event.preventDefault();
  visit(find("#name").value.trim());
});
find("#drop input").addEventListener("change", ({ target }) => {
  upload([...target.files]);
  target.value = ""; // so that the same files can be chosen again
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  find("#drop").addEventListener(kind, (event) => {
    event.preventDefault();
    find("#drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop") upload([...event.dataTransfer.files]);
  });
}
addEventListener("popstate", () => { if (albumOfUrl() !== shown) visit(albumOfUrl()); }); // and not for the skip link
visit(albumOfUrl());
