/**
 * The page in a real browser, over real hosts: what a person does with it all day.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { withPage } from "../../testing/browser.ts";
import { Manager } from "../../testing/harness.ts";
import { sharedHosts, type TestHosts, whyNoHosts } from "../../testing/hosts.ts";
import { needTest, whyNoPrograms } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";

/** A directory for pictures of each view, for whoever wants to look at them. */
const PICTURES = Deno.env.get("CMS_TEST_PICTURES");
const LIMIT_MS = 60_000;
/** The service lives as long as its test. */
const SERVICE_LIMIT_MS = 600_000;
const whyNot = await whyNoHosts() ?? await whyNoPrograms("chromium");

interface Served {
  readonly url: string;
  readonly manager: Manager;
  readonly hosts: TestHosts;
  /** Ends the service at once. */
  readonly end: () => Promise<void>;
}

async function withDashboard(use: (at: Served) => Promise<void>) {
  const hosts = await sharedHosts();
  await hosts.reset();
  await using manager = await Manager.make(hosts);
  await Deno.writeTextFile(`${manager.dir}/credentials`, "pi:red berry\n", { mode: 0o600 });
  await Deno.writeTextFile(`${manager.dir}/viewer`, "eve:blue berry\n", { mode: 0o600 });
  const words = ["--port=0", "--credentials=credentials", "--viewer-credentials=viewer", "--log=none"];
  const command = [`${manager.bin}/cms`, "queue", "--service", "start", ...words];
  const service = manager.spawn(command, { limitMs: SERVICE_LIMIT_MS });
  await service.waitFor(/Listening on \S+,/, LIMIT_MS);
  await use({ url: /Listening on (\S+),/.exec(service.text)![1]!, manager, hosts, end: () => service.kill9() });
}

async function logIn(page: Page, url: string, user = "pi", password = "red berry"): Promise<void> {
  await page.goto(`${url}/`);
  await page.getByLabel("User").fill(user);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: "log out" }).waitFor();
}

async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  for (const [width, colorScheme] of [[1400, "light"], [1400, "dark"], [390, "light"], [390, "dark"]] as const) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${PICTURES}/${name}-${width}-${colorScheme}.png` });
  }
  await page.setViewportSize({ width: 1280, height: 1000 });
}

/** Rules of level A and AA that the page breaks, as axe-core finds them. */
async function broken(page: Page): Promise<string[]> {
  const axe = new URL(import.meta.resolve("axe-core/axe.min.js"));
  await page.evaluate(await Deno.readTextFile(axe));
  type Axe = { run(o: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
  return await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: Axe };
    const { violations } = await axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ").slice(0, 300)}`);
  });
}

/** A colour that could not be read on the dark ground is shown brighter. */
const DIM = "rgb(128, 129, 129)";
/** Prints a line five times a second until it is told to stop. */
const TICKS = "i=0; while ! test -e ~/stop; do i=$((i+1)); echo tick $i; sleep 0.2; done";

/** Fails at the first try. */
const SECOND = "test $CMS_TRY = 2";

/** Holds one of the jobs, releases it, and gives it another priority. */
async function changeLater(page: Page): Promise<void> {
  const row = page.locator("tbody tr", { hasText: "later" });
  for (const [button, sign] of [["Hold", "held"], ["Release", "waits for slow"]] as const) {
    await page.getByRole("checkbox", { name: "later" }).check();
    assert.match(page.url(), /checked=later/);
    await page.getByRole("button", { name: button }).click();
    await row.getByText(sign).waitFor();
  }
  await page.getByRole("checkbox", { name: "later" }).check();
  page.once("dialog", (dialog) => void dialog.accept("7"));
  await page.getByRole("button", { name: "Priority…" }).click();
  await page.getByText("Columns").click();
  await page.getByRole("checkbox", { name: "Priority" }).check();
  await row.getByRole("cell", { name: "7", exact: true }).waitFor();
  await page.getByText("Columns").click();
}

async function view(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation").getByRole("link", { name, exact: true }).click();
}

