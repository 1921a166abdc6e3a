// The photos of a trip, day by day.

import { adviceFor } from "./advice.js";
import { arrange, element, find, icon, plural } from "./dom.js";
import { altText, cameraText, clockText, dayOf, dayText, placeText, timeText } from "./facts.js";
import { picture, shapeOf } from "./picture.js";

const FAILED_SHAPE = 1.6; // of a card that holds text
// Heights of a row in page.css. A full row is up to half as high again.
const ROW = 180, PHONE_ROW = 104, GROWTH = 1.5;

/** The list below `root`. `onOpen(key)` is told when a user opens a photo, `onLocate(key)` when one looks for its
 * place, `onSelect(key)` when one comes to a photo, and `onLost()` when a picture does not load. */
export function albumOf(root, { onOpen, onLocate, onSelect, onLost }) {
  const cards = new Map(); // by photoKey
  const days = new Map(); // by date

  /** Shows these photos, which are in the order of their clocks. */
  function show(photos) {
    const byDay = Map.groupBy(photos, dayOf);
    forgetOthers(cards, photos.map(({ photoKey }) => photoKey));
    forgetOthers(days, [...byDay.keys()]);
    arrange(root, [...byDay].map(([date, ofDay], number) => {
      const day = days.get(date) ?? newDay(date);
      days.set(date, day);
      day.dataset.day = number % 6; // its colour, in the map too
      find("small", day).textContent = plural(ofDay.length, "photo");
      arrange(find("ul", day), ofDay.map(cardOf));
      return day;
    }));
  }

  /** A photo's card. It stays the same until the photo is processed again. */
  function cardOf(photo) {
    const known = cards.get(photo.photoKey);
    if (known?.processedAt === photo.processedAt) return known.card;
    const card = photo.status === "READY" ? readyCard(photo) : failedCard(photo);
    card.addEventListener("focusin", () => onSelect(photo.photoKey));
    cards.set(photo.photoKey, { card, processedAt: photo.processedAt });
    return card;
  }

  function readyCard(photo) {
    const shape = shapeOf(photo);
    const wide = (row) => `${Math.round(row * shape * GROWTH)}px`;
    const image = picture(photo, {
      // `auto` is the width that the picture has on the page, for browsers that know it.
      alt: altText(photo), sizes: `auto, (max-width: 600px) min(100vw, ${wide(PHONE_ROW)}), ${wide(ROW)}`,
    });
    image.addEventListener("error", () => {
      cards.delete(photo.photoKey); // the next time it is shown by its new URL
      onLost();
    }, { once: true });
    const open = element("button", { type: "button", class: "picture" }, image);
    open.addEventListener("click", () => onOpen(photo.photoKey));
    return card(photo, shape, open);
  }

  function failedCard(photo) {
    const { what, advice } = adviceFor(photo.failure);
    const words = [element("strong", {}, what), element("p", {}, advice)];
    const made = card(photo, FAILED_SHAPE, element("div", { class: "advice" }, icon("warning"), words));
    made.classList.add("failed");
    return made;
  }

  function card(photo, shape, content) {
    const made = element("li", { class: "card" }, content, caption(photo));
    made.style.setProperty("--shape", shape.toFixed(4));
    return made;
  }

  function caption(photo) {
    const time = element("time", { datetime: photo.timelineAt }, clockText(photo));
    return element("div", { class: "caption" },
      photo.takenAt ? time : element("span", {}, "uploaded ", time),
      element("span", { class: "camera" }, cameraText(photo)),
      photo.location && locator(photo));
  }

  function locator(photo) {
    const button = element("button", {
      type: "button", class: "quiet",
      title: placeText(photo.location), "aria-label": `Show on the map: ${timeText(photo)}`,
    }, icon("place"));
    button.addEventListener("click", () => onLocate(photo.photoKey));
    return button;
  }

  /** Marks the card of a photo, and brings it into view if asked to. */
  function select(key, { scrolls = false } = {}) {
    for (const [other, { card }] of cards) card.classList.toggle("selected", other === key);
    if (scrolls) cards.get(key)?.card.scrollIntoView({ block: "center" });
  }

  const focus = (key) => find("button", cards.get(key)?.card ?? root)?.focus();

  return { show, select, focus };
}

function newDay(date) {
  const id = `day-${date}`;
  const heading = element("h3", { id }, dayText(date), " ", element("small"));
  return element("section", { class: "day", "aria-labelledby": id }, heading, element("ul", { class: "photos" }));
}

function forgetOthers(map, keys) {
  const kept = new Set(keys);
  for (const key of map.keys()) if (!kept.has(key)) map.delete(key);
}
