import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';

export type Json = Record<string, any>;

export const PACKAGE = path.join(__dirname, '../..');
export const ROOT = path.join(PACKAGE, '../..');

export const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'photos-cdk-'));
process.on('exit', () => fs.rmSync(scratch, { recursive: true, force: true }));

/** A release whose template is that of this checkout, and whose packages only have names. */
export const release = path.join(scratch, 'release');
fs.mkdirSync(release);
const python = path.join(ROOT, '.venv/bin/python');
const plain = path.join(release, 'template.json');
execFileSync(python, ['-m', 'photos_dev.dist.plain', plain], {
  env: { ...process.env, PYTHONPATH: path.join(ROOT, 'dev') },
  stdio: ['ignore', 'ignore', 'pipe'],
});
export const template: Json = JSON.parse(fs.readFileSync(plain, 'utf8'));
for (const name of ['thumbnail-x86_64', 'upload-url-x86_64', 'thumbnail-arm64', 'upload-url-arm64']) {
  fs.writeFileSync(path.join(release, `${name}.zip`), `package ${name}`);
}

export function synthesized(stack: Stack): Json {
  return Template.fromStack(stack).toJSON();
}

/** The files of the app's assets, by their contents. */
export function assetsOf(app: App): string[] {
  const folder = app.synth().directory;
  return fs
    .readdirSync(folder)
    .filter((name) => /^asset\..*\.zip$/.test(name))
    .map((name) => fs.readFileSync(path.join(folder, name), 'utf8'))
    .sort();
}
