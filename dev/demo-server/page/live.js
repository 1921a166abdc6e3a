// How the page learns that photos are ready: by server-sent events, and by looking where none come.

import { noticesOf } from "./server.js";

const FIRST_PAUSE = 1000; // ms from one look at the album to the next
const LONGEST_PAUSE = 15_000;
const PATIENCE = 5000; // ms without a notice, after which the page looks by itself
const LONGEST_SILENCE = 45_000; // ms without even a beat of the server, three times as long as between two: it has gone

/** Watches an album: `onNotice` gets each notice, `look` looks at the whole album and says whether it found anything
 * new, and `isAwaiting` says whether any photo is missing still. Notices come at least once, and those that are sent
 * while the connection is down never. */
export function watch(album, { onNotice, look, isAwaiting }) {
  let stream, silence;
  let toldAt = 0;
  let isPolling = false;

  function connect({ again = false } = {}) {
    stream = noticesOf(album);
    stream.onopen = () => {
      if (again) look(); // for what was told while the connection was down
      again = true;
      hear();
    };
    stream.addEventListener("beat", hear);
    stream.onmessage = ({ data }) => {
      hear();
      toldAt = Date.now();
      onNotice(JSON.parse(data));
    };
  }

  /** A browser opens a broken connection anew by itself, but does not notice one that is dead. */
  function hear() {
    clearTimeout(silence);
    silence = setTimeout(() => {
      stream.close();
      connect({ again: true });
    }, LONGEST_SILENCE);
  }

  function close() {
    clearTimeout(silence);
    stream.close();
  }

  const isTold = () => stream.readyState === EventSource.OPEN && Date.now() - toldAt < PATIENCE;

  /** Looks while photos are missing and no notices come, less and less often while nothing happens. */
  async function expectPhotos() {
    toldAt = Date.now();
    if (isPolling) return;
    isPolling = true;
    let pause = FIRST_PAUSE;
    while (isAwaiting()) {
      await new Promise((done) => setTimeout(done, pause));
      if (!isAwaiting() || isTold()) continue;
      pause = (await look()) ? FIRST_PAUSE : Math.min(pause * 1.3, LONGEST_PAUSE);
    }
    isPolling = false;
  }

  connect();
  return { expectPhotos, close };
}
