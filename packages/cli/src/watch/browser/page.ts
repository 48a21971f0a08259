import { startCharts } from '../../report/browser/charts.ts';
import type { PageUpdate } from '../page-update.ts';
import { placeSections } from './sections.ts';
import { type Followed, statusOf } from './status.ts';

// The script of the live page: takes updates from the server and shows them.

const element = (id: string): HTMLElement => document.getElementById(id)!;
const main = element('sections');

let followed: Followed = { connection: 'connecting', lostAt: null, ended: false, changedAt: null };

function showStatus(change: Partial<Followed> = {}): void {
  followed = { ...followed, ...change };
  const { text, className } = statusOf(followed, performance.now());
  element('status').textContent = text;
  element('status').className = className;
}

function show({ title, lead, ended, age, trouble, order, changed }: PageUpdate): void {
  element('trouble').hidden = trouble === null;
  element('trouble').textContent = trouble ?? '';
  // A folder that could not be read yet has no sections.
  if (order.length === 0) {
    showStatus();
    return;
  }
  document.title = title;
  element('title').textContent = title;
  element('lead').textContent = lead;
  placeSections(main, order, changed);
  showStatus({ ended, changedAt: performance.now() - age });
}

main.replaceChildren();
startCharts(document);
const events = new EventSource('/events');
events.onopen = () => showStatus({ connection: 'open', lostAt: null });
// The browser tries again by itself, and each try that fails comes here.
events.onerror = () =>
  showStatus({ connection: 'lost', lostAt: followed.lostAt ?? performance.now() });
events.onmessage = ({ data }: MessageEvent<string>) => show(JSON.parse(data) as PageUpdate);
setInterval(() => showStatus(), 1000);
