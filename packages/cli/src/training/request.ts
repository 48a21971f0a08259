import type { Recipe } from '../experiments/recipe.ts';
import type { Settings } from '../runs/settings.ts';

/** What a user asked to be compared. */
export interface CompareRequest {
  readonly recipe: Recipe;
  readonly strategies: readonly string[];
  readonly seeds: readonly number[];
  readonly settings: Settings;
  /** Output folder, relative to the environment's folder. */
  readonly out: string;
  /** Whether results that the folder holds are replaced. */
  readonly force: boolean;
  /** Whether networks are looked at between epochs; the settings say how closely. */
  readonly analyze: boolean;
  /** Whether each run's folder gets TensorBoard event files too. */
  readonly tensorboard: boolean;
}
