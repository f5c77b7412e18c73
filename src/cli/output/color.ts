/**
 * Colours of the lines, for terminals.
 *
 * @module
 */

/** The colours in use. */
export type Color = "blue" | "magenta" | "red";

const CODES: Readonly<Record<Color, number>> = { blue: 34, magenta: 35, red: 31 };

/** Decides whether a stream gets colours: only a terminal, and never with NO_COLOR set (https://no-color.org). */
export function wantsColor(
  isTerminal: boolean,
  environment: { get(name: string): string | undefined },
): boolean {
  return isTerminal && (environment.get("NO_COLOR") ?? "") === "" && environment.get("TERM") !== "dumb";
}

/** The text in a colour, or as it is if `on` is false. */
export function paint(text: string, color: Color, on: boolean): string {
  return on ? `\u001b[${CODES[color]}m${text}\u001b[39m` : text;
}
