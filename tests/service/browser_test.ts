/** The documentation page in a real browser, with nothing but the service within its reach. */
import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";
import { withPage } from "../../testing/browser.ts";
import { compiledCms } from "../../testing/compiled.ts";
import { needTest, whyNoPrograms } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import { withStarted } from "../../testing/service/started.ts";

/** A file for a picture of the page, for whoever wants to look at it. */
const PICTURE = Deno.env.get("CMS_TEST_PICTURE");
const LIMIT_MS = 30_000;

/** Logs in as a person does. */
async function authorise(page: Page): Promise<void> {
  await page.locator(".auth-wrapper .btn.authorize").click();
  const dialog = page.locator(".dialog-ux .modal-ux");
  await dialog.locator("input[name=username]").fill("pi");
  await dialog.locator("input[name=password]").fill("red berry");
  await dialog.locator("button.authorize[type=submit]").click();
  await dialog.locator("button.btn-done").click();
}

/** Opens an operation and makes it ready to be tried. All that is not given here stays as the page has it. */
async function open(page: Page, line: string, values: Record<string, string> = {}): Promise<Locator> {
  const [method = "", path = ""] = line.split(" ");
  const block = page.locator(`.opblock-${method.toLowerCase()}`).filter({ has: page.locator(`[data-path="${path}"]`) });
  await block.locator(".opblock-summary-control").click();
  await block.locator(".try-out__btn").click();
  for (const [name, value] of Object.entries(values)) {
    const field = block.locator(`tr[data-param-name="${name}"] input`);
    await field.fill(value);
  }
  return block;
}

/** Presses Execute. @returns Status and body as the page shows them. */
async function execute(page: Page, block: Locator): Promise<{ status: number; text: string }> {
  const [reply] = await Promise.all([page.waitForResponse(() => true), block.locator("button.execute").click()]);
  await reply.finished();
  const live = block.locator(".live-responses-table tbody .response").first();
  const shown = live.locator(".response-col_status");
  await waitUntil("the status on the page", async () => (await shown.innerText()).startsWith(`${reply.status()}`));
  return { status: reply.status(), text: await live.locator(".highlight-code code, .microlight").first().innerText() };
}

needTest(
  "a browser without internet authorises on /docs, adds jobs, runs them and sees them end",
  whyNoPrograms("chromium"),
  async () => {
    const cms = await compiledCms();
    await withStarted(
      async ({ url, directory, text }) => {
        await withPage(url, async (page, { errors, elsewhere }) => {
          await page.goto(`${url}/docs`);
          await page.locator(".opblock").first().waitFor();
          assert.equal(
            await page.title(),
            "Cloudmesh Queue: A job queue scheduler for remote/local servers. - Swagger UI",
          );
          assert.deepEqual(
            await page.locator(".opblock-tag").evaluateAll((tags) => tags.map((tag) => tag.getAttribute("data-tag"))),
            [
              "default",
              "more",
            ],
          );
          if (PICTURE !== undefined) await page.screenshot({ path: PICTURE });

          const list = await open(page, "GET /queue/");
          await authorise(page);
          assert.deepEqual(JSON.parse((await execute(page, list)).text), { queues: ["a-queue.yaml"] });

          const add = await open(page, "POST /queue/{queue}", {
            queue: "a",
            name: "job[1-3]",
            command: "echo done >> ../done",
          });
          assert.equal(await add.locator(".content-type").first().inputValue(), "text/plain");
          const added = await execute(page, add);
          assert.equal(added.status, 200, added.text);
          assert.match(added.text, /\| job3 +\| undefined \| echo done/);

          const run = await open(page, "PUT /queue/{queue}/run_fifo_multi", { queue: "a", cluster: "a" });
          const ran = await execute(page, run);
          assert.match(ran.text, /started fifo_multi scheduler: pid [0-9]+/, text());

          const get = await open(page, "GET /queue/{queue}", { queue: "a" });
          let now = "";
          await waitUntil(() => `the jobs' end; now ${now}`, async () => {
            const jobs = Object.values(JSON.parse((await execute(page, get)).text)) as {
              name: string;
              status: string;
            }[];
            now = jobs.map(({ name, status }) => `${name} ${status}`).join();
            return now === "job1 end,job2 end,job3 end";
          }, { limitMs: LIMIT_MS });
          if (PICTURE !== undefined) await page.screenshot({ path: `${PICTURE}.end.png`, fullPage: true });
          assert.equal(await Deno.readTextFile(`${directory}/experiment/done`), "done\n".repeat(3));
          // What was typed in is kept by the tab alone.
          assert.equal(await page.evaluate("Object.keys(localStorage).join()"), "");
          assert.deepEqual(errors, []);
          assert.deepEqual(elsewhere, []);
        });
      },
      [],
      [cms],
    );
  },
);
