/**
 * The queue file as text, as a person sees it in an editor.
 *
 * @module
 */

/** Each job's part of the file, from its name to the next one's, and its state, in file order. */
export function blocksOf(text: string): Map<string, { text: string; status: string }> {
  const blocks = new Map<string, { text: string; status: string }>();
  for (const [block, name] of text.matchAll(/^(\S+):\n(?:[ \n].*\n?|\n)+/gm)) {
    const [, status = ""] = /^ {2}status: (\S+)$/m.exec(block) ?? [];
    blocks.set(name!, { text: block, status });
  }
  return blocks;
}

/** A job's part with a field set; a new one comes last. */
export function withField(block: string, field: string, value: string): string {
  const line = `  ${field}: ${value}\n`;
  const old = new RegExp(`^ {2}${field}: .*\\n`, "m");
  return old.test(block) ? block.replace(old, () => line) : block + line;
}
