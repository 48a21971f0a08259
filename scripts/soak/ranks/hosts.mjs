// Two hosts: two network namespaces with a cable between them, and a program in the place of ssh that starts commands there.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

/** Names that no other process has: several may try cases at the same time. */
export const spaces = ['a', 'b'].map((end) => `multigrad-${process.pid}${end}`);
export const addresses = ['10.78.0.1', '10.78.0.2'];
const cable = `mg${process.pid}-`;
const probe = `multigrad-probe-${process.pid}`;
const ip = (...args) => execFileSync('ip', args, { encoding: 'utf8' });

/** Why this process may not make namespaces; null where it may. */
export function refusal() {
  if (process.platform !== 'linux') return 'there are no network namespaces here';
  const { status, stderr, error } = spawnSync('ip', ['netns', 'add', probe], {
    encoding: 'utf8',
  });
  if (error !== undefined) return error.message;
  if (status !== 0) return stderr.trim();
  ip('netns', 'delete', probe);
  return null;
}

export function connect() {
  disconnect();
  ip('link', 'add', `${cable}0`, 'type', 'veth', 'peer', 'name', `${cable}1`);
  for (const [index, space] of spaces.entries()) {
    const end = `${cable}${index}`;
    ip('netns', 'add', space);
    ip('link', 'set', end, 'netns', space);
    ip('-n', space, 'address', 'add', `${addresses[index]}/24`, 'dev', end);
    ip('-n', space, 'link', 'set', end, 'up');
    ip('-n', space, 'link', 'set', 'lo', 'up');
  }
}

/** Pulls the cable out. */
export function cut() {
  ip('-n', spaces[0], 'link', 'set', `${cable}0`, 'down');
}

/** Ends what runs in the namespaces, by its numbers. */
export function endInside() {
  for (const space of spaces) {
    const { stdout } = spawnSync('ip', ['netns', 'pids', space], { encoding: 'utf8' });
    for (const pid of (stdout ?? '').split('\n').filter(Boolean)) {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It has ended meanwhile.
      }
    }
  }
}

/** Ends what still runs in the namespaces, and removes them. */
export function disconnect() {
  endInside();
  for (const space of spaces) spawnSync('ip', ['netns', 'delete', space]);
}

/** Writes a program that takes the arguments of ssh, and runs the command in the namespace of that address. */
export function writeAgent(folder, name) {
  mkdirSync(folder, { recursive: true });
  // Open MPI gives a program of the name ssh options of its own.
  const file = join(folder, name);
  writeFileSync(
    file,
    '#!/bin/sh\nwhile :; do case $1 in -o) shift 2;; -*) shift;; *) break;; esac; done\nhost=$1; shift\n' +
      `case $host in ${addresses[1]}) space=${spaces[1]};; *) space=${spaces[0]};; esac\n` +
      'exec ip netns exec $space sh -c "$*"\n',
  );
  chmodSync(file, 0o755);
  return file;
}
