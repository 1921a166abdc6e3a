// Copies a release, by default the one that `make dist` made, and the licences into this package before it is packed.
'use strict';
const fs = require('node:fs');
const path = require('node:path');

const here = path.join(__dirname, '..');
const root = path.join(here, '../..');
const release = path.resolve(process.env.RELEASE || path.join(root, 'dist'));
const bundled = path.join(here, 'release');

const files = fs.existsSync(release)
  ? fs.readdirSync(release).filter((name) => name === 'template.json' || /^(thumbnail|upload-url)-\w+\.zip$/.test(name))
  : [];
if (!files.includes('template.json') || !files.some((name) => name.endsWith('.zip'))) {
  console.error(`error: ${release} is no release with template.json and zips: run \`make dist\``);
  process.exit(1);
}
fs.rmSync(bundled, { recursive: true, force: true });
fs.mkdirSync(bundled);
for (const name of files) {
  fs.copyFileSync(path.join(release, name), path.join(bundled, name));
}
for (const name of ['LICENSE-APACHE', 'LICENSE-MIT']) {
  fs.copyFileSync(path.join(root, name), path.join(here, name));
}
