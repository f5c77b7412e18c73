/**
 * Names in a sentence for people.
 *
 * @module
 */

const MOST = 5;

/** `job1, job2`; after the first five only how many more there are. */
export function someNames(names: readonly string[]): string {
  const more = names.length > MOST ? ` and ${names.length - MOST} more` : "";
  return names.slice(0, MOST).join(", ") + more;
}

/** Most characters of a text that a message repeats. */
const SHOWN = 80;

/** The text as a message shows it: a long one is cut off. */
export function shortened(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text;
}
