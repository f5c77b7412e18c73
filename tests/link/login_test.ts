/**
 * What a person is told of logins that lead nowhere, and the ways of naming a host that work: with real sshd and ssh.
 */

import assert from "node:assert/strict";
import { parseMachine } from "../../src/cluster/machine.ts";
import { type Deps } from "../../src/deps.ts";
import { realDeps } from "../../src/deps_real.ts";
import { LinkError } from "../../src/errors.ts";
import { makeConnect } from "../../src/link/connect.ts";
import type { Link } from "../../src/link/link.ts";
import { makeHosts, type TestHosts, whyNoHosts } from "../../testing/hosts.ts";
import { must } from "../../testing/hosts/shell.ts";
import { needTest, whyNoPrograms } from "../../testing/need.ts";
import { QUEUE_ID } from "../agent/support.ts";

/** Opens a link with further options of ssh. */
function open(
  hosts: TestHosts,
  machine: string,
  { ssh = [], directory = "experiment", helloMs = 30_000 }: {
    ssh?: string[];
    directory?: string;
    helloMs?: number;
  } = {},
): Promise<Link> {
  const real = realDeps();
  const command = [hosts.env["CMS_SSH"], ...ssh].join(" ");
  const environment = Object.create(real.environment, {
    get: { value: (name: string) => name === "CMS_SSH" ? command : real.environment.get(name) },
  });
  const deps: Deps = { ...real, environment };
  const options = { directory, queueId: QUEUE_ID, role: "resident", onEvent: () => {} } as const;
  return makeConnect(deps, { times: { helloMs } })(parseMachine(machine), options);
}

async function reasonOf(link: Promise<Link>): Promise<string> {
  const error = await link.then((link) => link.close().then(() => assert.fail("connected")), (error) => error);
  assert.ok(error instanceof LinkError, String(error));
  return error.reason;
}

const whyNot = await whyNoHosts() ?? whyNoPrograms("bash", "fish");

