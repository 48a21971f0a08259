import { readFileSync } from 'node:fs';
import { repository } from '../shared/version.ts';
import { housesCsv } from './houses.ts';

/** The kinds of experiments that `multigrad init` writes. */
export type ExperimentKind = 'multi-task' | 'multimodal';

/** What is known of an experiment before it is written. */
export interface NewExperiment {
  readonly kind: ExperimentKind;
  /** In kebab case. */
  readonly name: string;
  /** The folder, as the user calls it from where commands are run, with `/`. */
  readonly folder: string;
  readonly language: 'ts' | 'js';
}

const typescript = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    noEmit: true,
    // TensorFlow.js's own types contradict those of today's browsers.
    skipLibCheck: true,
    types: [],
  },
  include: ['*.ts'],
};

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

/** The file that `multigrad` commands take. */
export function entryOf({ folder, language }: NewExperiment): string {
  return `${folder}/experiment.${language}`;
}

/**
 * The files of a new experiment, by name. The experiment itself is a template, the same text for TypeScript and JavaScript:
 * it needs no annotation.
 */
export function experimentFiles(experiment: NewExperiment): ReadonlyMap<string, string> {
  const { kind, name, language } = experiment;
  const template = new URL(`../../templates/${kind}/experiment.ts`, import.meta.url);
  const text = readFileSync(template, 'utf8')
    .replaceAll('{{name}}', name)
    .replaceAll('{{path}}', entryOf(experiment))
    .replaceAll('{{docs}}', `${repository}/blob/main/docs`);
  return new Map([
    [`experiment.${language}`, text],
    ...(kind === 'multi-task' ? ([['houses.csv', housesCsv()]] as const) : []),
    // Node takes the experiment for a module, whatever the folders above say.
    ['package.json', json({ name, private: true, type: 'module' })],
    ...(language === 'ts' ? ([['tsconfig.json', json(typescript)]] as const) : []),
  ]);
}