needTest(
  "dashboard: a sweep is made by form, runs on three hosts, is seen live; one that failed is read and run again",
  whyNot,
  async () => {
    await withDashboard(async ({ url, manager, hosts }) => {
      await manager.ok("cluster", "create", "lab");
      for (const host of ["red", "red01", "red02"]) {
        await manager.ok("cluster", "add", "lab", `--id=${host}`, `--name=${host}`, "--user=pi");
      }
      await withPage(url, async (page, { errors, elsewhere }) => {
        await logIn(page, url);
        await page.getByRole("button", { name: "new queue" }).click();
        await page.getByLabel("Name of the new queue").fill("sweep");
        await page.getByRole("button", { name: "Make" }).click();
        await page.getByLabel("Name", { exact: true }).fill("train-{lr}-{seed}");
        await page.getByLabel("Parameters, one in each line").fill("lr=0.1,0.01\nseed=1-6");
        await page.getByLabel("Command", { exact: true }).fill(
          "echo out {lr} {seed}; echo wrong {seed} >&2; test {seed} != 3 || test -e ~/mended",
        );
        await page.getByText("train-0.01-6:").waitFor();
        assert.deepEqual(await broken(page), []);
        await picture(page, "add");
        await page.getByRole("button", { name: "Add 12 jobs" }).click();
        await page.getByRole("link", { name: "train-0.1-1", exact: true }).waitFor();

        await page.getByRole("button", { name: "Run…" }).click();
        await page.getByText("More").click();
        assert.deepEqual(await broken(page), []);
        await picture(page, "run");
        await page.getByRole("button", { name: "Run", exact: true }).click();
        await page.locator(".counts", { hasText: /12 done.*2 failed/s }).waitFor({ timeout: LIMIT_MS });
        await waitUntil("the title", async () => /^12\/12, 2 failed sweep/.test(await page.title()));

        await page.getByRole("button", { name: "failed 2" }).click();
        await page.locator("tbody tr").nth(1).waitFor();
        await waitUntil("two rows", async () => await page.locator("tbody tr").count() === 2);
        assert.match(page.url(), /failed=true/);
        assert.deepEqual(await broken(page), []);
        await picture(page, "jobs");
        const where = page.getByLabel("Where");
        await where.fill("exit_code=1 and param.seed=3 and param.lr<0.1");
        await where.press("Enter");
        await waitUntil("one row", async () => await page.locator("tbody tr").count() === 1);
        await where.fill("");
        await where.press("Enter");
        await waitUntil("both rows again", async () => await page.locator("tbody tr").count() === 2);
        await page.getByRole("link", { name: "train-0.1-3" }).click();
        await page.getByText("exit code 1").first().waitFor();
        await page.locator("pre", { hasText: "wrong 3" }).waitFor();
        await page.locator("pre[aria-label=Output]", { hasText: "out 0.1 3" }).waitFor();
        assert.deepEqual(await broken(page), []);
        await picture(page, "job");
        // What is chosen stands in the address: a colleague sees the same.
        await page.goBack();
        const colleague = await page.context().newPage();
        await colleague.goto(page.url());
        await colleague.getByRole("button", { name: "failed 2", pressed: true }).waitFor();
        await waitUntil("the same rows", async () => await colleague.locator("tbody tr").count() === 2);
        await colleague.close();
        await page.keyboard.press("f");
        await waitUntil("all rows", async () => await page.locator("tbody tr").count() === 12);
        await page.keyboard.press("?");
        await page.getByLabel("Keys").waitFor();
        await page.keyboard.press("?");
        await page.keyboard.press("/");
        await page.keyboard.type("0.1-3");
        await waitUntil("the row that was searched", async () => await page.locator("tbody tr").count() === 1);
        await page.getByLabel("Search").blur();
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("Enter");
        await page.getByText("exit code 1").first().waitFor();
        for (const name of ["red", "red01", "red02"]) await Deno.writeTextFile(`${hosts.host(name).home}/mended`, "");
        await page.getByRole("button", { name: "Reset: run it again" }).click();
        await page.getByText("Reset train-0.1-3").waitFor();
        assert.equal(await page.locator(".said code").innerText(), "cms queue reset sweep train-0.1-3");

        await page.locator(".counts", { hasText: "no run" }).waitFor({ timeout: LIMIT_MS });
        await manager.ok("queue", "add", "sweep", "--name=slow", `--command=${TICKS}`);
        await manager.ok("queue", "add", "sweep", "--name=later", "--after=slow", "--retries=1", `--command=${SECOND}`);
        await view(page, "Jobs");
        await changeLater(page);
        await page.getByRole("button", { name: "Run…" }).click();
        await page.getByRole("button", { name: "Run", exact: true }).click();
        await page.locator(".counts", { hasText: "1 failed" }).waitFor({ timeout: LIMIT_MS });

        await page.getByRole("link", { name: "slow", exact: true }).waitFor();
        await picture(page, "running");
        // What waits leads to what it waits for, whose output is followed.
        await page.getByRole("link", { name: "later", exact: true }).click();
        await page.getByText("Waits for:").getByRole("link", { name: "slow" }).click();
        await page.locator("pre[aria-label=Output]", { hasText: "tick 1\n" }).waitFor();
        await page.locator("pre[aria-label=Output]", { hasText: "tick 12\n" }).waitFor();
        await page.getByText("Waited for by:").getByRole("link", { name: "later" }).waitFor();

        await view(page, "Hosts");
        await page.getByRole("heading", { name: "red01 pi@red01" }).waitFor();
        await page.getByRole("link", { name: "slow of sweep" }).waitFor();
        const card = page.locator("li.host", { hasText: "pi@red02" });
        await card.getByText(/^active, answers since [0-9:]+: [01] of 1 slots used/).waitFor();
        await card.getByText(/^In the last hour: [0-9]+ done/).waitFor();
        await card.getByRole("button", { name: "Check" }).click();
        await card.getByText(/^ok, answers in/).waitFor({ timeout: LIMIT_MS });
        await card.getByRole("button", { name: "Drain" }).click();
        await page.getByText("red02 is drained").waitFor();
        await card.getByRole("button", { name: "Activate", exact: true }).click();
        const busy = page.locator("li.host", { has: page.getByRole("link", { name: "slow of sweep" }) });
        await busy.getByRole("button", { name: "Drain" }).click();
        await page.getByText("gets no more jobs; 1 job still runs there").waitFor();
        await busy.getByRole("button", { name: "Activate", exact: true }).click();
        await card.getByRole("button", { name: "Deactivate" }).click();
        await card.getByRole("button", { name: "Activate", exact: true }).waitFor();
        assert.match(await manager.ok("cluster", "list", "lab"), /red02.*inactive/);
        assert.deepEqual(await broken(page), []);
        await picture(page, "hosts");
        await page.getByRole("button", { name: "Pause" }).click();
        await page.locator(".counts", { hasText: "paused" }).waitFor();
        await page.getByRole("button", { name: "Resume" }).click();
        await page.locator(".counts b", { hasText: "runs" }).waitFor();
        await page.getByRole("link", { name: "slow of sweep" }).click();
        await page.getByRole("heading", { name: "slow" }).waitFor();
        for (const name of ["red", "red01", "red02"]) await Deno.writeTextFile(`${hosts.host(name).home}/stop`, "");
        await page.locator(".counts", { hasText: "14 done" }).waitFor({ timeout: LIMIT_MS });
        await page.getByRole("link", { name: "later" }).click();
        await page.getByRole("listitem").getByText(/^Try 1 on .*exit code 1/).waitFor();
        await page.getByRole("listitem").getByText(/^Try 2 on .*ended well/).waitFor();
        assert.deepEqual(await broken(page), []);
        await picture(page, "tries");

        for (const [name, sign] of [["Progress", "14 done (1 failed"], ["Runs", "fifo_multi"]] as const) {
          await view(page, name);
          await page.getByText(sign).first().waitFor();
          assert.deepEqual([name, await broken(page)], [name, []]);
          await picture(page, name.toLowerCase());
        }
        await view(page, "Time line");
        await page.locator("canvas").waitFor();
        assert.deepEqual(await broken(page), []);
        await picture(page, "timeline");
        const drawing = () =>
          page.locator("canvas").evaluate((one) => (one as unknown as { toDataURL(): string }).toDataURL());
        const whole = await drawing();
        await page.getByRole("button", { name: "Zoom in" }).click();
        await waitUntil("another part", async () => await drawing() !== whole);
        await page.getByRole("button", { name: "All" }).click();
        await waitUntil("all of it", async () => await drawing() === whole);
        assert.deepEqual(errors, []);
        assert.deepEqual(elsewhere, []);
      });
    });
  },
);

