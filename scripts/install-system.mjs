// What the tests need beside npm's packages. On Debian and Ubuntu as root it is installed; elsewhere it is named, and the tests do not start without it.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

const onPath = (program) => (process.env.PATH ?? '').split(':').some((folder) => existsSync(`${folder}/${program}`));

/** Debian's package, and whether it is there. */
const NEEDED = [
  { name: 'chromium', why: 'to look at pages', there: () => existsSync('/usr/bin/chromium') },
  {
    name: 'faketime',
    why: 'to step the wall clock of a running collector',
    there: () => readdirSync('/usr/lib').some((folder) => existsSync(`/usr/lib/${folder}/faketime/libfaketime.so.1`)),
  },
  {
    name: 'prometheus',
    why: 'to scrape, to store and to try the alert rules',
    there: () => onPath('prometheus') && onPath('promtool'),
  },
  {
    name: 'prometheus-alertmanager',
    why: 'to route the alerts',
    there: () => onPath('prometheus-alertmanager') && onPath('amtool'),
  },
  { name: 'curl', why: 'to try the lines of alerts/README.md as they stand', there: () => onPath('curl') },
  { name: 'make', why: 'for make shadow-archive', there: () => onPath('make') },
];

const isThere = ({ there }) => {
  try {
    return there();
  } catch {
    return false; // No such folder: another system, and nothing of it is there.
  }
};
const missing = () => NEEDED.filter((each) => !isThere(each));

function install(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
  ]) {
    const { status, error } = spawnSync('apt-get', args, { stdio: ['ignore', 2, 2], env });
    if (status !== 0)
      console.error(`apt-get ${args.join(' ')} failed${error === undefined ? '' : `: ${error.message}`}`);
  }
}

const first = missing();
if (first.length > 0 && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
  console.error(`installing ${first.map(({ name }) => name).join(', ')} with apt-get, once`);
  install(first.map(({ name }) => name));
}
const left = missing();
if (left.length > 0) {
  for (const { name, why } of left) console.error(`the tests need ${name}, ${why}`);
  console.error(
    `install it first; on Debian or Ubuntu: sudo apt-get install ${left.map(({ name }) => name).join(' ')}`,
  );
  process.exit(1);
}
