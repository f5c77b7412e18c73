/**
 * The grammar of names: what may name a queue, cluster, job, host, user, machine, shell, experiment. Names reach file
 * systems and shells, so that nothing outside this grammar is ever stored. Text that is code (`command`, `pyenv`) is
 * not checked here.
 *
 * @module
 */

import { InvalidError } from "../errors.ts";
import { shortened } from "./some_names.ts";

/**
 * A job's name: 1 to 200 of `A-Z a-z 0-9 . _ - +`, not beginning with `.`, `-` or `+`. It is a directory name on hosts.
 */
export type JobName = string & { readonly __brand: "JobName" };
/** A host's id within a cluster; the same grammar as a job's name. */
export type HostId = string & { readonly __brand: "HostId" };

const PLAIN = /^[A-Za-z0-9_][A-Za-z0-9._+-]{0,199}$/;
/** What `ssh -l` takes, but for what means something in a list of hosts. */
const USER = /^[^\s\p{C}'"`;&<>|(){},[\]$-][^\s\p{C}'"`;&<>|(){},[\]$]{0,254}\$?$/u;
const MACHINE = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$/;
/** An IPv6 address, perhaps with the scope of a link-local one. */
const IPV6 = /^(?=.{2,64}$)[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9._-]{1,15})?$/;
const GPU = "(?:[0-9]{1,4}|(?:GPU|MIG)-[A-Za-z0-9/-]{1,100})";
const GPUS = new RegExp(`^(?:-1|NoDevFiles|${GPU}(?:,${GPU}){0,63})$`);
const SHELL = /^[A-Za-z0-9_/][A-Za-z0-9._+/-]{0,199}$/;
const PLAIN_HINT = "use letters, digits, . _ - +, beginning with a letter, a digit or _";

/**
 * Longer than anything that a pattern here takes. A text is bounded before it is matched, so that no pattern can take
 * long.
 */
const LONGEST = 300;

function check(pattern: RegExp, kind: string, hint: string, text: string): string {
  if (text.length > LONGEST || !pattern.test(text)) {
    throw new InvalidError([`Cannot use ${JSON.stringify(shortened(text))} as ${kind}: ${hint}`]);
  }
  return text;
}

/** Checks a job name, and throws `InvalidError` if it is none. */
export function jobName(text: string): JobName {
  return check(PLAIN, "a job name", PLAIN_HINT, text) as JobName;
}

/** Checks a host id, and throws `InvalidError` if it is none. */
export function hostId(text: string): HostId {
  return check(PLAIN, "a host id", PLAIN_HINT, text) as HostId;
}

/**
 * Checks the name of a queue or cluster. One that ends as their files do would stand for two: `a-queue.yaml` is queue
 * `a`.
 * @throws {InvalidError} If `text` is none.
 */
export function fileName(text: string, kind: "queue" | "cluster"): string {
  const ending = `-${kind}.yaml`;
  if (text.endsWith(ending)) {
    const shown = JSON.stringify(shortened(text));
    throw new InvalidError([
      `Cannot use ${shown} as a ${kind} name: ${ending} is the ending of its file; leave it out`,
    ]);
  }
  return check(PLAIN, `a ${kind} name`, PLAIN_HINT, text);
}

/** Checks a user name (it never begins with `-`), and throws `InvalidError` if it is none. */
export function userName(text: string): string {
  const hint = "use what ssh -l takes: no blanks, quotes, brackets or commas, not beginning with -";
  if (text.endsWith("\\")) {
    throw new InvalidError([`Cannot use ${JSON.stringify(shortened(text))} as a user name: ${hint}`]);
  }
  return check(USER, "a user name", hint, text);
}

/** True for an IPv6 address without brackets: eight groups, fewer with `::`. */
function isIpv6(text: string): boolean {
  if (!IPV6.test(text)) return false;
  const groups = text.replace(/%.*$/, "").split(":");
  const isGroup = (group: string, i: number): boolean =>
    /^[0-9A-Fa-f]{0,4}$/.test(group) || (i === groups.length - 1 && /^\d{1,3}(\.\d{1,3}){3}$/.test(group));
  if (!groups.every(isGroup) || text.includes(":::")) return false;
  const gaps = text.split("::").length - 1;
  return gaps === 1 ? groups.length <= 9 : gaps === 0 && groups.length >= 7 && groups.length <= 8;
}

/** `[2001:db8::5]` is how people write an IPv6 address; ssh wants it bare. */
export function bareAddress(text: string): string {
  return text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
}

/**
 * A machine as ssh knows it: host name, alias of ssh_config, IPv4 or IPv6. @throws {InvalidError} If `text` is none.
 */
export function machineName(text: string): string {
  const isShort = text.length <= LONGEST;
  if (isShort && isIpv6(bareAddress(text))) return text;
  const [, name, port] = isShort ? /^(\[[^\]]{1,80}\]|[^:[\]]{1,255}):(\d{1,5})$/.exec(text) ?? [] : [];
  const hint = port === undefined
    ? "use a host name, an ssh alias or an IP address"
    : `a port belongs into ~/.ssh/config, as "Port ${port}" below "Host ${bareAddress(name!)}"`;
  const checked = check(MACHINE, "a host name", hint, text);
  if (/^\d{1,20}(\.\d{1,20}){3}$/.test(checked) && checked.split(".").some((part) => Number(part) > 255)) {
    throw new InvalidError([`Cannot use ${JSON.stringify(shortened(text))} as a host name: it is no IP address`]);
  }
  return checked;
}

/** True if {@link gpuList} takes it. */
export function isGpuList(text: string): boolean {
  return text.length <= LONGEST && GPUS.test(text);
}

/**
 * GPUs as `CUDA_VISIBLE_DEVICES` has them: numbers, or names that begin with GPU- or MIG-. @throws {InvalidError} If
 * `text` is none.
 */
export function gpuList(text: string): string {
  return check(GPUS, "a gpu", "give numbers such as 0,1 (or -1 for none, or names as nvidia-smi -L has them)", text);
}

/** A program that runs scripts: a bare name or a path. @throws {InvalidError} If `text` is none. */
export function shellName(text: string): string {
  return check(SHELL, "a shell", "use one program name or path, such as bash or /usr/bin/python3", text);
}

/**
 * The directory of queue and cluster files, as given, made plain: `./experiment/` is `experiment`.
 * @returns A relative path without `.`, or an absolute one; `.` for the working directory.
 * @throws {InvalidError} If it is empty, holds `..`, a control character, or a part that begins with `-` or `~`.
 */
export function experimentPath(text: string): string {
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  // deno-lint-ignore no-control-regex
  if (text === "" || parts.some((part) => part === ".." || /^[-~]/.test(part) || /[\u0000-\u001f\u007f]/.test(part))) {
    throw new InvalidError([
      `Cannot use ${
        JSON.stringify(shortened(text))
      } as the experiment: give a directory without ".." and without parts that begin with - or ~, such as experiment`,
    ]);
  }
  if (text.startsWith("/")) return "/" + parts.join("/");
  return parts.length === 0 ? "." : parts.join("/");
}
