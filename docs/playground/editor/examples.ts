import numbers from './examples/numbers.ts?raw';
import ownLoop from './examples/own-loop.ts?raw';
import ownStrategy from './examples/own-strategy.ts?raw';
import trainer from './examples/trainer.ts?raw';

/** A program to begin with. */
export interface Example {
  readonly id: string;
  readonly title: string;
  readonly source: string;
}

/** The first one is shown at the start. */
export const examples: readonly Example[] = [
  { id: 'trainer', title: 'The trainer', source: trainer },
  { id: 'own-loop', title: 'Your own loop', source: ownLoop },
  { id: 'numbers', title: 'Numbers alone', source: numbers },
  { id: 'own-strategy', title: 'Your own strategy', source: ownStrategy },
];
