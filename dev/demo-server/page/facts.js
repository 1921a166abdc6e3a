// The facts of a photo as people read them.

const LANGUAGE = "en-GB";

/** The day on the clock of the place: `2024-04-06`. */
export const dayOf = ({ timelineAt }) => timelineAt.slice(0, 10);

/** `timelineAt` is a wall clock without a time zone. Taken as UTC and shown as UTC, it stays as it is, wherever the
 * reader is. */
const shown = (wallClock, format) =>
  new Intl.DateTimeFormat(LANGUAGE, { ...format, timeZone: "UTC" }).format(new Date(`${wallClock.slice(0, 19)}Z`));

export const dayText = (day) =>
  shown(`${day}T00:00:00`, { weekday: "long", day: "numeric", month: "long", year: "numeric" });

export const clockText = ({ timelineAt }) => timelineAt.slice(11, 16);

/** When the photo was taken, or uploaded where it does not say. */
export function timeText(photo) {
  const time = `${dayText(dayOf(photo))}, ${clockText(photo)}`;
  return photo.takenAt ? time : `uploaded ${time} UTC`;
}

/** The days of a trip: `6 – 8 April 2024`. */
export function daysText(first, last) {
  const format = new Intl.DateTimeFormat(LANGUAGE, { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
  return format.formatRange(new Date(`${first}T00:00Z`), new Date(`${last}T00:00Z`));
}

export function placeText({ latitude, longitude }) {
  const degrees = (number, [positive, negative]) =>
    `${Math.abs(number).toFixed(4)}° ${number < 0 ? negative : positive}`;
  return `${degrees(latitude, "NS")}, ${degrees(longitude, "EW")}`;
}

export function mapUrl({ latitude, longitude }) {
  const url = new URL("https://www.openstreetmap.org/");
  url.search = new URLSearchParams({ mlat: latitude, mlon: longitude });
  url.hash = `map=15/${latitude}/${longitude}`;
  return url.href;
}

export function cameraText({ camera = {} }) {
  const { make = "", model = "" } = camera;
  const brand = make.split(" ")[0]; // of "RICOH IMAGING COMPANY, LTD.", whose model is "RICOH GR III"
  return (model.toLowerCase().startsWith(brand.toLowerCase()) ? model : `${make} ${model}`).trim();
}

export function exposureText({ exposure = {} }) {
  return [
    exposure.focalLength35 && `${exposure.focalLength35} mm`,
    exposure.fNumber && `f/${exposure.fNumber}`,
    exposure.time && `${exposure.time} s`,
    exposure.iso && `ISO ${exposure.iso}`,
  ].filter(Boolean).join(", ");
}

export function sizeText({ original: { width, height, bytes, format } }) {
  return [
    width && `${width} × ${height} pixels`,
    bytes != null && `${(bytes / 1e6).toFixed(1)} MB`,
    format,
  ].filter(Boolean).join(", ");
}

/** What a photo is for those who cannot see it. Nobody knows what it shows, so that the facts have to do. */
export function altText(photo) {
  const camera = cameraText(photo);
  return [
    photo.takenAt ? `Photo taken on ${dayText(dayOf(photo))} at ${clockText(photo)}` : `Photo ${timeText(photo)}`,
    photo.location && `at ${placeText(photo.location)}`,
    camera && `with ${camera}`,
  ].filter(Boolean).join(", ");
}
