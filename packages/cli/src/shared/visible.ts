/** Characters that steer a terminal, or change the order of what is read; line ends and tabs are none. */
// eslint-disable-next-line no-control-regex -- those are what is looked for
const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * A text that steers no terminal: what a file that somebody else made says is shown, not obeyed.
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
