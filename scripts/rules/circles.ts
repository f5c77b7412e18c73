/**
 * Circles of imports: none of the files of a circle can be read, tested or moved without the others.
 *
 * @module
 */

/**
 * The circles.
 * @param imports The files that each file imports.
 * @returns One line for each circle: `a.ts -> b.ts -> a.ts`.
 */
export function findCircles(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const path: string[] = [];
  const found: string[] = [];
  const visit = (file: string): void => {
    const at = path.indexOf(file);
    if (at >= 0) found.push([...path.slice(at), file].join(" -> "));
    if (at >= 0 || done.has(file)) return;
    path.push(file);
    for (const next of imports.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of imports.keys()) visit(file);
  return found;
}
