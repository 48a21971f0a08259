const find = (id) => document.getElementById(id);
const start = find('start');
const stop = find('stop');
const progress = find('progress');
const status = find('status');
const epochs = 30;

start.addEventListener('click', () => {
  // webpack finds the worker's file because the address is written in this form.
  const worker = new Worker(new URL('./worker.js', import.meta.url));
  const send = (request) => worker.postMessage(request);
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
  worker.onmessage = ({ data }) => {
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
