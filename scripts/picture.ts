/**
 * `deno task picture`: makes `docs/dashboard.png` anew, from the real page over test hosts, in the middle of a run.
 * Needs what the tests of the page need.
 *
 * @module
 */

import type { Page } from "playwright-core";
import { withPage } from "../testing/browser.ts";
import { Manager } from "../testing/harness.ts";
import { makeHosts, type TestHosts } from "../testing/hosts.ts";
import { waitUntil } from "../testing/wait.ts";
import { runScript, write } from "./script.ts";

const FILE = new URL("../docs/dashboard.png", import.meta.url).pathname;
const HOSTS = ["gpu01", "gpu02", "gpu03"];
/** A page is shown at some 830 pixels in a README: its words must be read there. */
const SIZE = { width: 1140, height: 790, deviceScaleFactor: 1.5, mobile: false } as const;
const LIMIT_MS = 120_000;

/** What the jobs run: takes some seconds, and one setting fails. */
const TRAIN = `#!/bin/sh
echo "$@"
case "$*" in vit*=0.1*seed=1) sleep 6; echo "CUDA out of memory" >&2; exit 1 ;; esac
sleep "$(echo "$@" | cksum | awk '{ print 5 + $1 % 11 }')"
`;

/** Makes the queue, and the hosts' cluster. */
async function makeQueue(manager: Manager, hosts: TestHosts): Promise<void> {
  await manager.ok("cluster", "create", "lab");
  for (const name of HOSTS) {
    await manager.ok("cluster", "add", "lab", `--id=${name}`, `--name=${name}`, "--user=pi", "--gpus=0-1");
    await manager.ok("cluster", "set", "lab", `--id=${name}`, "--key=max_jobs_allowed", "--value=2");
    const file = `${hosts.host(name).home}/train`;
    await Deno.writeTextFile(file, TRAIN);
    await Deno.chmod(file, 0o755);
  }
  await manager.ok("queue", "create", "training");
  const add = (name: string, ...options: string[]) =>
    manager.ok("queue", "add", "training", `--name=${name}`, "--workdir=.", ...options);
  await add("prepare", "--command=./train --prepare=data/cifar10");
  const sweep = ["--param=model=resnet,vit", "--param=lr=0.1,0.01,0.001", "--param=seed=1-2"];
  const command = "--command=./train {model} --lr={lr} --seed={seed}";
  await add("{model}-{lr}-{seed}", ...sweep, "--after=prepare", "--gpus=1", command);
  for (const model of ["resnet", "vit"]) {
    const after = `--after-any=${["0.1", "0.01", "0.001"].map((lr) => `${model}-${lr}-[1-2]`)}`;
    await add(`evaluate-${model}`, after, `--command=./train --evaluate=${model}`);
  }
  await add("report", "--after=evaluate-resnet,evaluate-vit", "--command=./train --report=results.html");
}

async function takePicture(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/`);
  await page.getByLabel("User").fill("ada");
  await page.getByLabel("Password").fill("a password");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("link", { name: "report" }).waitFor();
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setDeviceMetricsOverride", SIZE);
  const counts = page.locator(".counts");
  await waitUntil(() => "the middle of the run", async () => {
    const [, done, running] = /([0-9]+) done.*?([0-9]+) running/s.exec(await counts.innerText()) ?? [];
    return Number(done) >= 7 && Number(running) >= 4 && await page.locator(".state.failed").count() > 0;
  }, { limitMs: LIMIT_MS });
  const { data } = await session.send("Page.captureScreenshot", { format: "png" });
  await Deno.writeFile(FILE, Uint8Array.fromBase64(data));
}

async function main(): Promise<number> {
  await using hosts = await makeHosts(HOSTS);
  await using manager = await Manager.make(hosts);
  await makeQueue(manager, hosts);
  await Deno.writeTextFile(`${manager.dir}/credentials`, "ada:a password\n", { mode: 0o600 });
  const words = ["queue", "--service", "start", "--port=0", "--credentials=credentials", "--log=none"];
  const service = manager.spawn([`${manager.bin}/cms`, ...words], { limitMs: LIMIT_MS * 3 });
  await service.waitFor(/Listening on \S+,/, LIMIT_MS);
  manager.start("queue", "run", "fifo_multi", "training", "--hostfile=lab");
  const url = /Listening on (\S+),/.exec(service.text)![1]!;
  await withPage(url, (page) => takePicture(page, url));
  write(`${FILE}: ${(await Deno.stat(FILE)).size} bytes\n`);
  return 0;
}

if (import.meta.main) await runScript(main);
