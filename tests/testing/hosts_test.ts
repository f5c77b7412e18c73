import assert from "node:assert/strict";
import { makeHosts, type TestHost, type TestHosts, whyNoHosts } from "../../testing/hosts.ts";
import { findRigs } from "../../testing/hosts/leftovers.ts";
import { type Outcome, outcomeOf } from "../../testing/hosts/shell.ts";
import { hostTest, needTest } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";

const whyNot = await whyNoHosts();

function ssh(hosts: TestHosts, name: string, command: string): Promise<Outcome> {
  return outcomeOf([...(hosts.env.CMS_SSH ?? "").split(" "), "-o", "ConnectTimeout=2", `pi@${name}`, command]);
}

/** Start time of process 1, as the host sees it. */
async function bootOf(host: TestHost): Promise<string | undefined> {
  return (await host.run("cat /proc/1/stat")).stdout.split(" ")[21];
}

/** What belongs to the rigs of a process: directories, network devices, processes. */
async function leftoversOf(directory: string): Promise<{ devices: string; processes: string; rigs: string[] }> {
  const devices = (await outcomeOf(["ip", "-o", "link"])).stdout;
  const processes = (await outcomeOf(["ps", "-eo", "pid,args"])).stdout;
  const mine = (text: string, mark: string) => text.split("\n").filter((line) => line.includes(mark)).join("\n");
  const id = directory.slice(-6);
  return {
    devices: mine(devices, `cmsr${id}`),
    processes: mine(processes, directory),
    rigs: findRigs("all").filter((rig) => rig === directory),
  };
}

const nothing = { devices: "", processes: "", rigs: [] };

needTest("makeHosts() gives each host a name, a home and a /tmp of its own", whyNot, async () => {
  await using hosts = await makeHosts(["red", "red01", "red02"]);
  for (const name of ["red", "red01", "red02"]) {
    const { code, stdout, stderr } = await ssh(
      hosts,
      name,
      "hostname; pwd; id -un; hostname >mine; hostname >/tmp/mine",
    );
    assert.deepEqual([code, stdout, stderr], [0, `${name}\n/home/pi\npi\n`, ""]);
  }
  for (const [name, host] of hosts.hosts) {
    assert.equal(await Deno.readTextFile(`${host.home}/mine`), `${name}\n`);
    assert.equal((await host.run("cat /tmp/mine; ls -A")).stdout, `${name}\n.ssh\nmine\n`);
    assert.equal((await host.run("id -un; hostname", { user: "root" })).stdout, `root\n${name}\n`);
  }
});

hostTest("process 1 of a test host reaps what is left without a parent", async (hosts) => {
  const red = hosts.host("red");
  await red.run("(sh -c 'sleep 0.05' & echo $! >orphan)");
  await waitUntil("the end of the orphan", async () => (await red.run("! [ -e /proc/$(cat orphan) ]")).code === 0);
});

hostTest("crash() ends every process and boot() starts the host anew on the same disk", async (hosts) => {
  const red = hosts.host("red");
  const before = await bootOf(red);
  await red.run("echo kept >file; setsid sleep 1000 >/dev/null 2>&1 & echo $! >pid");
  assert.equal((await red.run("kill -0 $(cat pid)")).code, 0);

  await red.crash();
  await assert.rejects(red.run("true"), /Cannot run a command on "red": it is down/);
  assert.equal((await ssh(hosts, "red", "true")).code, 255);
  assert.equal((await ssh(hosts, "red01", "true")).code, 0);

  await red.boot();
  assert.equal((await ssh(hosts, "red", "cat file")).stdout, "kept\n");
  assert.equal((await red.run("ps -e -o comm | grep -c sleep")).stdout, "0\n");
  assert.match(before ?? "", /^\d+$/);
  assert.notEqual(await bootOf(red), before);
});

hostTest("crash() says no goodbye on open connections and boot() breaks them", async (hosts) => {
  const red = hosts.host("red");
  const connection = await Deno.connect({ hostname: red.address, port: 22 });
  const read = () => connection.read(new Uint8Array(256)).then((count) => count ?? "end", (error) => error.name);
  assert.equal(typeof await read(), "number");

  let outcome: string | number | null = null;
  const next = read().then((value) => outcome = value);
  await red.crash();
  // What the machine had to say it has said by now: its network end is gone.
  assert.equal(outcome, null);

  await red.boot();
  // The new boot does not know the connection.
  await connection.write(new TextEncoder().encode("hello\r\n"));
  await next;
  connection.close();
  assert.equal(outcome, "ConnectionReset");
});

hostTest("cut() makes ssh fail while run() works, mend() makes it work again", async (hosts) => {
  const red = hosts.host("red");
  await red.cut();
  assert.equal((await ssh(hosts, "red", "true")).code, 255);
  assert.equal((await red.run("hostname")).stdout, "red\n");
  await red.mend();
  assert.equal((await ssh(hosts, "red", "hostname")).stdout, "red\n");
});

