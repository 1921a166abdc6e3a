// Pictures of places that are drawn in code, so that the tests and their screenshots need nobody's photos.
// `drawScene` answers with a JPEG in base64. The same seed draws the same picture.

const HOURS = { // colours from the top of the sky to the horizon, of the light, and of the farthest and nearest ridge
  dawn: { sky: ["#3b4a7a", "#c97f8b", "#f8d0a0"], light: "#fff1d0", at: [0.7, 0.62], ridges: ["#a98aa5", "#2f2b4d"] },
  day: { sky: ["#2f74b5", "#86bbe0", "#dcecf2"], light: "#ffffff", at: [0.25, 0.2], ridges: ["#8fb0c4", "#1f4a3a"] },
  dusk: { sky: ["#2a2350", "#a5476b", "#f6a55a"], light: "#ffe0a0", at: [0.4, 0.66], ridges: ["#93496b", "#1d1630"] },
  night: { sky: ["#05091c", "#12204a", "#33406e"], light: "#f4f1de", at: [0.78, 0.22], ridges: ["#26345f", "#070b18"] },
};

function drawScene({ seed, hour, kind, width, height }) {
  const { sky, light, at, ridges } = HOURS[hour];
  const canvas = new OffscreenCanvas(width, height), ink = canvas.getContext("2d");
  const random = randomFrom(seed), horizon = height * (kind === "sea" ? 0.56 : 0.72);

  paint(ink, 0, 0, width, horizon * 1.1, sky);
  if (hour === "night") stars(ink, width, horizon, random);
  sun(ink, width * at[0], horizon * at[1] / 0.66, Math.min(width, height), light);
  const draw = { hills: drawHills, sea: drawSea, city: drawCity, forest: drawForest }[kind];
  draw({ ink, width, height, horizon, ridges, sky, light, random, sunX: width * at[0] });
  grain(ink, width, height, random);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 }).then(inBase64);
}

function randomFrom(seed) { // mulberry32
  return () => {
    seed = seed + 0x6D2B79F5 | 0;
    let t = Math.imul(seed ^ seed >>> 15, 1 | seed);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4294967296;
  };
}

function paint(ink, x, y, width, height, colours) {
  const gradient = ink.createLinearGradient(0, y, 0, y + height);
  colours.forEach((colour, place) => gradient.addColorStop(place / (colours.length - 1), colour));
  ink.fillStyle = gradient;
  ink.fillRect(x, y, width, height);
}

function stars(ink, width, horizon, random) {
  for (let i = 0; i < 260; i++) {
    ink.fillStyle = `rgb(255 250 235 / ${random() * 0.8})`;
    const size = random() * width / 700;
    ink.fillRect(random() * width, random() * horizon * 0.9, size, size);
  }
}

function sun(ink, x, y, size, light) {
  const glow = ink.createRadialGradient(x, y, size * 0.02, x, y, size * 0.6);
  glow.addColorStop(0, light);
  glow.addColorStop(0.08, `${light}a0`);
  glow.addColorStop(1, `${light}00`);
  ink.fillStyle = glow;
  ink.fillRect(x - size, y - size, 2 * size, 2 * size);
  ink.fillStyle = light;
  ink.beginPath();
  ink.arc(x, y, size * 0.045, 0, 7);
  ink.fill();
}

const mixed = (from, to, share) => `color-mix(in srgb, ${to} ${share * 100}%, ${from})`;

function ridge(ink, width, height, base, rise, colour, random, roughness = 1) {
  const waves = Array.from({ length: 7 }, (_, n) => ({
    slow: (n + 1) * (0.6 + random()), phase: random() * 7, high: rise / (n + 1) ** (1.4 - 0.3 * roughness),
  }));
  ink.fillStyle = colour;
  ink.beginPath();
  ink.moveTo(0, height);
  for (let x = 0; x <= width; x += 2) {
    const heights = waves.map(({ slow, phase, high }) => high * Math.abs(Math.sin(x / width * slow * 2.2 + phase)));
    ink.lineTo(x, base - heights.reduce((sum, more) => sum + more, 0));
  }
  ink.lineTo(width, height);
  ink.fill();
}

