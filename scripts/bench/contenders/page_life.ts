/**
 * The dashboard as a person leaves it open: logged in, view after view, in a real browser that is measured from within.
 *
 * @module
 */

import type { CDPSession, Page } from "playwright-core";
import { withPage } from "../../../testing/browser.ts";

/** What is looked at, and what part of the time. The first view is where people stay. */
const VIEWS = [["Jobs", 0.5], ["Hosts", 0.15], ["Progress", 0.1], ["Time line", 0.15], ["Runs", 0.1]] as const;
const SAMPLE_MS = 1_000;

/** What the browser says of the page. */
export interface PageLife {
  /** From the click on `Log in` to the first rows. */
  readonly firstViewMs: number;
  /** Processor time of scripts for each second. */
  readonly scripting: number;
  /** The most that the heap held at once. */
  readonly heapMb: number;
}

/** Where to look. */
export interface PagePlace {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly seconds: number;
  readonly say: (line: string) => void;
  /** The browser has begun, and the page is about to be opened; it has been looked at, and the browser goes. */
  readonly onOpen: () => void;
  readonly onDone: () => void;
}

/** Opens the page of the only queue, and looks at one view after the other. @throws {Error} If it does not work. */
export async function pageLife(place: PagePlace): Promise<PageLife> {
  const { url, user, password, seconds, say } = place;
  let life: PageLife | null = null;
  await withPage(url, async (page, { errors }) => {
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
    place.onOpen();
    await page.goto(`${url}/ui`);
    await page.getByLabel("User").fill(user);
    await page.getByLabel("Password").fill(password);
    const clickMs = performance.now();
    await page.getByRole("button", { name: "Log in" }).click();
    await page.locator("tbody tr").nth(10).waitFor();
    const firstViewMs = performance.now() - clickMs;
    const begin = await metrics(devtools);
    let heapMb = begin.heapMb;
    for (const [view, part] of VIEWS) {
      const seen = await look(page, devtools, view, part * seconds);
      say(`${view}: ${seen.scripting.toFixed(3)} s of scripts for each second, ${Math.round(seen.heapMb)} MB at most`);
      heapMb = Math.max(heapMb, seen.heapMb);
    }
    const end = await metrics(devtools);
    place.onDone();
    if (errors.length > 0) throw new Error(`The page has errors: ${errors.join("; ")}`);
    life = { firstViewMs, heapMb, scripting: (end.scriptS - begin.scriptS) / seconds };
  });
  if (life === null) throw new Error("The page was not looked at");
  return life;
}

async function look(page: Page, devtools: CDPSession, view: string, seconds: number) {
  await page.getByRole("navigation").getByRole("link", { name: view, exact: true }).click();
  const [begin, beginMs] = [await metrics(devtools), performance.now()];
  let heapMb = 0;
  while (performance.now() < beginMs + seconds * 1000) {
    await new Promise((go) => setTimeout(go, SAMPLE_MS));
    heapMb = Math.max(heapMb, (await metrics(devtools)).heapMb);
  }
  const { scriptS } = await metrics(devtools);
  return { heapMb, scripting: (scriptS - begin.scriptS) / ((performance.now() - beginMs) / 1000) };
}

async function metrics(devtools: CDPSession): Promise<{ scriptS: number; heapMb: number }> {
  const { metrics: all } = await devtools.send("Performance.getMetrics");
  const value = (name: string): number => all.find((one) => one.name === name)?.value ?? NaN;
  return { scriptS: value("ScriptDuration"), heapMb: value("JSHeapUsedSize") / 1e6 };
}