hostTest("boot() of a host whose link is cut leaves it cut", async (hosts) => {
  const red = hosts.host("red");
  await red.cut();
  await red.crash();
  await red.boot();
  assert.equal((await ssh(hosts, "red", "true")).code, 255);
  await red.mend();
  assert.equal((await ssh(hosts, "red", "true")).code, 0);
});

hostTest("reset() ends pi's processes and empties the home and /tmp, also of a host that is down", async (hosts) => {
  const red = hosts.host("red");
  await red.run(
    "mkdir -p a/b; echo x >a/b/c; echo x >/tmp/d; echo >.ssh/authorized_keys; setsid sleep 1000 >/dev/null 2>&1 &",
  );
  await hosts.host("red01").crash();
  await hosts.host("red02").cut();
  await hosts.reset();
  assert.equal(
    (await red.run("ls -A . .ssh /tmp; ps -u pi -o comm= | grep sleep")).stdout,
    ".:\n.ssh\n\n.ssh:\nauthorized_keys\n\n/tmp:\n",
  );
  for (const name of hosts.hosts.keys()) assert.equal((await ssh(hosts, name, "hostname")).stdout, `${name}\n`);
});

needTest("makeHosts() honours the login shell and sshd's options", whyNot, async () => {
  await using hosts = await makeHosts(["red"], {
    loginShell: "/bin/bash",
    sshdOptions: ["PermitTTY no"],
    maxStartups: "7",
  });
  assert.equal((await ssh(hosts, "red", "echo $SHELL ${BASH_VERSION%%.*}")).stdout.split(" ")[0], "/bin/bash");
  const config = await hosts.host("red").run("sshd -T -f /run/sshd/sshd_config", { user: "root" });
  assert.match(config.stdout, /^permittty no$/m);
  assert.match(config.stdout, /^maxstartups 7:30:7$/m);
});

needTest(
  "makeHosts() with a shared home gives all hosts one home, from which they reach each other",
  whyNot,
  async () => {
    await using hosts = await makeHosts(["red", "red01"], { sharedHome: true });
    const [red, red01] = [hosts.host("red"), hosts.host("red01")];
    assert.equal(red.home, red01.home);
    assert.equal((await ssh(hosts, "red", "hostname; hostname >mine; hostname >/tmp/mine")).stdout, "red\n");
    assert.equal(
      (await ssh(hosts, "red01", "hostname; cat mine; ls /tmp; ssh red hostname")).stdout,
      "red01\nred\nred\n",
    );
    await red01.run("setsid sleep 1000 >/dev/null 2>&1 &");
    await hosts.reset();
    assert.equal((await red.run("ls -A")).stdout, ".ssh\n");
    assert.equal((await red01.run("ps -u pi -o comm= | grep sleep; ssh red hostname")).stdout, "red\n");
  },
);

hostTest("command() runs a program inside, and its end by KILL is the end of the program", async (hosts) => {
  const red = hosts.host("red");
  const [program, ...args] = red.command(["sh", "-c", "cd /home/pi; id -un; hostname; echo $$ >pid; exec sleep 1000"]);
  const child = new Deno.Command(program ?? "", { args, stdout: "piped" }).spawn();
  await waitUntil("the program", async () => (await red.run("[ -s pid ] && kill -0 $(cat pid)")).code === 0);
  child.kill("SIGKILL");
  await waitUntil("its end", async () => (await red.run("! kill -0 $(cat pid)")).code === 0);
  assert.equal(new TextDecoder().decode((await child.output()).stdout), "pi\nred\n");
});

needTest("disposing leaves no process, device or directory", whyNot, async () => {
  const hosts = await makeHosts(["red", "red01"]);
  const directory = hosts.sshConfig.replace("/ssh_config", "");
  await hosts.host("red").run("setsid sleep 1000 >/dev/null 2>&1 &");
  const during = await leftoversOf(directory);
  assert.notEqual(during.devices, "");
  assert.notEqual(during.processes, "");
  await hosts[Symbol.asyncDispose]();
  assert.deepEqual(await leftoversOf(directory), nothing);
});

needTest("a killed test process takes its hosts with it and the next rig clears up the rest", whyNot, async () => {
  const script = `import { makeHosts } from ${JSON.stringify(new URL("../../testing/hosts.ts", import.meta.url).href)};
const hosts = await makeHosts(["red"]);
await hosts.host("red").run("setsid sleep 1000 >/dev/null 2>&1 &");
console.log(hosts.sshConfig);
setInterval(() => {}, 1000);`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "data:application/typescript," + encodeURIComponent(script)],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const directory = ((await reader.read()).value ?? "").trim().replace("/ssh_config", "");
  assert.match(directory, /cms-rig-/);
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();
  await waitUntil("the end of the host's processes", async () => (await leftoversOf(directory)).processes === "");
  await using _next = await makeHosts(["red"]);
  assert.deepEqual(await leftoversOf(directory), nothing);
});
