// The runner of sharp: [three-jpegs|three-webps] DIRECTORY RUNS PHOTO... (see run.py).

import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import sharp from 'sharp';

sharp.concurrency(1);
sharp.cache(false); // else a run could use the pixels of an earlier one

process.on('uncaughtException', (error) => {
  console.error(error.message); // without the stack, so that the last line says why
  process.exit(1);
});

// The two renditions in a box that are made of the thumbnail's pixels.
const SMALL_FORMATS = {
  'three-jpegs': (picture) => picture.jpeg({ quality: 90 }),
  'three-webps': (picture) => picture.webp({ quality: 80 }),
};
const given = process.argv.slice(2);
const small = SMALL_FORMATS[given[0]];
const [directory, runs, ...photos] = small ? given.slice(1) : given;

// Keeps the colour profile, which sharp would otherwise convert to sRGB.
async function make(photo) {
  const { width, height } = (await sharp(photo).metadata()).autoOrient;
  const thumbnail = sharp(photo)
    .autoOrient()
    .resize(quarter(width), quarter(height), { fit: 'fill' })
    .keepIccProfile();
  if (!small) return thumbnail.jpeg({ quality: 90 }).toBuffer();
  const { data, info } = await thumbnail.raw().toBuffer({ resolveWithObject: true });
  const { width: across, height: down, channels } = info;
  const pixels = () => sharp(data, { raw: { width: across, height: down, channels } });
  for (const side of [1600, 400]) {
    await small(pixels().resize(side, side, { fit: 'inside' })).toBuffer();
  }
  return pixels().jpeg({ quality: 90 }).toBuffer();
}

function quarter(side) {
  return Math.max(1, Math.round(side * 0.25));
}

function print(line) {
  console.log(JSON.stringify(line));
}

for (const [number, path] of photos.entries()) {
  const photo = readFileSync(path);
  if (number === 0) {
    await make(photo); // work that a process does once is not a photo's cost
  }
  const cpu = process.cpuUsage();
  const started = performance.now();
  let thumbnail;
  for (let run = 0; run < runs; run += 1) {
    thumbnail = await make(photo);
  }
  const wallMs = (performance.now() - started) / runs;
  const { user, system } = process.cpuUsage(cpu);
  writeFileSync(join(directory, basename(path)), thumbnail);
  print({ photo: basename(path), cpuMs: (user + system) / 1000 / runs, wallMs });
}
const status = readFileSync('/proc/self/status', 'utf8');
print({
  versions: `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}, Node.js ${process.versions.node}`,
  peakMemoryMb: Number(status.match(/VmHWM:\s*(\d+)/)[1]) / 1024,
});
