/**
 * The network of a rig: a bridge with an unused subnet on the machine, and one veth pair for each boot of a host.
 *
 * The host's end lies in the host's own network namespace, which has no name and ends with the host; deleting the
 * machine's end is pulling the cable. Device names begin with `cmsr` and the rig's id, so that they can be found again.
 *
 * @module
 */

import { must, outcomeOf } from "./shell.ts";

/** A subnet for more hosts than a bridge has ports. */
const SUBNET_BITS = 22;
const THIRDS = 4;

/** The bridge of one rig. */
export class RigNetwork {
  readonly #bridge: string;
  /** First two numbers of the subnet, as `10.77`. */
  readonly #prefix: string;
  /** The third of its first address; the subnet has the next {@link THIRDS} of them. */
  readonly #third: number;
  #ends = 0;

  private constructor(bridge: string, prefix: string, third: number) {
    this.#bridge = bridge;
    this.#prefix = prefix;
    this.#third = third;
  }

  /** Makes the bridge. @param id The rig's id, six hex digits. */
  static async make(id: string): Promise<RigNetwork> {
    const used = await must(["ip", "-4", "route", "show", "table", "all"]);
    let [prefix, third] = ["", 0];
    const isUsed = (): boolean =>
      Array.from({ length: THIRDS }).some((_, i) => used.includes(`${prefix}.${third + i}.`));
    do [prefix, third] = [`10.${64 + random(190)}`, THIRDS * random(256 / THIRDS)]; while (isUsed());
    const network = new RigNetwork(`cmsr${id}`, prefix, third);
    const first = `${prefix}.${third}.1`;
    const bridge = `cmsr${id}`;
    await must(["ip", "-batch", "-"], {
      // With an address of its own the bridge does not change it whenever a host comes or goes.
      input: `link add ${bridge} address ${macOf(first)} type bridge
addr add ${first}/${SUBNET_BITS} dev ${bridge}
link set ${bridge} up
`,
    });
    return network;
  }

  /** Address of the host with a number from 0. */
  addressOf(index: number): string {
    const number = index + 10;
    return `${this.#prefix}.${this.#third + (number >> 8)}.${number & 255}`;
  }

  /**
   * Puts a new `eth0` into the namespace of process `pid`; returns the name of the machine's end. A host keeps its
   * hardware address over boots, so that nobody has to forget an old one first.
   */
  async attach(index: number, pid: number, options: { up: boolean }): Promise<string> {
    const end = `${this.#bridge}h${this.#ends++}`;
    await must(["ip", "-batch", "-"], {
      input: `link add ${end} type veth peer name eth0 address ${macOf(this.addressOf(index))} netns ${pid}
link set ${end} master ${this.#bridge} ${options.up ? "up" : "down"}
`,
    });
    return end;
  }

  /** Takes the machine's end up or down. */
  async setLink(end: string, state: "up" | "down"): Promise<void> {
    await must(["ip", "link", "set", end, state]);
  }

  /** Removes both ends. No error if they are gone. */
  async detach(end: string): Promise<void> {
    await outcomeOf(["ip", "link", "del", end]);
  }
}

function macOf(address: string): string {
  // 02: an address given out locally.
  const bytes = [2, 0, ...address.split(".").map(Number)];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

function random(below: number): number {
  return Math.floor(Math.random() * below);
}
