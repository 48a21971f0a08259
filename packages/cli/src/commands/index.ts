import { analyzeCommand } from './analyze.ts';
import { checkCommand } from './check.ts';
import { citeCommand } from './cite.ts';
import type { MakeCommand } from './command.ts';
import { compareCommand } from './compare.ts';
import { doctorCommand } from './doctor.ts';
import { exportCommand } from './export.ts';
import { nativeCommand } from './native.ts';
import { reportCommand } from './report.ts';
import { resumeCommand } from './resume.ts';
import { strategiesCommand } from './strategies.ts';
import { trainCommand } from './train.ts';
import { watchCommand } from './watch.ts';

/** Every command of the program, in the order of its help. */
export const commands: readonly MakeCommand[] = [
  compareCommand,
  trainCommand,
  analyzeCommand,
  checkCommand,
  strategiesCommand,
  citeCommand,
  reportCommand,
  resumeCommand,
  exportCommand,
  watchCommand,
  doctorCommand,
  nativeCommand,
];
