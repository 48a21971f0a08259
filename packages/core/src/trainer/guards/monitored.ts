import { own } from '../../base/own.ts';
import { MultigradError } from '../../base/errors.ts';
import type { Logs } from '../callbacks.ts';

/** A number of the logs. @throws MultigradError `invalid-option` naming those that there are */
export function monitored(logs: Logs, name: string): number {
  const value = own(logs, name);
  if (value !== undefined) return value;
  throw new MultigradError(
    'invalid-option',
    `Option \`monitor\` should be one of ${Object.keys(logs).join(', ')}. Found \`${name}\`.`,
  );
}
