/**
 * A real browser for tests, with nothing but one service within its reach.
 *
 * @module
 */

import { chromium, type Page } from "playwright-core";

const LIMIT_MS = 60_000;

const OPTIONS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Names are not even looked up, also not by parts of the browser that a page does not see.
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/** What went on in the page that should not. */
export interface Watched {
  readonly errors: string[];
  /** Addresses that are not the service's. */
  readonly elsewhere: string[];
}

/** Calls `use` with a page of a fresh browser. */
export async function withPage(url: string, use: (page: Page, watched: Watched) => Promise<void>): Promise<void> {
  const profile = await Deno.makeTempDir({ prefix: "cms-browser-" });
  const watched: Watched = { errors: [], elsewhere: [] };
  try {
    const browser = await chromium.launchPersistentContext(profile, {
      executablePath: "/usr/bin/chromium",
      headless: true,
      args: OPTIONS,
      viewport: { width: 1280, height: 1000 },
    });
    try {
      await browser.route(() => true, async (route) => {
        const target = route.request().url();
        if (target.startsWith(`${url}/`)) return await route.continue();
        watched.elsewhere.push(target);
        await route.abort();
      });
      const page = await browser.newPage();
      page.setDefaultTimeout(LIMIT_MS);
      page.on("console", (message) => void (message.type() === "error" && watched.errors.push(message.text())));
      page.on("pageerror", (error) => void watched.errors.push(String(error)));
      page.on("websocket", (socket) => void watched.elsewhere.push(socket.url()));
      await use(page, watched);
    } finally {
      await browser.close();
    }
  } finally {
    await Deno.remove(profile, { recursive: true });
  }
}
