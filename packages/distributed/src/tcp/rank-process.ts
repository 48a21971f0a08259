import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { placeVariables } from './place.ts';

/** Seconds that ranks get to end by themselves, and again between SIGTERM and SIGKILL. */
export const grace = 5;

/** A rank's process, here or behind ssh. */
export interface RankProcess {
  /** The process, or the ssh that leads to it. */
  readonly child: ChildProcess;
  /** Sends a signal to the rank and to what it has started. One that is stopped takes it, too. */
  tell(name: NodeJS.Signals): void;
}

type Variables = Readonly<Record<string, string>>;

/** Starts a rank in a group of its own: Ctrl-C in the terminal reaches the launcher alone, which passes it on once. */
export function startHere(
  [program, ...given]: readonly string[],
  variables: Variables,
  folder?: string,
): RankProcess {
  const child = spawn(program!, given, {
    ...(folder === undefined ? {} : { cwd: folder }),
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  return {
    child,
    tell: (name) => {
      if (!isRunning(child)) return;
      try {
        process.kill(-child.pid!, name);
        process.kill(-child.pid!, 'SIGCONT');
      } catch {
        child.kill(name);
      }
    },
  };
}

/**
 * The same on another host, in the same folder.
 *
 * The connection's input carries the secret, which arguments would show to others, and then names of signals: ssh itself passes
 * none on. A shell beside the rank reads them. The end of the input, as when the launcher was killed, ends the rank.
 */
export function startThere(
  host: string,
  command: readonly string[],
  { [placeVariables.token]: token, ...open }: Variables,
  folder: string = process.cwd(),
): RankProcess {
  const settings = Object.entries(open).map(([name, value]) => `${name}=${quoted(value)}`);
  const tell = (name: string): string =>
    `{ kill "-${name}" "-$$" || kill "-${name}" "$$"; } && kill -CONT "-$$"`;
  const listener = [
    `trap '' INT TERM HUP`,
    `while read -r name <&3; do ${tell('$name')}; done`,
    `${tell('TERM')}; sleep ${grace}; ${tell('KILL')}`,
  ].join('; ');
  const script = [
    `read -r ${placeVariables.token} && export ${placeVariables.token} && cd ${quoted(folder)} && exec 3<&0 || exit`,
    // It keeps no output open: ssh ends with the rank.
    `( ${listener} ) < /dev/null > /dev/null 2>&1 &`,
    `exec env ${settings.join(' ')} ${command.map(quoted).join(' ')} < /dev/null 3<&-`,
  ].join('\n');
  const child = spawn(
    'ssh',
    // A link that is down ends ssh within 45 s.
    ['-o', 'BatchMode=yes', '-o', 'ServerAliveInterval=15', host, `exec sh -c ${quoted(script)}`],
    { stdio: ['pipe', 'pipe', 'pipe'], detached: true },
  );
  // Where ssh has ended, its exit code says so.
  child.stdin.on('error', () => undefined);
  child.stdin.write(`${token}\n`);
  return {
    child,
    tell: (name) => {
      if (!isRunning(child)) return;
      child.stdin.write(`${name.slice('SIG'.length)}\n`);
      // Where the other host does not answer, nothing else would end ssh.
      if (name === 'SIGKILL') setTimeout(() => child.kill(name), grace * 1000).unref();
    },
  };
}

function isRunning({ exitCode, signalCode, pid }: ChildProcess): boolean {
  return exitCode === null && signalCode === null && pid !== undefined;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
