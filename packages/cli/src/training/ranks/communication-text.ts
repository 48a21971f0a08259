import type { CommunicationRecord } from '../../runs/records.ts';

/** Says what the ranks exchanged, as in `2 ranks exchanged 10.6 MB a step; 53 % of the time went into that.` */
export function communicationText({
  ranks,
  steps,
  bytes,
  seconds,
  of,
}: CommunicationRecord): string {
  const all = bytes.gradients + bytes.weights + bytes.control;
  const megabytes = (all / Math.max(1, steps) / 1e6).toFixed(2);
  const share = ((100 * seconds) / of).toFixed(0);
  return `${ranks} ranks exchanged ${megabytes} MB a step; ${share} % of the time went into that, waiting for each other included.`;
}
