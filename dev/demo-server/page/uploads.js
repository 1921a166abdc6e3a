// The list of uploads: what each file has come to, and how far all of them are.

import { adviceFor } from "./advice.js";
import { element, find, plural } from "./dom.js";
import { send } from "./transfer.js";

const SAID_EVERY = 1500; // ms between sentences of the live region: a screen reader must get to the end of one

const STATES = {
  waiting: "waiting", uploading: "uploading", processing: "processing", ready: "ready", failed: "failed",
};

/** The list in this <details>. `onSent(album)` is told when a photo has reached S3. */
export function uploadsOf(root, { onSent }) {
  const list = find("ul", root), bar = find("summary progress", root), words = find("summary .words", root);
  const rows = new Set();
  const awaited = new Map(); // rows of photos that have reached S3, by photoKey
  const say = speaker(find("[role=status]", root.parentElement));

  function add(files, album) {
    const added = [...files].map((file) => newRow(file, album));
    root.hidden = false;
    root.open = true;
    update();
    return transfer(added, album);
  }

  function transfer(some, album) {
    return send(some.map(({ file }) => file), album, {
      onProgress: (number, share) => change(some[number], STATES.uploading, { share }),
      onFailed: (number, why) => change(some[number], STATES.failed, { why, canRetry: true }),
      onSent: (number, photoKey) => {
        awaited.set(photoKey, some[number]);
        change(some[number], STATES.processing, { share: 1 });
        onSent(album);
      },
    });
  }

  function newRow(file, album) {
    const row = {
      file, album, state: STATES.waiting, share: 0,
      words: element("span", { class: "state" }, STATES.waiting),
      bar: element("progress", { max: 1, value: 0, "aria-label": `Upload of ${file.name}` }),
      why: element("p", { class: "why", hidden: true }),
    };
    const name = element("span", { class: "name", title: file.name }, file.name);
    row.item = element("li", {}, name, row.words, row.bar, row.why);
    list.append(row.item);
    rows.add(row);
    return row;
  }

  function change(row, state, { share = row.share, why = "", canRetry = false } = {}) {
    Object.assign(row, { state, share });
    row.item.className = state;
    row.words.textContent = state;
    row.bar.hidden = state === STATES.ready || state === STATES.failed;
    if (state === STATES.processing) row.bar.removeAttribute("value");
    else row.bar.value = share;
    row.why.replaceChildren(...[why, canRetry && retryButton(row)].filter(Boolean));
    row.why.hidden = !why;
    update();
  }

  function retryButton(row) {
    const button = element("button", { type: "button", "aria-label": `Try again: ${row.file.name}` }, "Try again");
    button.addEventListener("click", () => {
      change(row, STATES.waiting);
      transfer([row], row.album);
    });
    return button;
  }

  /** Shows what became of a photo, if it is one of these. */
  function settle({ photoKey, status, failure }) {
    const row = awaited.get(photoKey);
    if (!row) return;
    awaited.delete(photoKey);
    if (status === "READY") return change(row, STATES.ready);
    const { what, advice } = adviceFor(failure);
    change(row, STATES.failed, { why: status === "FAILED" ? `${what}. ${advice}` : "The photo was removed." });
  }

  function update() {
    const all = [...rows], count = (state) => all.filter((row) => row.state === state).length;
    const ready = count(STATES.ready), failed = count(STATES.failed);
    // Half of the way is the upload, the other half what is made of the photo.
    const share = ({ state, share }) => (state === STATES.ready || state === STATES.failed ? 1 : share / 2);
    bar.value = all.reduce((sum, row) => sum + share(row), 0) / all.length;
    bar.hidden = ready + failed === all.length;
    words.textContent = `${ready} of ${plural(all.length, "photo")} ready${failed ? `, ${failed} failed` : ""}`;
    say(words.textContent);
    if (ready === all.length) root.open = false;
  }

  const isAwaiting = (album) => [...awaited.values()].some((row) => row.album === album);

  return { add, settle, isAwaiting };
}

/** Writes the newest sentence into a live region, not more often than it can be read out. */
function speaker(region) {
  let newest, timer;
  return (sentence) => {
    newest = sentence;
    timer ??= setTimeout(() => {
      timer = undefined;
      region.textContent = newest;
    }, SAID_EVERY);
  };
}