needTest("a login that leads to no shell is told with its last words, and where to look", whyNot, async () => {
  await using hosts = await makeHosts(["blue"], { loginShell: "/bin/bash" });
  const blue = hosts.host("blue");
  const bashrc = (text: string) => Deno.writeTextFile(`${blue.home}/.bashrc`, text);
  const where = /look at its login shell, and at what \.bashrc/;

  await bashrc("read -p 'Which module? ' module\n");
  const eaten = await reasonOf(open(hosts, "pi@blue"));
  assert.match(eaten, /^something there reads what is sent to its shell/);
  assert.match(eaten, where);

  await bashrc("echo 'Which module?'; cat >/dev/null\n");
  const silent = await reasonOf(open(hosts, "pi@blue", { helloMs: 1000 }));
  assert.match(silent, /^no answer within 1 s; the last that came: Which module\?/);
  assert.match(silent, where);

  await bashrc("exec fish\n");
  const fish = await reasonOf(open(hosts, "pi@blue", { helloMs: 1000 }));
  assert.match(fish, /^no answer within 1 s; the last that came: .*[a-z]{2}/);
  assert.match(fish, where);

  await bashrc("echo 'Closed for repairs'; exit 1\n");
  assert.match(await reasonOf(open(hosts, "pi@blue")), /^its shell ended with 1: Closed for repairs \(look at/);
  await Deno.remove(`${blue.home}/.bashrc`);

  const shell = (path: string) =>
    blue.run(`sed '/^pi:/s#:[^:]*$#:${path}#' /etc/passwd >/tmp/p && cat /tmp/p >/etc/passwd`, { user: "root" });
  assert.equal((await shell("/usr/sbin/nologin")).code, 0);
  assert.match(
    await reasonOf(open(hosts, "pi@blue")),
    /ended with 1: This account is currently not available\. \(look/,
  );
  await shell("/bin/bash");

  // An alias whose key stands under the address.
  const known = await Deno.makeTempFile();
  await Deno.writeTextFile(known, `${blue.address} ${await keyOf(known)}\n`);
  const strict = ["-oStrictHostKeyChecking=yes", `-oUserKnownHostsFile=${known}`];
  const changed = await reasonOf(open(hosts, "pi@blue", { ssh: strict }));
  assert.match(changed, /^its host key has changed \(Offending ED25519 key in \S+:1\); if that is right, /);
  assert.ok(changed.includes(known), changed);
  assert.doesNotMatch(changed, /-R blue/);

  // Its public half is let in; nobody can open the private one.
  const locked = await Deno.makeTempDir();
  await must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", `${locked}/id`]);
  await Deno.writeTextFile(`${blue.home}/.ssh/authorized_keys`, await Deno.readTextFile(`${locked}/id.pub`));
  const denied = await reasonOf(open(hosts, "pi@blue", { ssh: [`-i${locked}/id`, "-oIdentityAgent=none"] }));
  assert.match(denied, /^permission denied; .*ssh-add for a key with a pass phrase/);
  await Deno.remove(locked, { recursive: true });
  await Deno.remove(known);
});

/** Another host key than that of the rig. */
async function keyOf(path: string): Promise<string> {
  await must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", `${path}.key`]);
  const text = (await Deno.readTextFile(`${path}.key.pub`)).split(" ").slice(0, 2).join(" ");
  for (const end of [".key", ".key.pub"]) await Deno.remove(`${path}${end}`);
  return text;
}

needTest("an experiment directory of somebody else is told as that, with its owner", whyNot, async () => {
  await using hosts = await makeHosts(["blue"]);
  const blue = hosts.host("blue");
  const root = async (script: string) => assert.equal((await blue.run(script, { user: "root" })).code, 0);
  const directory = "/home/pi/both";
  await root(`mkdir -p ${directory}/.cms; chmod 755 ${directory}`);
  assert.match(
    await reasonOf(open(hosts, "pi@blue", { directory })),
    /^cannot make \S+: Permission denied \(\/home\/pi\/both\/\.cms belongs to root\)$/,
  );
  await root(`chown -R pi ${directory}`);
  await (await open(hosts, "pi@blue", { directory })).close();
  await root(`chown -R root ${directory}`);
  const reason = await reasonOf(open(hosts, "pi@blue", { directory }));
  assert.match(reason, /^cannot write in \S+: Permission denied \(\S+ belongs to root\)$/);
});

needTest("users and addresses are taken as ssh takes them", whyNot, async () => {
  await using hosts = await makeHosts(["blue"]);
  const blue = hosts.host("blue");
  const users = await blue.run(
    "grep ^pi: /etc/passwd | sed 's/^pi:x/john@corp.example:*/' >>/etc/passwd",
    { user: "root" },
  );
  assert.equal(users.code, 0, users.stderr);
  const john = await open(hosts, "john@corp.example@blue");
  assert.equal(john.hostname, "blue");
  await john.close();

  const route = await must(["ip", "-o", "route", "get", blue.address]);
  const [, device = ""] = /dev (\S+)/.exec(route) ?? [];
  await must(["ip", "-6", "addr", "add", "fe80::1/64", "dev", device, "nodad"]).catch(() => {});
  const { stdout } = await blue.run("ip -6 -o addr show dev eth0 scope link");
  const [, address] = /inet6 (fe80[^/ ]*)/.exec(stdout) ?? [];
  if (address === undefined) return; // This machine has no IPv6.
  for (const name of [`[${address}%${device}]`, `${address}%${device}`]) {
    const link = await open(hosts, `pi@${name}`);
    assert.equal(link.hostname, "blue");
    await link.close();
  }
  const link = await openAt(hosts, `${address}%${device}`);
  assert.equal(link.hostname, "blue");
  await link.close();
});

/** By the address of a cluster's entry. */
function openAt(hosts: TestHosts, address: string): Promise<Link> {
  const real = realDeps();
  const get = (name: string) => name === "CMS_SSH" ? hosts.env["CMS_SSH"] : real.environment.get(name);
  const deps: Deps = { ...real, environment: Object.create(real.environment, { get: { value: get } }) };
  const options = { directory: "experiment", queueId: QUEUE_ID, role: "resident", onEvent: () => {} } as const;
  return makeConnect(deps)({ user: "pi", name: "nosuch.invalid", address }, options);
}
