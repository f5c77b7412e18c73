import assert from "node:assert/strict";
import type { Environment } from "../../src/deps.ts";
import { explainSsh, oneLine, sshCommand } from "../../src/link/ssh.ts";

function environment(ssh?: string): Environment {
  const get = (name: string) => name === "CMS_SSH" ? ssh : undefined;
  return { get, cwd: () => "/", user: () => "me", hostname: () => "here", pid: 1 };
}

const RED = { user: "pi", name: "red", address: null };

Deno.test("sshCommand() ends the options before the name, and gives user and address", () => {
  const command = sshCommand(environment(), { user: "pi", name: "red", address: "10.0.0.1" }, "exec sh");
  assert.deepEqual(command.slice(0, 2), ["ssh", "-T"]);
  assert.deepEqual(command.slice(-7), ["-o", "HostName=10.0.0.1", "-l", "pi", "--", "red", "exec sh"]);
  assert.ok(command.includes("BatchMode=yes") && command.includes("ControlPath=none"));
});

Deno.test("sshCommand() keeps the scope of an address from ssh's tokens", () => {
  const command = sshCommand(environment(), { user: "", name: "node", address: "[fe80::1%br-lan]" }, "exec sh");
  assert.ok(command.includes("HostName=fe80::1%%br-lan"), command.join(" "));
});

Deno.test("explainSsh() says of a changed host key which line it is, and how to remove it", () => {
  const noise = `@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
Offending ED25519 key in /home/me/.ssh/known_hosts:12
  remove with:
  ssh-keygen -f "/home/me/.ssh/known_hosts" -R "10.0.0.7"
Host key verification failed.\r
`;
  assert.equal(
    explainSsh(RED, noise, 255).reason,
    "its host key has changed (Offending ED25519 key in /home/me/.ssh/known_hosts:12); if that is right, run " +
      'ssh-keygen -f "/home/me/.ssh/known_hosts" -R "10.0.0.7", then ssh pi@red once',
  );
});

Deno.test("sshCommand() leaves the user out where ssh is to choose, and the brackets of IPv6", () => {
  const command = sshCommand(
    environment(" /opt/ssh  -F /etc/x "),
    { user: "", name: "[::1]", address: null },
    "exec sh",
  );
  assert.deepEqual(command.slice(0, 4), ["/opt/ssh", "-F", "/etc/x", "-T"]);
  assert.deepEqual(command.slice(-3), ["--", "::1", "exec sh"]);
  assert.ok(!command.includes("-l"));
});

Deno.test("explainSsh() gives one reason for what ssh says, and knows which ones last", () => {
  const cases: [noise: string, reason: RegExp, lasting: boolean][] = [
    ["ssh: Could not resolve hostname red: Name or service not known\r\n", /name cannot be resolved/, false],
    ["pi@red: Permission denied (publickey,password).", /permission denied; ssh pi@red must work/, true],
    [
      "No ED25519 host key is known for red and you have requested strict checking.\nHost key verification failed.",
      /host key is not known; run ssh pi@red once/,
      true,
    ],
    [
      "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
      /^its host key has changed; if that is right, remove that line, then ssh pi@red once$/,
      true,
    ],
    ["ssh: connect to host red port 22: Connection refused", /^connection refused$/, false],
    ["ssh: connect to host red port 22: Connection timed out", /timed out/, false],
    ["ssh: connect to host red port 22: No route to host", /no route/, false],
    ["kex_exchange_identification: Connection closed by remote host", /closed the connection/, false],
    ["", /the connection was lost/, false],
  ];
  for (const [noise, reason, lasting] of cases) {
    const cause = explainSsh(RED, noise, 255);
    assert.match(cause.reason, reason);
    assert.equal(cause.lasting, lasting, noise);
  }
  assert.match(
    explainSsh(RED, "sh: not found", 127).reason,
    /^its shell ended with 127: sh: not found \(look at .*\.bashrc/,
  );
  const fish = "fish: Unknown command: c_say\n- (line 3):\n   c_say() {\n   ^~~~^\n";
  assert.match(explainSsh(RED, fish, 127).reason, /: c_say\(\) \{ \(look at/);
});

Deno.test("oneLine() takes the last line and no control characters", () => {
  assert.equal(oneLine("first\n\u001b[31mlast\u0007\r\n\n"), "[31mlast");
  assert.equal(oneLine("x".repeat(500)).length, 200);
});
