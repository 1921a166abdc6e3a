import * as assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { PACKAGE, release, scratch } from './fixture';

const NAME = 's3-photo-thumbnailer-cdk';
const example = fs.readFileSync(path.join(PACKAGE, 'example/app.ts'), 'utf8');

/** What `npm pack` makes, installed into an app beside this package's own dependencies. */
function installed(): { files: string[]; app: string } {
  const npm = (...command: string[]) =>
    execFileSync('npm', command, { cwd: PACKAGE, encoding: 'utf8', env: { ...process.env, RELEASE: release } });
  const [packed] = JSON.parse(npm('pack', '--json', '--silent', '--pack-destination', scratch));
  const app = path.join(scratch, 'app');
  const modules = path.join(app, 'node_modules');
  fs.mkdirSync(modules, { recursive: true });
  execFileSync('tar', ['-xzf', path.join(scratch, packed.filename), '-C', app]);
  fs.renameSync(path.join(app, 'package'), path.join(modules, NAME));
  for (const name of ['aws-cdk-lib', 'constructs']) {
    fs.symlinkSync(path.join(PACKAGE, 'node_modules', name), path.join(modules, name));
  }
  return { files: packed.files.map((file: { path: string }) => file.path), app };
}

test('the README begins with ten lines of code, which are those of the example', () => {
  const readme = fs.readFileSync(path.join(PACKAGE, 'README.md'), 'utf8');
  assert.equal(readme.match(/```ts\n(.*?)```/s)?.[1], example);
  assert.ok(example.trimEnd().split('\n').length <= 10);
  assert.ok(readme.indexOf('```ts') < 200);
});

test('the packed package has its code, types, licences and release, and the example synthesizes with it', () => {
  const { files, app } = installed();
  const modules = ['conditions', 'index', 'parameters', 'photo-thumbnails', 'release'];
  const code = modules.flatMap((name) => [`build/src/${name}.d.ts`, `build/src/${name}.js`]);
  const bundled = fs.readdirSync(release).map((name) => `release/${name}`);
  assert.deepEqual(
    files.sort(),
    [...code, ...bundled, 'LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'package.json'].sort(),
  );

  fs.copyFileSync(path.join(PACKAGE, 'build/example/app.js'), path.join(app, 'app.js'));
  execFileSync(process.execPath, ['-e', `require('./app.js')`], { cwd: app, env: { ...process.env, CDK_OUTDIR: 'out' } });
  const photos = JSON.parse(fs.readFileSync(path.join(app, 'out/Photos.template.json'), 'utf8'));
  assert.equal(photos.Resources.ThumbnailFunction.Type, 'AWS::Lambda::Function');
  assert.deepEqual(photos.Resources.OriginalsBucket.Properties.CorsConfiguration.CorsRules[0].AllowedOrigins, [
    'https://example.com',
  ]);
});

test('what is no release is not packed', () => {
  const bundle = path.join(PACKAGE, 'scripts/bundle.js');
  for (const RELEASE of [path.join(scratch, 'missing'), PACKAGE]) {
    const { status, stderr } = spawnSync(process.execPath, [bundle], { encoding: 'utf8', env: { ...process.env, RELEASE } });
    assert.equal(status, 1);
    assert.equal(stderr, `error: ${RELEASE} is no release with template.json and zips: run \`make dist\`\n`);
  }
});
