import { MultigradError } from '@multigrad/core/strategy';

/**
 * The check of an experiment whose data do not come with the program.
 *
 * @param where - how one gets a copy, in whole sentences
 * @throws MultigradError `invalid-option` where the setting `data` is left out
 */
export function requireCopy(
  experiment: string,
  where: string,
): (settings: { readonly data: string }) => void {
  return ({ data }) => {
    if (data !== '') return;
    throw new MultigradError(
      'invalid-option',
      `Option \`data\` of \`${experiment}\` is required. ${where}`,
    );
  };
}
