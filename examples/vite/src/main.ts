import type { Answer, Request } from './messages.ts';

const find = (id: string) => document.getElementById(id)!;
const start = find('start') as HTMLButtonElement;
const stop = find('stop') as HTMLButtonElement;
const progress = find('progress') as HTMLProgressElement;
const status = find('status');
const epochs = 30;

start.addEventListener('click', () => {
  // Vite and webpack find the worker's file because the address is written in this form.
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const send = (request: Request) => worker.postMessage(request);
  const end = () => {
    worker.terminate();
    start.disabled = false;
    stop.disabled = true;
  };

  start.disabled = true;
  stop.disabled = false;
  stop.onclick = () => send({ type: 'stop' });
  progress.max = epochs;
  progress.value = 0;
  status.textContent = 'Starting';

  worker.onerror = ({ message }) => {
    status.textContent = `The worker did not start: ${message}`;
    end();
  };
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    if (data.type === 'backend') {
      const { name, reason, threads, threadsReason } = data;
      find('backend').textContent =
        `Backend ${name} (${reason}), threads: ${threads} (${threadsReason})`;
    } else if (data.type === 'epoch') {
      progress.value = data.epoch;
      const losses = Object.entries(data.losses).map(([key, loss]) => `${key} ${loss.toFixed(3)}`);
      status.textContent = `Epoch ${data.epoch} of ${epochs}: ${losses.join(', ')}`;
    } else if (data.type === 'failed') {
      status.textContent = `Failed: ${data.message}`;
      end();
    } else {
      status.textContent += data.stopped ? ' (stopped)' : ' (done)';
      end();
    }
  };
  send({ type: 'train', epochs });
});
