/** Control characters, and those that change the direction of text; line ends and tabs are not among them. */
// eslint-disable-next-line no-control-regex -- those are what is looked for
const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * A text with every character that a terminal would obey written as its code. Texts from somebody else's files and plugins
 * go through it.
 *
 * @example
 * visible('\u001b[2J') is '\\u001b[2J'
 */
export function visible(text: string): string {
  return text.replaceAll(
    steering,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
