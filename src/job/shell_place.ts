/**
 * Where a place of a command stands for a POSIX shell (outside quotes, in which quotes, in a comment or here-document),
 * and a value as text for that place, so that the program gets it byte for byte. Pure.
 *
 * Follows `$(...)` and backticks within quotes, as quotes begin anew there.
 *
 * @module
 */

import { quote } from "../names/quote.ts";

/** What the shell is in. Of a here-document the end, and whether its text is taken as it is. */
type Inside =
  | { readonly type: "plain" | "single" | "double" | "dollar-single" | "backticks" | "comment" }
  | { readonly type: "parentheses" | "braces" }
  | HereDocument;

interface HereDocument {
  readonly type: "document";
  readonly end: string;
  readonly isLiteral: boolean;
  readonly hasTabs: boolean;
}

/** By what a value is quoted. */
type Mode = "plain" | "single" | "double" | "dollar-single" | "comment" | "document";

const PLAIN: Inside = { type: "plain" };

/** Goes over a command, piece by piece. */
export class ShellPlace {
  readonly #stack: Inside[] = [PLAIN];
  /** Here-documents whose text begins in the next line. */
  #documents: HereDocument[] = [];
  #isEscaped = false;
  /** The character before, as far as it counts: `#` begins a comment only at the begin of a word. */
  #before = "\n";
  #line = "";

  /** True behind a backslash or a `$` that belong to what follows: a brace there is the shell's. */
  get isTaken(): boolean {
    if (this.#isEscaped) return true;
    const top = this.#top;
    const expands = top.type === "document" ? !top.isLiteral : this.#mode === "plain" || this.#mode === "double";
    return expands && this.#before === "$";
  }

  get #top(): Inside {
    return this.#stack.at(-1)!;
  }

  /** As {@link Inside}, what counts as outside quotes being one. */
  get #mode(): Mode {
    const { type } = this.#top;
    if (type === "braces") return this.#stack.some((one) => one.type === "double") ? "double" : "plain";
    return type === "parentheses" || type === "backticks" ? "plain" : type;
  }

  /** Goes over a piece of the command. */
  read(text: string): void {
    for (let at = 0; at < text.length; at++) {
      const c = text[at]!;
      const wasEscaped = this.#isEscaped;
      this.#isEscaped = false;
      if (!wasEscaped) at += this.#step(c, text.slice(at + 1, at + 200));
      this.#line = c === "\n" ? "" : this.#line + c;
      this.#before = wasEscaped ? "x" : text[at]!;
    }
  }

  /** Takes one character. @returns How many more it has taken of what follows. */
  #step(c: string, next: string): number {
    const mode = this.#mode;
    if (mode === "document") return this.#stepInDocument(c, next);
    if (mode === "comment") {
      if (c !== "\n") return 0;
      this.#stack.pop();
      return this.#endLine();
    }
    if (mode === "single") {
      if (c === "'") this.#stack.pop();
      return 0;
    }
    if (c === "\\") {
      this.#isEscaped = true;
      return 0;
    }
    if (mode === "dollar-single") {
      if (c === "'") this.#stack.pop();
      return 0;
    }
    if (c === "$" || c === "`") return this.#stepIn(c, next);
    if (c === "}" && this.#top.type === "braces") this.#stack.pop();
    else if (mode === "double") {
      if (c === '"') this.#top.type === "double" ? this.#stack.pop() : this.#push("double");
    } else this.#stepOutside(c, next);
    return c === "\n" ? this.#endLine() : 0;
  }

  /** An expansion begins or ends. */
  #stepIn(c: string, next: string): number {
    if (c === "`") {
      if (this.#stack.some(({ type }) => type === "backticks")) this.#leave("backticks");
      else this.#push("backticks");
      return 0;
    }
    if (next[0] === "(") this.#push("parentheses");
    else if (next[0] === "{") this.#push("braces");
    else if (next[0] === "'" && this.#mode === "plain") this.#push("dollar-single");
    else return 0;
    this.#line += next[0];
    return 1;
  }

  #stepOutside(c: string, next: string): void {
    if (c === "'") this.#push("single");
    else if (c === '"') this.#push("double");
    else if (c === "(") this.#push("parentheses");
    else if (c === ")" && this.#top.type === "parentheses") this.#stack.pop();
    else if (c === "#" && /[\s;&|(]/.test(this.#before)) this.#push("comment");
    else if (c === "<" && this.#before !== "<" && next[0] === "<" && next[1] !== "<") this.#noteDocument(next.slice(1));
  }

  #push(type: Exclude<Inside["type"], "document">): void {
    this.#stack.push({ type });
  }

  #leave(type: Inside["type"]): void {
    while (this.#stack.length > 1 && this.#stack.pop()?.type !== type);
  }

  /** What follows `<<`: the word that ends the document. */
  #noteDocument(text: string): void {
    // `$((1<<2))` is arithmetic.
    if (this.#stack.slice(-2).every(({ type }) => type === "parentheses")) return;
    const found = /^(-?)[ \t]*(?:'([^'\n]*)'|"([^"\n]*)"|(\\)?([^\s;&|<>()'"`$\\]+))/.exec(text);
    if (found === null) return;
    const [, dash, single, double, backslash, bare] = found;
    this.#documents.push({
      type: "document",
      end: single ?? double ?? bare ?? "",
      isLiteral: bare === undefined || backslash !== undefined,
      hasTabs: dash === "-",
    });
  }

  /** A line has ended: here-documents that it announced begin, the first on top. */
  #endLine(): number {
    this.#stack.push(...this.#documents.reverse());
    this.#documents = [];
    return 0;
  }

  #stepInDocument(c: string, next: string): number {
    const document = this.#top as HereDocument;
    if (c === "\n") {
      const line = document.hasTabs ? this.#line.replace(/^\t+/, "") : this.#line;
      if (line === document.end) this.#stack.pop();
      return 0;
    }
    if (document.isLiteral) return 0;
    if (c === "\\") this.#isEscaped = true;
    else if (c === "$" || c === "`") return this.#stepIn(c, next);
    return 0;
  }

  /** How a value is written for this place, which it takes. */
  quoter(): (value: string) => string {
    this.#before = "x";
    this.#line += "x";
    const mode = this.#mode;
    const top = this.#top;
    const isLiteral = top.type === "document" && top.isLiteral;
    // Within backticks these are read once before the command is.
    const isTwice = this.#stack.some(({ type }) => type === "backticks");
    return (value) => {
      const text = this.#forMode(value, mode, isLiteral);
      return isTwice ? text.replace(/[\\`$]/g, "\\$&") : text;
    };
  }

  #forMode(value: string, mode: Mode, isLiteral: boolean): string {
    const word = quote(value);
    switch (mode) {
      case "single":
        return word.slice(1, -1);
      case "double":
        return value.replace(/[\\"$`]/g, "\\$&");
      case "dollar-single":
        return value.replace(/[\\']/g, "\\$&");
      case "comment":
        return value.replaceAll("\n", " ");
      case "document":
        return isLiteral ? value : value.replace(/[\\$`]/g, "\\$&");
      case "plain":
        // GNU parallel leaves the same ones bare.
        return /^[A-Za-z0-9_+./-]+$/.test(value) ? value : word;
      default:
        return mode satisfies never;
    }
  }
}
