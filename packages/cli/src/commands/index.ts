import type { MakeCommand } from './command.ts';

/** A command in the program's list. */
export interface CommandEntry {
  readonly name: string;
  /** Whether its first argument is an experiment. */
  readonly perExperiment?: true;
  /** One sentence for the help. */
  readonly summary: string;
  /** Loads the command itself. Commands that train take seconds to load, for which the help should not wait. */
  readonly load: () => Promise<MakeCommand>;
}

/** Every command of the program, in the order of its help. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'init',
    summary: 'Write an experiment of your own to start from.',
    load: async () => (await import('./init.ts')).initCommand,
  },
  {
    name: 'compare',
    perExperiment: true,
    summary: 'Train several strategies on one experiment and compare them.',
    load: async () => (await import('./compare.ts')).compareCommand,
  },
  {
    name: 'train',
    perExperiment: true,
    summary: 'Train one strategy once.',
    load: async () => (await import('./train.ts')).trainCommand,
  },
  {
    name: 'study',
    summary:
      'Run a protocol: experiments by strategies, a learning rate for each chosen on validation, several seeds.',
    load: async () => (await import('./study.ts')).studyCommand,
  },
  {
    name: 'front',
    perExperiment: true,
    summary:
      'Train one strategy with several preferences, and draw the Pareto front that they find.',
    load: async () => (await import('./front.ts')).frontCommand,
  },
  {
    name: 'analyze',
    perExperiment: true,
    summary:
      'Train strategies as compare does, and look at gradients and losses at fixed weights on the way.',
    load: async () => (await import('./analyze.ts')).analyzeCommand,
  },
  {
    name: 'check',
    perExperiment: true,
    summary:
      'Compare the gradients of an experiment with finite differences, at a sample of each variable.',
    load: async () => (await import('./check.ts')).checkCommand,
  },
  {
    name: 'strategies',
    summary: 'List the strategies, with their papers and options.',
    load: async () => (await import('./strategies.ts')).strategiesCommand,
  },
  {
    name: 'balancing',
    summary: 'List the balancing methods, with their papers and options.',
    load: async () => (await import('./balancing.ts')).balancingCommand,
  },
  {
    name: 'cite',
    summary:
      'Print BibTeX: of the papers that strategies come from, of multigrad itself where none is named.',
    load: async () => (await import('./cite.ts')).citeCommand,
  },
  {
    name: 'report',
    summary: 'Write tables and report of an output folder anew from its files.',
    load: async () => (await import('./report.ts')).reportCommand,
  },
  {
    name: 'resume',
    summary:
      'Go on with an output folder: finished runs stay, others go on from their newest checkpoint.',
    load: async () => (await import('./resume.ts')).resumeCommand,
  },
  {
    name: 'export',
    summary:
      'Write the trained network of a run as TensorFlow.js models and as safetensors, from its newest checkpoint.',
    load: async () => (await import('./export.ts')).exportCommand,
  },
  {
    name: 'watch',
    summary: 'Show a live page of an output folder, in a browser on this machine, until Ctrl-C.',
    load: async () => (await import('./watch.ts')).watchCommand,
  },
  {
    name: 'launch',
    summary: 'Start several processes that train one network together, on this machine or several.',
    load: async () => (await import('./launch.ts')).launchCommand,
  },
  {
    name: 'doctor',
    summary: 'Show the backends that are there, test them, and say how to get a faster one.',
    load: async () => (await import('./doctor.ts')).doctorCommand,
  },
  {
    name: 'native',
    summary: 'Native TensorFlow, the fastest backend on a processor or a CUDA device.',
    load: async () => (await import('./native.ts')).nativeCommand,
  },
];
