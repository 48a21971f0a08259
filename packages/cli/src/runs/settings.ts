/** An experiment's settings by name, such as `epochs` or `backend`. */
export type Settings = Readonly<Record<string, number | string>>;

/** A folder that the user named, or undefined. */
export function folderSetting(settings: Settings, name: string): string | undefined {
  const folder = settings[name];
  return folder === '' || folder === undefined ? undefined : String(folder);
}

/** The learning rates of a comparison: one, or several that were written as `0.003,0.01`. */
export function learningRates({ lr }: Settings): number[] {
  return String(lr).split(',').map(Number);
}

/** A number among the settings; its presence was checked when they were resolved. */
export function numberSetting(settings: Settings, name: string): number {
  return settings[name] as number;
}
