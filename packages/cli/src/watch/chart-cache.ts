import type { TopLevelSpec } from 'vega-lite';
import { renderChart } from '../report/render-chart.ts';
import type { DrawPicture } from '../report/report.ts';

/** Keeps pictures: while a run goes on, most charts of its page stay as they are from one look to the next. */
export class ChartCache {
  readonly #draw: DrawPicture;
  #before = new Map<string, string>();
  #now = new Map<string, string>();

  constructor(draw: DrawPicture = renderChart) {
    this.#draw = draw;
  }

  /** The picture of a specification, drawn unless it is the same as at the last look. */
  async draw(spec: TopLevelSpec, prefix: string): Promise<string> {
    const key = `${prefix} ${JSON.stringify(spec)}`;
    const picture = this.#before.get(key) ?? (await this.#draw(spec, prefix));
    this.#now.set(key, picture);
    return picture;
  }

  /** Forgets the pictures that this look did not ask for. */
  endLook(): void {
    this.#before = this.#now;
    this.#now = new Map();
  }
}
