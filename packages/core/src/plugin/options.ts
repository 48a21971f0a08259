/** Weights of objectives, by objective name: finite numbers >= 0. */
export type ObjectiveWeights = Readonly<Record<string, number>>;

/** A value that an option can have; null means "off", or "all one" for weights. */
export type OptionValue = number | string | boolean | null | ObjectiveWeights;

/** A number within bounds; with `nullable` also null, meaning "off". */
export interface NumberOption<Value extends number | null = number | null> {
  readonly kind: 'number';
  /** One sentence with the unit and the range. */
  readonly description: string;
  readonly default: Value;
  /** The smallest value allowed. */
  readonly minimum?: number;
  /** A bound that the value must exceed. */
  readonly exclusiveMinimum?: number;
  /** The greatest value allowed. */
  readonly maximum?: number;
  /** Whether only integers that a double holds exactly (up to ± 2⁵³ − 1) are allowed. */
  readonly integer?: boolean;
  /** Whether null ("off") is allowed. */
  readonly nullable?: boolean;
}

/** One word of a few. */
export interface ChoiceOption<Choice extends string = string> {
  readonly kind: 'choice';
  /** One sentence that says what each choice does. */
  readonly description: string;
  readonly default: Choice;
  readonly choices: readonly Choice[];
}

/** Yes or no. */
export interface BooleanOption {
  readonly kind: 'boolean';
  /** One sentence that says what true does. */
  readonly description: string;
  readonly default: boolean;
}

/** A weight for each objective, by name; the default null means one for all. */
export interface WeightsOption {
  readonly kind: 'weights';
  /** One sentence that says what is weighted. */
  readonly description: string;
  /** Whether each weight has to be above 0. */
  readonly positive?: boolean;
  /**
   * Says that the weights are a preference p among the objectives, which `multigrad front` varies. `counts`: the greater
   * p_k, the more objective k counts, and the smaller its loss L_k becomes. `ray`: the losses are drawn towards the ray
   * along p, so the greater p_k, the greater L_k may stay.
   */
  readonly preference?: 'counts' | 'ray';
}

/** One of the objectives, by name; the default null leaves the choice to the strategy. */
export interface ObjectiveOption {
  readonly kind: 'objective';
  /** One sentence that says what the objective is for, and which one it is where none is named. */
  readonly description: string;
}

/** The description of one option of a strategy, of any kind. */
export type OptionSpec =
  NumberOption | ChoiceOption | BooleanOption | WeightsOption | ObjectiveOption;

/** The kind of description that an option of this type needs. */
export type OptionSpecOf<Value> = [Value] extends [boolean]
  ? BooleanOption
  : [Value] extends [number]
    ? NumberOption<number> & { readonly nullable?: false }
    : [Value] extends [number | null]
      ? NumberOption & { readonly nullable: true }
      : [Value] extends [string]
        ? ChoiceOption<Value>
        : [Value] extends [string | null]
          ? ObjectiveOption
          : [Value] extends [ObjectiveWeights | null]
            ? WeightsOption
            : never;

/**
 * The description of each option of `Options`: one record that drives a factory's validation, the command line's
 * parsing, listings and documentation.
 *
 * @example
 * ```ts
 * import type { OptionSpecs } from '@multigrad/core/strategy';
 *
 * interface DecayOptions {
 *   readonly rate?: number;
 *   readonly mode?: 'linear' | 'cosine';
 * }
 *
 * const decayOptions: OptionSpecs<DecayOptions> = {
 *   rate: { kind: 'number', default: 0.9, minimum: 0, maximum: 1, description: 'Share kept a step, 0 to 1.' },
 *   mode: { kind: 'choice', choices: ['linear', 'cosine'], default: 'linear', description: 'Shape of the decay.' },
 * };
 * console.log(Object.keys(decayOptions)); // [ 'rate', 'mode' ]
 * ```
 */
export type OptionSpecs<Options extends object = object> = [keyof Options] extends [never]
  ? Readonly<Record<string, OptionSpec>>
  : {
      readonly [Name in keyof Options]-?: OptionSpecOf<Exclude<Options[Name], undefined>>;
    };

/** `Options` with every default filled in. */
export type ResolvedOptions<Options extends object> = {
  readonly [Name in keyof Options]-?: Exclude<Options[Name], undefined>;
};

/** The values that an option of this description can have. */
export type OptionValueOf<Spec extends OptionSpec> = Spec extends { readonly kind: 'number' }
  ? Spec extends { readonly nullable: true }
    ? number | null
    : number
  : Spec extends { readonly kind: 'choice'; readonly choices: readonly (infer Choice)[] }
    ? Choice
    : Spec extends { readonly kind: 'boolean' }
      ? boolean
      : Spec extends { readonly kind: 'objective' }
        ? string | null
        : ObjectiveWeights | null;

/**
 * The type of the options that are described, so that names, kinds and choices are written once.
 *
 * The descriptions are written `as const`: then a choice is one of its words, and an option that may be null says so. A
 * comment on a description is shown where the option is given. An interface that extends the type lists the options in
 * editors and in generated references, which show of a type alias only its definition.
 *
 * @example
 * ```ts
 * import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
 *
 * const decayOptions = {
 *   rate: { kind: 'number', default: 0.9, minimum: 0, maximum: 1, description: 'Share kept a step, 0 to 1.' },
 *   mode: { kind: 'choice', choices: ['linear', 'cosine'], default: 'linear', description: 'Shape of the decay.' },
 * } as const;
 * interface DecayOptions extends OptionsOf<typeof decayOptions> {} // { rate?: number; mode?: 'linear' | 'cosine' }
 *
 * const given: DecayOptions = { mode: 'cosine' };
 * console.log(resolveOptions('decay', decayOptions, given)); // { rate: 0.9, mode: 'cosine' }
 * ```
 */
export type OptionsOf<Specs extends Readonly<Record<string, OptionSpec>>> = {
  readonly [Name in keyof Specs]?: OptionValueOf<Specs[Name]>;
};
