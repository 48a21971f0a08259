import { own } from '@multigrad/core/strategy';

/** An experiment's settings by name, such as `epochs` or `backend`. */
export type Settings = Readonly<Record<string, number | string | boolean>>;

/** The learning rates of a comparison: one, or several that were written as `0.003,0.01`. */
export function learningRates({ lr }: Settings): number[] {
  return String(lr).split(',').map(Number);
}

/** The settings of one run of a comparison: its learning rate in the place of several. */
export function settingsOfRun(settings: Settings, { lr }: { readonly lr: number }): Settings {
  return { ...settings, lr };
}

/** A number among the settings; its presence was checked when they were resolved. */
export function numberSetting(settings: Settings, name: string): number {
  return own(settings, name) as number;
}

/** A word among the settings; its presence was checked when they were resolved. */
export function textSetting(settings: Settings, name: string): string {
  return own(settings, name) as string;
}

/** Whether tables show the epoch that validates best, not the last one. */
export function selectsBest({ select }: Settings): boolean {
  return select === 'best';
}
