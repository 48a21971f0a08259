/** What a browser is told: the page's outline, and the sections that it does not have yet. */
export interface PageUpdate {
  readonly title: string;
  readonly lead: string;
  readonly ended: boolean;
  /** Milliseconds since the records last changed. */
  readonly age: number;
  /** Why the folder could not be read at the last look, or null. */
  readonly trouble: string | null;
  /** Ids of all sections, in order. */
  readonly order: readonly string[];
  /** The sections whose content is new to this browser. */
  readonly changed: readonly ChangedSection[];
}

/** A section of the page with its new content. */
export interface ChangedSection {
  readonly id: string;
  /** The whole `section` element; the server has made its text safe. */
  readonly html: string;
}