needTest(
  "dashboard: names, commands and outputs with markup, escape codes, long lines and bytes are text",
  whyNot,
  async () => {
    await withDashboard(async ({ url, manager }) => {
      await manager.ok("queue", "create", "a");
      const evil = `<img src=x onerror="document.title='evil'"><script>document.title='evil'</script>`;
      const file = `${manager.dir}/evil`;
      const colours = "\u001b[38;5;208morange\u001b[0m \u001b[1;38;2;1;2;3mdeep\u001b[0m";
      const line = `${evil}\n${colours} \u001b[31mred\u001b[0m \u001b]0;evil\u0007\u001b[2Jkept\n10%\r50%\r100%\n${
        "x".repeat(1e6)
      }\n`;
      await Deno.writeFile(file, new Uint8Array([...new TextEncoder().encode(line), 0, 1, 2, 255, 254]));
      await manager.ok(
        "queue",
        "add",
        "a",
        "--name=job1",
        "--user=pi",
        "--host=localhost",
        `--command=cat ${file}; : '${evil.replaceAll("'", "")}'`,
      );
      await manager.ok("queue", "run", "fifo", "a", "--max_parallel=1");
      await withPage(url, async (page, { errors }) => {
        await logIn(page, url);
        await page.getByRole("link", { name: "job1" }).click();
        const output = page.locator("pre[aria-label=Output]");
        await output.getByText("x".repeat(100)).waitFor();
        const more = page.getByRole("button", { name: "more" });
        const left = page.getByText(/^Without the first/);
        while (await left.count() > 0) {
          const before = await left.innerText();
          await more.click();
          await waitUntil("more of it", async () => (await left.allInnerTexts())[0] !== before);
        }
        await output.getByText("<script>").waitFor();
        assert.equal(await output.locator("img, script").count(), 0);
        assert.equal(await output.locator(".ansi-red-fg").innerText(), "red");
        const colourOf = (text: string) =>
          output.getByText(text).evaluate((part) => {
            const { getComputedStyle } = globalThis as unknown as { getComputedStyle(of: unknown): { color: string } };
            return getComputedStyle(part).color;
          });
        assert.deepEqual([await colourOf("orange"), await colourOf("deep")], ["rgb(255, 135, 0)", DIM]);
        const [saved] = await Promise.all([
          page.waitForEvent("download"),
          page.getByRole("button", { name: "download" }).first().click(),
        ]);
        assert.deepEqual(await Deno.readFile(await saved.path()), await Deno.readFile(file));
        const text = await output.innerText();
        assert.match(text, /kept\n100%\n/);
        assert.ok(!text.includes("\u001b") && text.includes("characters)"));
        assert.ok(!(await page.title()).includes("evil"));
        assert.deepEqual(await broken(page), []);
        assert.deepEqual(errors, []);
      });
    });
  },
);

