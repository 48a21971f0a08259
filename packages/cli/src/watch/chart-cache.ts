import type { TopLevelSpec } from 'vega-lite';
import { renderChart } from '../report/render-chart.ts';
import type { DrawPicture } from '../report/report-content.ts';

/** Keeps drawn charts from one reading of the folder to the next: most of them stay the same while a run goes on. */
export class ChartCache {
  readonly #draw: DrawPicture;
  #before = new Map<string, string>();
  #now = new Map<string, string>();

  constructor(draw: DrawPicture = renderChart) {
    this.#draw = draw;
  }

  /** The picture of a specification; drawn only where the last reading did not have it. */
  async draw(spec: TopLevelSpec, prefix: string): Promise<string> {
    const key = `${prefix} ${JSON.stringify(spec)}`;
    const picture = this.#before.get(key) ?? (await this.#draw(spec, prefix));
    this.#now.set(key, picture);
    return picture;
  }

  /** Ends one reading: pictures that it did not ask for are forgotten. */
  endLook(): void {
    this.#before = this.#now;
    this.#now = new Map();
  }
}
