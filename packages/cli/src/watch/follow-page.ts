import type { PageUpdate } from './broadcast.ts';

/**
 * What runs in the browser: takes updates from the server and puts sections in their places. It is sent as text, so it
 * refers to nothing outside itself.
 */
export function followPage(): void {
  const element = (id: string): HTMLElement => document.getElementById(id)!;
  const status = element('status');
  const trouble = element('trouble');
  const main = element('sections');
  let ended = false;
  let connected = false;
  /** When the records last changed, on this browser's own clock. */
  let changedAt: number | null = null;

  const say = (): void => {
    status.className = connected ? (ended ? '' : 'live') : 'lost';
    if (!connected) {
      status.textContent = 'Not connected: this is what was last seen';
      return;
    }
    if (changedAt === null) {
      status.textContent = 'Connecting …';
      return;
    }
    const seconds = Math.round((performance.now() - changedAt) / 1000);
    const ago =
      seconds < 120
        ? `${seconds} s`
        : seconds < 7200
          ? `${Math.floor(seconds / 60)} min`
          : `${Math.floor(seconds / 3600)} h`;
    status.textContent = ended ? 'All runs have ended' : `Live: last record ${ago} ago`;
  };

  /** The section as an element; the server has made its text safe, and its policy lets no script of a page run. */
  const parse = (html: string): HTMLElement => {
    const template = document.createElement('template');
    template.innerHTML = html;
    return template.content.firstElementChild as HTMLElement;
  };

  /** Puts a new section in the place of the old one, where the reader had scrolled to. */
  const replace = (old: HTMLElement, next: HTMLElement): void => {
    const boxes = Array.from(old.querySelectorAll<HTMLElement>('.scroll'));
    const focused = boxes.findIndex((box) => box === document.activeElement);
    const places = boxes.map((box) => box.scrollLeft);
    old.replaceWith(next);
    next.querySelectorAll<HTMLElement>('.scroll').forEach((box, index) => {
      box.scrollLeft = places[index] ?? 0;
      if (index === focused) box.focus({ preventScroll: true });
    });
  };

  const update = ({ data }: MessageEvent<string>): void => {
    const page = JSON.parse(data) as PageUpdate;
    trouble.hidden = page.trouble === null;
    trouble.textContent = page.trouble ?? '';
    if (page.order.length > 0) {
      ended = page.ended;
      changedAt = performance.now() - page.age;
      document.title = page.title;
      element('title').textContent = page.title;
      element('lead').textContent = page.lead;
      const sections = new Map(
        Array.from(main.querySelectorAll<HTMLElement>(':scope > section'), (one) => [one.id, one]),
      );
      for (const { id, html } of page.changed) {
        const next = parse(html);
        const old = sections.get(id);
        if (old !== undefined) replace(old, next);
        sections.set(id, next);
      }
      for (const [id, section] of sections) if (!page.order.includes(id)) section.remove();
      page.order.forEach((id, index) => {
        const section = sections.get(id)!;
        if (main.children[index] !== section)
          main.insertBefore(section, main.children[index] ?? null);
      });
    }
    say();
  };

  main.replaceChildren();
  const events = new EventSource('/events');
  events.onopen = () => {
    connected = true;
    say();
  };
  // The browser tries again by itself.
  events.onerror = () => {
    connected = false;
    say();
  };
  events.onmessage = update;
  setInterval(say, 1000);
}
