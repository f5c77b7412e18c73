/**
 * Where the service's user name and password come from: a file, the environment, or the person who starts it.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { storeError } from "../store/file_errors.ts";
import { CmsError, InvalidError } from "../errors.ts";
import { type Credentials, MOST_BYTES } from "./auth.ts";

/** Asks one question on the terminal; null where there is nobody to ask, or no answer. */
export type AskPerson = (question: string, options: { isSecret: boolean }) => Promise<string | null>;

/**
 * Finds the credentials.
 * @param file Path of a file with `user:password` in one line, or the user in the first and the password in the second.
 * @throws {CmsError} If there are none, they cannot be used, or others may read the file.
 */
export async function findCredentials(deps: Deps, file: string | undefined, ask: AskPerson): Promise<Credentials> {
  if (file !== undefined) return checked(await fromFile(deps, file));
  const user = deps.environment.get("CMS_USER") ?? "";
  const password = deps.environment.get("CMS_PASSWORD") ?? "";
  if (user !== "" && password !== "") return checked({ user, password });
  return checked(await fromPerson(ask));
}

/**
 * Finds the credentials of who only looks; null if there are to be none.
 * @param others Those of who may do everything: the names must differ.
 * @throws {CmsError} As {@link findCredentials}.
 */
export async function findViewer(
  deps: Deps,
  file: string | undefined,
  others: Credentials,
): Promise<Credentials | null> {
  if (file === undefined) return null;
  const viewer = checked(await fromFile(deps, file));
  if (viewer.user !== others.user) return viewer;
  throw new CmsError("usage", `Cannot use the credentials in ${file}: give the viewer another user name`);
}

async function fromFile(deps: Deps, file: string): Promise<Credentials> {
  const path = file.startsWith("/") ? file : `${deps.environment.cwd()}/${file}`;
  const stamp = await deps.files.stamp(path).catch((cause) => {
    // Such as /dev/stdin, which is none of the program's own files.
    throw new CmsError(
      "usage",
      `Cannot read the credentials in ${file}: give a regular file, or CMS_USER and CMS_PASSWORD in the environment`,
      { cause },
    );
  });
  if (stamp === null || stamp.isDirectory) throw new CmsError("usage", `Cannot read the credentials: no file ${file}`);
  const { mode } = stamp;
  if (mode !== undefined && (mode & 0o077) !== 0) {
    throw new CmsError("usage", `Cannot use the credentials in ${file}: others may read it; say: chmod 600 ${file}`);
  }
  const read = await deps.files.readText(path).catch((error) => Promise.reject(storeError(file, "read", error)));
  const text = (read ?? "").replace(/\r?\n$/, "");
  const match = /^([^:\r\n]+)(?::|\r?\n)([^\r\n]+)$/.exec(text);
  if (match === null) {
    throw new CmsError("usage", `Cannot use the credentials in ${file}: it is not one line with user:password`);
  }
  return { user: match[1]!, password: match[2]! };
}

async function fromPerson(ask: AskPerson): Promise<Credentials> {
  const user = await ask("User name: ", { isSecret: false });
  const password = user === null ? null : await ask("Password: ", { isSecret: true });
  if (user === null || password === null) {
    throw new CmsError(
      "usage",
      "Cannot start without a user name and a password: answer on a terminal, or give --credentials=FILE, or CMS_USER and " +
        "CMS_PASSWORD",
    );
  }
  return { user, password };
}

function checked(credentials: Credentials): Credentials {
  const problems: string[] = [];
  if (credentials.user === "") problems.push("Cannot use an empty user name");
  if (credentials.password === "") problems.push("Cannot use an empty password");
  // HTTP Basic puts a colon between the two.
  if (credentials.user.includes(":")) problems.push("Cannot use a user name with a colon in it");
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(credentials.user + credentials.password)) {
    problems.push("Cannot use control characters in the user name or password");
  }
  if (new TextEncoder().encode(`${credentials.user}:${credentials.password}`).length > MOST_BYTES) {
    problems.push(`Cannot use a user name and password of more than ${MOST_BYTES - 1} bytes in all`);
  }
  if (problems.length > 0) throw new InvalidError(problems);
  return credentials;
}
