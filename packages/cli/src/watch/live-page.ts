import { createHash } from 'node:crypto';
import { reportCommands } from '../report/outputs.ts';
import { type PageSection, pageSections } from '../report/report-html.ts';
import { reportPage } from '../report/report-content.ts';
import { summarize, unfinishedNote } from '../results/summary.ts';
import { runsTable } from '../results/table.ts';
import { readConfig, readRuns } from '../runs/read-folder.ts';
import { runNames } from '../runs/run-names.ts';
import type { ChartCache } from './chart-cache.ts';
import { nowSection } from './now-section.ts';
import { fingerprint } from './fingerprint.ts';

/** A section of the page, with a digest of its content: a browser is sent a section only where the digest is new to it. */
export interface LiveSection extends PageSection {
  readonly version: string;
}

/** The content of the page at one moment. */
export interface LivePage {
  readonly title: string;
  readonly lead: string;
  readonly sections: readonly LiveSection[];
  /** Whether every run has ended, so that nothing more is expected. */
  readonly ended: boolean;
  /** When the records last changed, in milliseconds since 1970. */
  readonly changedAt: number;
}

function versioned(section: PageSection): LiveSection {
  const version = createHash('sha256').update(section.html).digest('base64url').slice(0, 12);
  return { ...section, version };
}

/** The page of an output folder that a training may be writing; read anew only where its files changed. */
export class LivePageSource {
  readonly #folder: string;
  readonly #shown: string;
  readonly #charts: ChartCache;
  #seen: string | undefined;
  #page: LivePage | undefined;

  /** @param shown - the folder as the user wrote it, for the commands on the page */
  constructor(folder: string, shown: string, charts: ChartCache) {
    this.#folder = folder;
    this.#charts = charts;
    this.#shown = shown;
  }

  /**
   * The page as the files have it now; the same object while they stay the same.
   *
   * @throws MultigradError `io`, `invalid-data`, `unsupported` where the folder cannot be read
   */
  async read(): Promise<LivePage> {
    const { text, changedAt } = fingerprint(this.#folder);
    if (this.#page === undefined || text !== this.#seen) {
      this.#page = await this.#render(changedAt);
      this.#seen = text;
    }
    return this.#page;
  }

  async #render(changedAt: number): Promise<LivePage> {
    const config = await readConfig(this.#folder);
    const runs = await readRuns(this.#folder, config);
    const summary = summarize(config, runs);
    const ended = runs.filter(({ result }) => result !== null);
    const all = runNames(config).length;
    const draw = this.#charts.draw.bind(this.#charts);
    const commands = reportCommands(config, this.#shown);
    const page = await reportPage(summary, runs, commands, draw);
    // Notes are for runs that ended badly, not for those that are still training.
    const live = {
      notes: ended
        .filter(({ result }) => result?.status !== 'finished')
        .map((run) => unfinishedNote(run, Number(config.settings['epochs']), summary.titles)),
      captions: [...page.captions, '† marks figures of runs that have not ended.'],
      runs: runsTable(summary, runs, 'open'),
    };
    const now = await nowSection(summary, runs, draw);
    this.#charts.endLook();
    const sections = pageSections(ended.length === all ? page : { ...page, ...live });
    return {
      title: page.title,
      lead: page.lead,
      sections: [now, ...sections].map(versioned),
      ended: ended.length === all,
      changedAt,
    };
  }
}
