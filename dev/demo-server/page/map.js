// A map of the trip, drawn without a map server: the places in their true proportions, the way between them in the
// order of time, a net of degrees and a scale. The places are features of GeoJSON.

import { drawn, element, find, plural } from "./dom.js";
import { clockText, dayOf, dayText } from "./facts.js";

const MARGIN = 48; // pixels between the outermost places and the border
const NEAR = 44; // pixels below which places become one marker, as wide as one
const LEAST_SPAN = 0.004; // degrees that the map shows at least, some 400 m
const SAME_PLACE = 0.0003; // degrees, some 30 m: zooming in does not part what is nearer
const LEAST_LEG = 60; // pixels of a line that has room for an arrow
const METRES = 111_195; // of a degree of latitude, on a sphere of 6371 km
const DEGREES = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];
const LEAST_NET = 90; // pixels between lines of the net
const NAMES = 18; // pixels at the top for the names of the meridians, and twice that at the bottom for the scale

/** The map in the section `root`. `onSelect(key)` is told when a user chooses a photo, `onOpen(key)` when one chooses
 * it again. */
export function mapOf(root, { onSelect, onOpen }) {
  const ground = find(".ground", root), svg = find("svg", root);
  const markers = find(".markers", root), whole = find(".whole", root);
  const faces = new Map(); // pictures by photoKey: the same as long as they can be, for their URLs expire
  let places = []; // all, in order
  let zoomed = null; // the keys of those that the map is about, or null for all
  let selected = null;

  function show(features) {
    places = placesOf(features);
    if (!places.some(({ key }) => zoomed?.has(key))) zoomed = null;
    draw();
  }

  function draw() {
    root.hidden = places.length === 0;
    if (root.hidden) return;
    const { clientWidth: width, clientHeight: height } = ground;
    const inView = zoomed ? places.filter(({ key }) => zoomed.has(key)) : places;
    const view = projection(inView, width, height);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren(net(view), way(places, view));
    const hadFocus = markers.contains(document.activeElement);
    markers.replaceChildren(...clustersOf(places, view).map(markerOf));
    if (hadFocus) find("[aria-pressed=true]", markers)?.focus();
    drawScale(find(".scale", root), view);
    whole.hidden = !zoomed;
  }

  function markerOf(cluster) {
    const { at: [x, y], members } = cluster;
    const isSelected = members.some(({ key }) => key === selected);
    const face = (isSelected && members.find(({ key }) => key === selected)) || members[0];
    const marker = element("button", {
      type: "button", class: "marker", "data-day": face.day,
      "aria-pressed": String(isSelected), "aria-label": labelOf(members),
    },
      face.thumbnail && faceOf(face),
      members.length > 1 && element("span", { class: "count" }, members.length));
    marker.style.left = `${x}px`;
    marker.style.top = `${y}px`;
    marker.addEventListener("click", () => choose(members));
    return marker;
  }

  function faceOf({ key, thumbnail }) {
    const withoutSignature = thumbnail.split("?")[0];
    const known = faces.get(key);
    if (known?.src.startsWith(withoutSignature)) return known;
    const face = element("img", { src: thumbnail, alt: "", decoding: "async" });
    faces.set(key, face);
    return face;
  }

  /** A marker's first click selects its first photo, and parts a cluster that can be parted. Each further click goes to
   * the next photo, and opens it if there is no other. */
  function choose(members) {
    const place = members.findIndex(({ key }) => key === selected);
    if (place >= 0 && members.length === 1) return onOpen(selected);
    if (isSpread(members)) zoomed = new Set(members.map(({ key }) => key));
    selected = members[(place + 1) % members.length].key;
    draw();
    onSelect(selected);
  }

  function select(key) {
    if (key === selected) return;
    selected = key;
    // A photo outside of what is shown would have no marker.
    if (zoomed && !zoomed.has(key) && places.some((place) => place.key === key)) zoomed = null;
    draw();
  }

  whole.addEventListener("click", () => {
    zoomed = null;
    draw();
    find("[aria-pressed=true]", markers)?.focus();
  });
  new ResizeObserver(draw).observe(ground);

  return { show, select };
}

/** Places with longitudes that do not jump: a trip over the 180th meridian stays in one piece. */
function placesOf(features) {
  const days = [...new Set(features.map(({ properties }) => dayOf(properties)))];
  const start = afterWidestGap(features.map(({ geometry }) => geometry.coordinates[0]));
  return features.map(({ geometry: { coordinates: [longitude, latitude] }, properties }) => ({
    key: properties.photoKey,
    timelineAt: properties.timelineAt,
    thumbnail: properties.thumbnail,
    day: days.indexOf(dayOf(properties)) % 6,
    longitude: longitude < start ? longitude + 360 : longitude,
    latitude,
  }));
}

/** The longitude at which the smallest arc that holds all of them begins. */
function afterWidestGap(longitudes) {
  const sorted = [...new Set(longitudes)].sort((a, b) => a - b);
  const gaps = sorted.map((longitude, place) => ({
    longitude, gap: longitude - (place ? sorted[place - 1] : sorted.at(-1) - 360),
  }));
  return gaps.reduce((widest, next) => (next.gap > widest.gap ? next : widest), { gap: -1 }).longitude;
}

