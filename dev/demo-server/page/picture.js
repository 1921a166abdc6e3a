// The picture of a photo: in the size that the screen needs, and with a placeholder until it is there.

import { element } from "./dom.js";
import { placeholder } from "./placeholder.js";

/** An <img> over the photo's renditions. `sizes` tells the browser how wide it will be shown. */
export function picture({ original, renditions }, { alt, sizes, loading = "lazy" }) {
  const all = Object.values(renditions).filter(({ url }) => url);
  const first = all.find(({ thumbHash }) => thumbHash) ?? all[0];
  const whole = all.filter((rendition) => showsAll(rendition, original)).sort((a, b) => a.width - b.width);
  const image = element("img", {
    // The order matters: with `src` first, the browser would load that one too.
    alt, loading, decoding: "async", width: first.width, height: first.height,
    ...(whole.length > 1 && { sizes, srcset: whole.map(({ url, width }) => `${url} ${width}w`).join(", ") }),
    src: first.url,
  });
  if (first.thumbHash) showUntilLoaded(image, placeholder(first.thumbHash));
  return image;
}

/** Whether a rendition shows the whole photo, and is no copy of the original, which may be of a kind that browsers
 * do not show. */
function showsAll({ width, height }, original) {
  return width < original.width && Math.abs(width / original.width * original.height - height) <= 1;
}

function showUntilLoaded(image, background) {
  image.classList.add("coming");
  image.style.backgroundImage = `url(${background})`;
  image.addEventListener("load", () => {
    image.classList.remove("coming");
    image.style.backgroundImage = "";
  }, { once: true });
}

/** Width divided by height, as displayed. */
export const shapeOf = ({ original: { width, height } }) => (width && height ? width / height : 4 / 3);
