import { useBackend } from '@multigrad/backends';
import '@tensorflow/tfjs-layers';
import { Contest } from './contest.ts';
import { fetchDigits } from './digits.ts';
import { type Command, lastStep, type News, type Settings } from './protocol.ts';

// Training, off the page's thread: both networks take turns here, so that the page stays at hand.

const tell = (news: News): void => postMessage(news);

let contest: Contest | undefined;
/** Ends the run in progress; null where there is none. */
let pause: AbortController | null = null;

async function start(settings: Settings, digits: string, until: number): Promise<void> {
  const report = await openBackend(settings.backend);
  contest = new Contest(await fetchDigits(digits), settings, () => performance.now());
  tell({ kind: 'ready', backend: report });
  await run(contest, until);
}

async function openBackend(name: Settings['backend']): Promise<string> {
  // A page that computes on wasm does not load it.
  if (name === 'webgpu') await import('@tensorflow/tfjs-backend-webgpu');
  const { wasm, gpu } = await useBackend(name);
  if (gpu !== undefined) return `WebGPU (${gpu.device})`;
  return wasm?.threads === 1 ? 'wasm, on one thread' : `wasm, on ${wasm?.threads} threads`;
}

async function run(on: Contest, until = lastStep): Promise<void> {
  pause = new AbortController();
  const { signal } = pause;
  while (!signal.aborted && on.step < until) {
    await on.round(tell);
    // Lets commands in.
    await new Promise((resolve) => setTimeout(resolve));
  }
  pause = null;
  tell(on.step < lastStep ? { kind: 'paused', step: on.step } : { kind: 'ended' });
}

async function obey(command: Command): Promise<void> {
  switch (command.kind) {
    case 'start':
      return start(command.settings, command.digits, command.until);
    case 'pause':
      pause?.abort();
      return;
    case 'go on':
      if (contest !== undefined && pause === null) await run(contest);
  }
}

onmessage = ({ data }: MessageEvent<Command>): void => {
  obey(data).catch((error: unknown) => {
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  });
};
