import { elementwise } from './elementwise.ts';
import { indexing } from './indexing.ts';
import { moving } from './moving.ts';
import type { OddOperation } from './odd-call.ts';
import { reducing } from './reducing.ts';
import { windows } from './windows.ts';

/** Every operation that is called with odd arguments. */
export const oddOperations: readonly OddOperation[] = [
  ...moving,
  ...indexing,
  ...windows,
  ...reducing,
  ...elementwise,
];
