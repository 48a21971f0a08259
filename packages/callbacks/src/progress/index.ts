export { formatDuration } from './duration.ts';
export { cutText, drawBar, formatLosses } from './text.ts';
