import type { ChangedSection } from '../page-update.ts';

/**
 * Puts new sections into the page, and all sections into their order; those that are not in the order go.
 *
 * @param order - ids of all sections
 */
export function placeSections(
  main: HTMLElement,
  order: readonly string[],
  changed: readonly ChangedSection[],
): void {
  const sections = new Map(
    Array.from(main.querySelectorAll<HTMLElement>(':scope > section'), (one) => [one.id, one]),
  );
  for (const { id, html } of changed) {
    const next = parse(html);
    const old = sections.get(id);
    if (old !== undefined) replace(old, next);
    sections.set(id, next);
  }
  for (const [id, section] of sections) if (!order.includes(id)) section.remove();
  order.forEach((id, index) => {
    const section = sections.get(id)!;
    if (main.children[index] !== section) main.insertBefore(section, main.children[index] ?? null);
  });
}

/** The section as an element. Its text is safe, and the page's policy lets no script in it run. */
function parse(html: string): HTMLElement {
  const template = document.createElement('template');
  template.innerHTML = html;
  return template.content.firstElementChild as HTMLElement;
}

/** Puts a new section in the place of the old one; its boxes stay scrolled and focused as they were. */
function replace(old: HTMLElement, next: HTMLElement): void {
  const boxes = Array.from(old.querySelectorAll<HTMLElement>('.scroll, [tabindex]'));
  const focused = boxes.findIndex((box) => box === document.activeElement);
  const places = boxes.map((box) => box.scrollLeft);
  old.replaceWith(next);
  next.querySelectorAll<HTMLElement>('.scroll, [tabindex]').forEach((box, index) => {
    box.scrollLeft = places[index] ?? 0;
    if (index === focused) box.focus({ preventScroll: true });
  });
}