/** Equirectangular about the middle of these places: the longitudes are shortened as there, so that shapes and
 * distances are true as long as the trip is no voyage around the world. */
function projection(places, width, height) {
  const [west, east] = rangeOf(places, "longitude"), [south, north] = rangeOf(places, "latitude");
  const middle = { longitude: (west + east) / 2, latitude: (south + north) / 2 };
  const shortened = Math.max(Math.cos(middle.latitude * Math.PI / 180), 0.05);
  const scale = Math.min( // pixels for each degree of latitude
    (width - 2 * MARGIN) / Math.max((east - west) * shortened, LEAST_SPAN),
    (height - 2 * MARGIN) / Math.max(north - south, LEAST_SPAN),
  );
  return {
    width, height, scale, across: scale * shortened,
    x: (longitude) => width / 2 + (longitude - middle.longitude) * shortened * scale,
    y: (latitude) => height / 2 - (latitude - middle.latitude) * scale,
    longitudeAt: (x) => middle.longitude + (x - width / 2) / (shortened * scale),
    latitudeAt: (y) => middle.latitude - (y - height / 2) / scale,
  };
}

function rangeOf(places, name) {
  const values = places.map((place) => place[name]);
  return [Math.min(...values), Math.max(...values)];
}

const isSpread = (places) =>
  ["longitude", "latitude"].some((name) => rangeOf(places, name).reduce((least, most) => most - least) > SAME_PLACE);

/** Places that would cover each other, together. A cluster stands where its first place is. */
function clustersOf(places, view) {
  const clusters = [];
  for (const place of places) {
    const at = [view.x(place.longitude), view.y(place.latitude)];
    const near = clusters.find((cluster) => Math.hypot(cluster.at[0] - at[0], cluster.at[1] - at[1]) < NEAR);
    if (near) near.members.push(place);
    else clusters.push({ at, members: [place] });
  }
  return clusters.filter(({ at: [x, y] }) => x > 0 && y > 0 && x < view.width && y < view.height);
}

function labelOf(members) {
  const when = (place) => `${dayText(dayOf(place))}, ${clockText(place)}`;
  const first = members[0], last = members.at(-1);
  if (members.length === 1) return `Photo of ${when(first)}`;
  return `${plural(members.length, "photo")} from ${when(first)} to ${when(last)}`;
}

/** Meridians and parallels at round degrees, with their names at the border. */
function net(view) {
  const { width, height } = view;
  const lines = drawn("g", { class: "net" });
  for (const longitude of roundDegrees(view.longitudeAt(0), view.longitudeAt(width), view.across)) {
    const x = view.x(longitude);
    lines.append(drawn("line", { x1: x, y1: 0, x2: x, y2: height }));
    const name = degreesText(((longitude + 540) % 360) - 180, "EW");
    if (x < width - 60) lines.append(drawn("text", { x: x + 4, y: 12 }, name));
  }
  for (const latitude of roundDegrees(view.latitudeAt(height), view.latitudeAt(0), view.scale)) {
    const y = view.y(latitude);
    if (Math.abs(latitude) > 90 || y < NAMES) continue;
    lines.append(drawn("line", { x1: 0, y1: y, x2: width, y2: y }));
    if (y < 2 * NAMES || y > height - 2 * NAMES) continue;
    lines.append(drawn("text", { x: 4, y: y - 4 }, degreesText(latitude, "NS")));
  }
  return lines;
}

function roundDegrees(from, to, pixelsEach) {
  const step = DEGREES.find((degrees) => degrees * pixelsEach >= LEAST_NET) ?? DEGREES.at(-1);
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.max(0, Math.floor(to / step) - first + 1) }, (_, number) => (first + number) * step);
}

function degreesText(degrees, [positive, negative]) {
  const sign = Math.abs(degrees) < 1e-9 ? "" : ` ${degrees < 0 ? negative : positive}`;
  return `${Number(Math.abs(degrees).toFixed(4))}°${sign}`;
}

/** The way from place to place: each leg in the colour of the day on which it ends. */
function way(places, view) {
  const points = places.map(({ longitude, latitude, day }) => ({ x: view.x(longitude), y: view.y(latitude), day }));
  const legs = points.slice(1).flatMap((end, number) => {
    const start = points[number];
    const line = drawn("line", { x1: start.x, y1: start.y, x2: end.x, y2: end.y, "data-day": end.day });
    return Math.hypot(end.x - start.x, end.y - start.y) < LEAST_LEG ? [line] : [line, arrow(start, end)];
  });
  return drawn("g", { class: "way" }, legs);
}

function arrow(start, end) {
  const turn = Math.atan2(end.y - start.y, end.x - start.x) * 180 / Math.PI;
  const middle = `${(start.x + end.x) / 2} ${(start.y + end.y) / 2}`;
  return drawn("path", { d: "M5 0-4-5V5Z", transform: `translate(${middle}) rotate(${turn})`, "data-day": end.day });
}

/** The longest round distance that fits into 120 pixels. */
function drawScale(scale, view) {
  const most = 120 / view.scale * METRES;
  const power = 10 ** Math.floor(Math.log10(most));
  const metres = [5, 2, 1].find((times) => times * power <= most) * power;
  scale.style.width = `${metres / METRES * view.scale}px`;
  scale.textContent = metres < 1000 ? `${metres} m` : `${metres / 1000} km`;
}
