// One photo at a time, over the page. <dialog> keeps the focus inside, closes with Escape and hides the page behind it
// from screen readers.

import { element, find, icon, plural } from "./dom.js";
import { altText, cameraText, exposureText, mapUrl, placeText, sizeText, timeText } from "./facts.js";
import { picture } from "./picture.js";
import { photoOf } from "./server.js";

const STEPS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
const LEAST_SWIPE = 50; // pixels

/** The lightbox in this <dialog>. `onShow(key)` is told of each photo that it shows, and `onClose(key)` of the last. */
export function lightboxOf(dialog, { onShow, onClose }) {
  let photos = [];
  let place = 0;

  function open(all, key) {
    photos = all;
    dialog.showModal();
    show(photos.findIndex(({ photoKey }) => photoKey === key));
    find(".next", dialog).focus();
  }

  function show(wanted) {
    place = Math.max(0, Math.min(photos.length - 1, wanted));
    const photo = photos[place];
    find("h2", dialog).textContent = timeText(photo);
    find(".count", dialog).textContent = `${place + 1} of ${plural(photos.length, "photo")}`;
    find(".stage", dialog).replaceChildren(picture(photo, { alt: altText(photo), sizes: "100vw", loading: "eager" }));
    find(".about", dialog).replaceChildren(aboutPhoto(photo), moreExif(photo));
    // Not `disabled`, which would take the focus away at the ends.
    find(".previous", dialog).setAttribute("aria-disabled", place === 0);
    find(".next", dialog).setAttribute("aria-disabled", place === photos.length - 1);
    onShow(photo.photoKey);
  }

  find(".previous", dialog).addEventListener("click", () => show(place - 1));
  find(".next", dialog).addEventListener("click", () => show(place + 1));
  find(".close", dialog).addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => onClose(photos[place].photoKey));
  dialog.addEventListener("click", ({ target }) => { if (target === dialog) dialog.close(); }); // beside its content
  dialog.addEventListener("keydown", (event) => {
    if (!(event.key in STEPS) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    show(place + STEPS[event.key]);
  });
  onSwipe(find(".stage", dialog), (step) => show(place + step));

  return { open };
}

function onSwipe(stage, step) {
  let start;
  stage.addEventListener("touchstart", ({ touches }) => {
    start = touches.length === 1 ? touches[0] : null;
  }, { passive: true });
  stage.addEventListener("touchend", ({ changedTouches: [end] }) => {
    if (!start) return;
    const [across, down] = [end.clientX - start.clientX, end.clientY - start.clientY];
    if (Math.abs(across) > LEAST_SWIPE && Math.abs(across) > 2 * Math.abs(down)) step(across < 0 ? 1 : -1);
  });
}

function aboutPhoto(photo) {
  const { location, camera } = photo;
  const map = location && { href: mapUrl(location), target: "_blank", rel: "noreferrer" };
  return factList([
    ["Place", location && element("a", map, placeText(location))],
    ["Altitude", location?.altitude != null && `${Math.round(location.altitude)} m`],
    ["Camera", cameraText(photo)],
    ["Lens", camera?.lens],
    ["Exposure", exposureText(photo)],
    ["Original", sizeText(photo)],
  ]);
}

function factList(facts) {
  const known = facts.filter(([, fact]) => fact);
  return element("dl", {}, known.flatMap(([name, fact]) => [element("dt", {}, name), element("dd", {}, fact)]));
}

/** The album's index lacks the rest of the EXIF, so the page asks for it when a user opens it. */
function moreExif({ photoKey }) {
  const details = element("details", {}, element("summary", {}, icon("more"), "More EXIF"));
  details.addEventListener("toggle", async () => {
    details.append(await photoOf(photoKey).then(
      ({ exif = {} }) => (Object.keys(exif).length ? factList(Object.entries(exif).sort()) : "nothing more"),
      () => "The rest cannot be shown now.",
    ));
  }, { once: true });
  return details;
}