function drawHills({ ink, width, height, horizon, ridges: [far, near], random }) {
  for (let n = 0; n < 6; n++) {
    const share = n / 5;
    const base = horizon * (0.86 + share * 0.42), rise = height * (0.17 - share * 0.08);
    ridge(ink, width, height, base, rise, mixed(far, near, share), random);
  }
}

function drawSea({ ink, width, height, horizon, ridges: [far, near], sky, light, random, sunX }) {
  ridge(ink, width, horizon, horizon, height * 0.06, far, random);
  paint(ink, 0, horizon, width, height - horizon, [mixed(sky[2], near, 0.25), mixed(sky[0], near, 0.55)]);
  for (let n = 0; n < 420; n++) {
    const depth = random() ** 1.5, y = horizon + depth * (height - horizon);
    const isLit = random() < 0.55, long = width * (0.01 + depth * 0.06) * random();
    const x = isLit ? sunX + (random() - 0.5) * width * (0.05 + depth * 0.25) : random() * width;
    ink.fillStyle = `color-mix(in srgb, ${isLit ? light : near} ${isLit ? 65 : 22}%, transparent)`;
    ink.fillRect(x - long / 2, y, long, Math.max(1, depth * height * 0.004));
  }
}

function drawCity({ ink, width, height, horizon, ridges: [far, near], random }) {
  for (let row = 0; row < 4; row++) {
    const share = row / 3, colour = mixed(far, near, share);
    for (let x = -width * 0.05; x < width;) {
      const wide = width * (0.03 + random() * 0.05) * (0.7 + share * 0.6);
      const high = height * (0.12 + random() ** 2 * 0.34) * (1 - share * 0.25);
      const top = horizon * (0.95 + share * 0.25) - high;
      ink.fillStyle = colour;
      ink.fillRect(x, top, wide, height - top);
      windows(ink, x, top, wide, height, row, random);
      x += wide * (1.02 + random() * 0.25);
    }
  }
}

function windows(ink, x, top, wide, height, row, random) {
  const step = wide / 6;
  for (let across = 1; across < 5; across++) {
    for (let down = 1; down < (height - top) / step / 1.6; down++) {
      if (random() < 0.45) continue;
      ink.fillStyle = `hsl(${34 + random() * 16} 95% ${58 + random() * 20}% / ${0.2 + 0.2 * row})`;
      ink.fillRect(x + across * step + step * 0.2, top + down * step * 1.6, step * 0.55, step * 0.75);
    }
  }
}

function drawForest({ ink, width, height, horizon, ridges: [far, near], random }) {
  for (let row = 0; row < 5; row++) {
    const share = row / 4, colour = mixed(far, near, share), base = horizon * (0.8 + share * 0.5);
    ridge(ink, width, height, base, height * 0.05, colour, random, 0.3);
    ink.fillStyle = colour;
    for (let x = 0; x < width; x += width * (0.006 + 0.016 * share) * (0.5 + random())) {
      const high = height * (0.06 + 0.2 * share) * (0.6 + random() * 0.7), wide = high * 0.17;
      for (let tier = 0; tier < 4; tier++) {
        const y = base - high * (0.3 + tier * 0.2), spread = wide * (1 - tier * 0.22);
        ink.beginPath();
        ink.moveTo(x, y - high * 0.34);
        ink.lineTo(x + spread, y + high * 0.1);
        ink.lineTo(x - spread, y + high * 0.1);
        ink.fill();
      }
      ink.fillRect(x - wide * 0.08, base - high * 0.3, wide * 0.16, high * 0.5);
    }
  }
}

function grain(ink, width, height, random) {
  const image = ink.getImageData(0, 0, width, height), { data } = image;
  for (let at = 0; at < data.length; at += 4) {
    const noise = (random() - 0.5) * 14;
    for (let channel = 0; channel < 3; channel++) data[at + channel] += noise;
  }
  ink.putImageData(image, 0, 0);
}

async function inBase64(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}
