/**
 * Cognitive complexity of functions, as SonarSource defines it: one for each break in the straight flow, and one more
 * for each level that it is nested in. What stands in a named function within counts there, what stands in a callback
 * with the function that passes it.
 *
 * @module
 */

import ts from "typescript";

/** Above that a function is split. */
export const MOST = 25;

/** Flat switches over a union: long, but each case is read by itself. */
export const FLAT: ReadonlyMap<string, string> = new Map([
  ["src/simulation/faults.ts:applyFault", "a case for each fault"],
  ["src/simulation/people.ts:act", "a case for each thing that people do"],
  ["src/scheduler/answers.ts:learn", "a case for each state that a host may name"],
  ["src/agent/protocol.ts:parseEvent", "a case for each event"],
  ["src/simulation/draw_scenario.ts:drawSurroundings", "one kind of surroundings drawn after the other"],
]);

type Named = ts.FunctionDeclaration | ts.MethodDeclaration | ts.FunctionExpression | ts.ArrowFunction;

/** Names of the functions of a file that are too complex, each with its complexity and its line. */
export function complexFunctions(path: string, text: string): { name: string; complexity: number; line: number }[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: { name: string; complexity: number; line: number }[] = [];
  const visit = (node: ts.Node): void => {
    const name = nameOf(node);
    if (name !== null) {
      const complexity = complexityOf(node);
      const { line } = file.getLineAndCharacterOfPosition(node.getStart());
      if (complexity > MOST) found.push({ name, complexity, line: line + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** The name of a function that has one; null for all else. */
function nameOf(node: ts.Node): string | null {
  if (ts.isConstructorDeclaration(node)) return "constructor";
  if (!isFunction(node)) return null;
  const named = node.name ?? (ts.isVariableDeclaration(node.parent) ? node.parent.name : undefined);
  return named?.getText() ?? null;
}

function isFunction(node: ts.Node): node is Named {
  return ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isArrowFunction(node) ||
    ts.isFunctionExpression(node);
}

function complexityOf(root: ts.Node): number {
  let sum = 0;
  const visit = (node: ts.Node, depth: number): void => {
    if (nameOf(node) !== null) return;
    const isElseIf = ts.isIfStatement(node) && ts.isIfStatement(node.parent) && node.parent.elseStatement === node;
    if (nests(node)) sum += isElseIf ? 1 : 1 + depth;
    if (ts.isIfStatement(node) && node.elseStatement !== undefined && !ts.isIfStatement(node.elseStatement)) sum++;
    if (isLogical(node) && !isSameLogic(node)) sum++;
    if ((ts.isBreakStatement(node) || ts.isContinueStatement(node)) && node.label !== undefined) sum++;
    const deeper = (nests(node) && !isElseIf) || isFunction(node) ? depth + 1 : depth;
    ts.forEachChild(node, (child) => visit(child, deeper));
  };
  ts.forEachChild(root, (child) => visit(child, 0));
  return sum;
}

function nests(node: ts.Node): boolean {
  return ts.isIfStatement(node) || ts.isIterationStatement(node, false) || ts.isCatchClause(node) ||
    ts.isSwitchStatement(node) || ts.isConditionalExpression(node);
}

function isLogical(node: ts.Node): node is ts.BinaryExpression {
  return ts.isBinaryExpression(node) && [
    ts.SyntaxKind.AmpersandAmpersandToken,
    ts.SyntaxKind.BarBarToken,
  ].includes(node.operatorToken.kind);
}

/** The second `&&` of a row of them costs nothing. */
function isSameLogic({ parent, operatorToken }: ts.BinaryExpression): boolean {
  return isLogical(parent) && parent.operatorToken.kind === operatorToken.kind;
}