needTest("dashboard: who may look finds nothing to press, and a logout ends it", whyNot, async () => {
  await withDashboard(async ({ url, manager, end }) => {
    await manager.ok("queue", "create", "a");
    await manager.ok("queue", "add", "a", "--name=job1", "--command=true");
    await manager.ok("queue", "create", "b", "--experiment=other");
    await withPage(url, async (page, { errors }) => {
      await page.goto(`${url}/`);
      assert.deepEqual(await broken(page), []);
      await logIn(page, url, "eve", "blue berry");
      await page.getByRole("link", { name: "job1" }).waitFor();
      for (const name of ["Run…", "Pause", "new queue"]) {
        assert.equal(await page.getByRole("button", { name }).count(), 0);
      }
      await page.getByRole("link", { name: "job1" }).click();
      await page.getByRole("heading", { name: "job1" }).waitFor();
      assert.equal(await page.getByRole("button", { name: "Hold" }).count(), 0);
      const pause = () => fetch("queue/a/pause", { method: "PUT", headers: { "X-Requested-With": "page" } });
      assert.equal(await page.evaluate(async (ask) => (await eval(`(${ask})`)()).status, String(pause)), 403);
      await page.getByLabel("Queue").selectOption({ label: "b" });
      await page.getByText("No jobs").waitFor();
      assert.match(page.url(), /#\/b\/jobs\?in=other/);
      await page.getByRole("button", { name: "log out" }).click();
      await page.getByRole("button", { name: "Log in" }).waitFor();
      await page.reload();
      await page.getByRole("button", { name: "Log in" }).waitFor();
      assert.deepEqual(errors.filter((text) => !text.includes("403")), []);
      // What is shown when nobody answers any more is said to be old.
      await logIn(page, url, "eve", "blue berry");
      await page.getByText("1 waiting").waitFor();
      await end();
      await page.getByRole("alert").getByText(/What is shown is of [0-9]/).waitFor();
      assert.ok(await page.getByText("1 waiting").isVisible());
    });
  });
});

needTest(
  "dashboard: what earlier tries of a job wrote is opened by keys, sent as an address, and kept",
  whyNot,
  async () => {
    await withDashboard(async ({ url, manager }) => {
      await manager.ok("queue", "create", "a");
      // More than is shown first.
      const command = "seq -f 'try '$CMS_TRY' step %.0f' 9000; echo wrong $CMS_TRY >&2; exit $((3 - $CMS_TRY))";
      const options = ["--user=pi", "--retries=2", "--retry-delay=1s", `--command=${command}`];
      await manager.ok("queue", "add", "a", "--name=job1", "--host=localhost", ...options);
      await manager.ok("queue", "run", "fifo", "a", "--max_parallel=1");
      await withPage(url, async (page, { errors }) => {
        await logIn(page, url, "eve", "blue berry");
        await page.getByRole("link", { name: "job1" }).click();
        const tries = page.locator(".tries li");
        await tries.nth(2).waitFor();
        assert.deepEqual(
          (await tries.locator("> span").allInnerTexts()).map((text) => text.replace(/\d\d:\d\d:\d\d|[0-9.]+ s/g, "#")),
          [1, 2, 3].map((n) =>
            `Try ${n} on pi@localhost: began #, #, ${n === 3 ? "ended well" : `exit code ${3 - n}`}, ended #`
          ),
        );
        const shown = (title: string) => page.locator(`pre[aria-label='${title}']`);
        for (
          const [name, text] of [["output", "try 1 step 9000"], ["errors", "wrong 1"], ["log", "state: end"]] as const
        ) {
          const button = page.getByRole("button", { name: `${name} of try 1` });
          assert.equal(await button.getAttribute("aria-expanded"), "false");
          await button.focus();
          await page.keyboard.press("Enter");
          await shown(`${name[0]!.toUpperCase()}${name.slice(1)} of try 1`).getByText(text).waitFor();
          assert.equal(await button.getAttribute("aria-expanded"), "true");
        }
        assert.deepEqual(await broken(page), []);
        await picture(page, "earlier");
        // A colleague sees the same.
        await page.reload();
        const output = shown("Output of try 1");
        await output.getByText("try 1 step 9000").waitFor();
        assert.ok(!(await output.innerText()).includes("try 1 step 1\n"));
        const section = page.locator("section", { has: output }).last();
        const [saved] = await Promise.all([
          page.waitForEvent("download"),
          section.getByRole("button", { name: "download" }).click(),
        ]);
        const lines = (await Deno.readTextFile(await saved.path())).split("\n");
        assert.deepEqual([lines.length, lines[0], lines[8999]], [9001, "try 1 step 1", "try 1 step 9000"]);
        await section.getByRole("button", { name: "more" }).click();
        await waitUntil("all of it", async () => (await output.innerText()).startsWith("try 1 step 1\n"));
        assert.equal(await section.getByRole("button", { name: "more" }).count(), 0);
        await page.getByRole("button", { name: "output of try 1" }).press("Space");
        await waitUntil("it is closed", async () => await output.count() === 0);
        await page.getByRole("button", { name: "errors of try 2" }).click();
        await shown("Errors of try 2").getByText("wrong 2").waitFor();
        await shown("Errors").getByText("wrong 3").waitFor();
        await Deno.remove(`${manager.dir}/experiment/job1/job1.out.2`);
        await page.getByRole("button", { name: "output of try 2" }).click();
        await page.getByRole("alert").getByText("Job job1 has no output on its host").waitFor();
        assert.deepEqual(errors.filter((text) => !text.includes("404")), []);
      });
    });
  },
);
