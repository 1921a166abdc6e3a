// What stands in a picture's place until it is there.

/** A ThumbHash as a small picture (its format: github.com/evanw/thumbhash). */
export function placeholder(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const bits = (byte, from, count) =>
    ((bytes[byte] | bytes[byte + 1] << 8 | bytes[byte + 2] << 16) >> from) & ((1 << count) - 1);
  const hasAlpha = bits(0, 23, 1), isLandscape = bits(3, 15, 1);
  const longer = hasAlpha ? 5 : 7, shorter = bits(3, 0, 3);
  const [across, down] = isLandscape ? [longer, shorter] : [shorter, longer];
  let next = 2 * (hasAlpha ? 6 : 5); // in halves of bytes
  // The waves of a channel: how many along each side, the mean, and how much the others weigh.
  const waves = (across, down, mean, scale) => {
    const found = [[0, 0, mean]];
    for (let y = 0; y < down; y++) {
      for (let x = y ? 0 : 1; x * down < across * (down - y); x++, next++) {
        const digit = bytes[next >> 1] >> (next & 1) * 4 & 15;
        found.push([x, y, 2 * (digit / 7.5 - 1) * scale]);
      }
    }
    return found;
  };
  const light = waves(Math.max(3, across), Math.max(3, down), bits(0, 0, 6) / 63, bits(0, 18, 5) / 31);
  const yellow = waves(3, 3, bits(0, 6, 6) / 31.5 - 1, bits(3, 3, 6) / 63 * 1.25);
  const red = waves(3, 3, bits(0, 12, 6) / 31.5 - 1, bits(3, 9, 6) / 63 * 1.25);
  const alpha = hasAlpha ? waves(5, 5, (bytes[5] & 15) / 15, (bytes[5] >> 4) / 15) : [[0, 0, 1]];

  const share = across / down, most = 32;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(share > 1 ? most : most * share);
  canvas.height = Math.round(share > 1 ? most / share : most);
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  for (let y = 0, at = 0; y < canvas.height; y++) {
    for (let x = 0; x < canvas.width; x++, at += 4) {
      const value = (channel) => channel.reduce((sum, [u, v, weight]) => sum + weight
        * Math.cos(Math.PI / canvas.width * (x + 0.5) * u) * Math.cos(Math.PI / canvas.height * (y + 0.5) * v), 0);
      const [l, p, q] = [light, yellow, red].map(value);
      const b = l - 2 / 3 * p, r = (3 * l - b + q) / 2, g = r - q;
      image.data.set([r, g, b, value(alpha)].map((share) => 255 * share), at);
    }
  }
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}
