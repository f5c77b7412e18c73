/**
 * Reads what the manager sends to an agent, as a shell would: assignments and the agent's text, then requests, each one
 * compound statement. Only the forms that the program is meant to send are read; anything else would be text that
 * became code.
 *
 * @module
 */

/** One request. */
export interface Request {
  readonly verb: string;
  readonly args: readonly string[];
}

/** What the agent gets before its first request. */
export interface Setup {
  readonly token: string;
  readonly directory: string;
  readonly queue: string;
  readonly role: string;
}

/** The text is none that the program may send. */
export class NotARequest extends Error {}

const HELLO = "\n{ cms_hello\n}\n";

/** The stdin of a shell: bytes come in pieces, statements go out whole. */
export class RequestReader {
  readonly #decoder = new TextDecoder();
  #text = "";
  #setup: Setup | null = null;

  push(bytes: Uint8Array): void {
    this.#text += this.#decoder.decode(bytes, { stream: true });
  }

  /** What came before the first request; null until it is whole. */
  get setup(): Setup | null {
    return this.#setup;
  }

  /** The next whole statement, or null. @throws {NotARequest} */
  next(): Request | null {
    if (this.#setup === null) {
      const end = this.#text.indexOf(HELLO);
      if (end < 0) return null;
      const value = (name: string): string =>
        new RegExp(`^${name}='([^'\\n]*)'$`, "m").exec(this.#text.slice(0, 4096))?.[1] ?? "";
      this.#setup = { token: value("c_tok"), directory: value("c_dir"), queue: value("c_qid"), role: value("c_role") };
      this.#text = this.#text.slice(end + HELLO.length);
      return { verb: "hello", args: [] };
    }
    const found = readRequest(this.#text);
    if (found === null) return null;
    this.#text = this.#text.slice(found.end);
    return found.request;
  }
}

/** The words of a call of `c_run` that stands in a ticket; null if it is none. */
export function readCall(call: string): string[] | null {
  if (!call.startsWith("c_run ")) return null;
  const read = readRequest(`{ cms_run ${call.slice("c_run ".length)}\n}\n`);
  return read === null ? null : [...read.request.args];
}

/** Reads one request from the start of a text; null if it is not whole. */
function readRequest(text: string): { request: Request; end: number } | null {
  if ("{ cms_".startsWith(text)) return null;
  const verb = /^\{ cms_([a-z]+)(?=[ \n])/.exec(text);
  // A text that is cut off here may yet become one.
  if (verb === null && /^\{ (c(m(s(_[a-z]*)?)?)?)?$/.test(text)) return null;
  if (verb === null) throw new NotARequest(`no request: ${text.slice(0, 80)}`);
  const args: string[] = [];
  let at = verb[0].length;
  while (at < text.length) {
    if (text[at] === "\n") {
      if (text.length < at + 3) return null;
      if (text.startsWith("\n}\n", at)) return { request: { verb: verb[1]!, args }, end: at + 3 };
      throw new NotARequest(`no end of a request: ${text.slice(at, at + 80)}`);
    }
    if (text[at] !== " ") throw new NotARequest(`no word: ${text.slice(at, at + 80)}`);
    at++;
    const number = /^\d+(?=[ \n])/.exec(text.slice(at, at + 20));
    if (number !== null) {
      args.push(number[0]);
      at += number[0].length;
      continue;
    }
    const word = readQuoted(text, at);
    if (word === null) return null;
    args.push(word.value);
    at = word.end;
  }
  return null;
}

/** A word in single quotes, with `'\''` for each of its own. */
function readQuoted(text: string, start: number): { value: string; end: number } | null {
  if (text[start] !== "'") {
    if (text.length - start < 20 && /^\d*$/.test(text.slice(start))) return null;
    throw new NotARequest(`a word is not quoted: ${text.slice(start, start + 80)}`);
  }
  let value = "";
  for (let at = start + 1;;) {
    const quote = text.indexOf("'", at);
    if (quote < 0 || quote + 1 >= text.length) return null;
    value += text.slice(at, quote);
    if (text.startsWith("'\\''", quote)) {
      value += "'";
      at = quote + 4;
    } else if (text.length < quote + 4 && "'\\''".startsWith(text.slice(quote))) return null;
    else return { value, end: quote + 1 };
  }
}
