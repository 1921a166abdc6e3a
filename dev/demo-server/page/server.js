// The requests to this page's own server.

/** The server's answer, or an error with its reason. */
async function ask(url, options) {
  const answer = await fetch(url, options);
  const body = await answer.json();
  if (answer.ok) return body;
  throw Object.assign(new Error(body.detail ?? `HTTP ${answer.status}`), body);
}

const query = (values) => new URLSearchParams(values).toString().replaceAll("+", "%20");

/** The photos of an album, failed ones included, in the order in which they were taken. */
export const photosOf = async (album) => (await ask(`/photos?${query({ album })}`)).photos;

/** One photo, with the rest of its EXIF. */
export const photoOf = (key) => ask(`/photo?${query({ key })}`);

/** The places of an album's photos: features of GeoJSON, in the order in which the photos were taken. */
export const placesOf = async (album) => (await ask(`/places?${query({ album })}`)).features;

/** Server-sent events: a notice for each photo of the album that becomes ready, fails or is removed. */
export const noticesOf = (album) => new EventSource(`/events?${query({ album })}`);
