/**
 * Durations and sizes as people write them: `90s`, `30m`, `1h30m`, `1d`; `500M`, `8G`, `12 MiB`. Pure.
 *
 * @module
 */

import { InvalidError } from "../errors.ts";

const UNITS_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 };
const DURATION =
  /^(?=[0-9])(?:([0-9]{1,6}(?:\.[0-9]{1,3})?)d)?(?:([0-9]{1,6}(?:\.[0-9]{1,3})?)h)?(?:([0-9]{1,9}(?:\.[0-9]{1,3})?)m)?(?:([0-9]{1,9}(?:\.[0-9]{1,3})?)s)?$/;
const MINUTES = /^[0-9]{1,9}(?:\.[0-9]{1,3})?$/;
/** Ten years: what is longer is a mistake. */
const LONGEST_MS = 3650 * 86_400_000;

/**
 * Reads a duration: `90s`, `30m`, `2h`, `1d`, `1h30m`. A bare number is minutes, as `--timeout` has them.
 * @returns Milliseconds. @throws {InvalidError} If it is none, is 0, or is longer than ten years.
 */
export function parseDuration(text: string): number {
  const parts = DURATION.exec(text);
  let ms = 0;
  if (MINUTES.test(text)) ms = Number(text) * UNITS_MS.m!;
  else if (parts !== null) ["d", "h", "m", "s"].forEach((unit, i) => ms += Number(parts[i + 1] ?? 0) * UNITS_MS[unit]!);
  if (ms > 0 && ms <= LONGEST_MS) return Math.round(ms);
  throw new InvalidError([`Cannot use ${JSON.stringify(text)} as a duration: write it as 90s, 30m, 2h, 1d or 1h30m`]);
}

/** True if {@link parseDuration} reads it. */
export function isDuration(text: string): boolean {
  try {
    return parseDuration(text) > 0;
  } catch {
    return false;
  }
}

/** A duration as the file has it: a bare number gets its unit. @throws {InvalidError} As {@link parseDuration}. */
export function durationField(text: string): string {
  parseDuration(text);
  return MINUTES.test(text) ? `${text}m` : text;
}

/** Milliseconds as a person would write them, in the two largest units: `1h30m`, `40s`; less than a second is `0s`. */
export function renderDuration(ms: number): string {
  let rest = Math.floor(ms / 1000) * 1000;
  const parts: string[] = [];
  for (const [unit, size] of Object.entries(UNITS_MS)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.length === 0 ? "0s" : parts.slice(0, 2).join("");
}

/** How long something is still to wait: `40 s`, and from a minute on as {@link renderDuration} has it. */
export function renderWait(ms: number): string {
  return ms < UNITS_MS.m! ? `${Math.max(0, Math.floor(ms / 1000))} s` : renderDuration(ms);
}

/** KiB as people write them: `12 MiB`, `3.4 GiB`. */
export function renderKiB(kib: number): string {
  const gib = kib / 1024 / 1024;
  return gib < 1 ? `${Math.floor(kib / 1024)} MiB` : `${gib < 10 ? gib.toFixed(1) : Math.round(gib)} GiB`;
}

const POWERS = "KMGT";
const SIZE = /^([0-9]{1,9}(?:\.[0-9]{1,3})?)([KMGT])(?:i?B)?$/i;
/** 1024 terabytes: what is larger is a mistake. */
const LARGEST = 1024 ** 5;

/** Reads a size: `500M`, `8G`; a thousand is 1024. @returns Bytes. @throws {InvalidError} If it is none, or is 0. */
export function parseSize(text: string): number {
  const [, number, unit] = SIZE.exec(text) ?? [];
  const bytes = unit === undefined ? 0 : Math.round(Number(number) * 1024 ** (1 + POWERS.indexOf(unit.toUpperCase())));
  if (bytes > 0 && bytes <= LARGEST) return bytes;
  throw new InvalidError([`Cannot use ${JSON.stringify(text)} as a size: write it as 500M, 8G or 1.5T`]);
}

/** Bytes as people read them: `812 B`, `3.2 MiB`. */
export function renderBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** A size as the file has it: `8G`. @throws {InvalidError} As {@link parseSize}. */
export function sizeField(text: string): string {
  parseSize(text);
  return text.replace(/i?B$/i, "").toUpperCase();
}
