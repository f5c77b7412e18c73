import { simulate } from "../../src/simulation/simulate.ts";
import { Stager } from "../../src/simulation/copy_inputs.ts";
import { turn } from "../../testing/turn.ts";
import { patch } from "./patch.ts";
const end = Date.now() + 400_000;
for (let seed = Number(Deno.args[0]); Date.now() < end; seed++) {
  const mend = patch(Stager.prototype, "isOfAgent", () => () => true);
  const { violation } = await simulate(seed, Deno.args[1] === "small" ? { hosts: 3, jobs: 12, steps: 25 } : {}, { turn });
  mend();
  if (violation !== null) { console.log(seed, violation); const w = await simulate(seed, Deno.args[1] === "small" ? { hosts: 3, jobs: 12, steps: 25 } : {}, { turn }); console.log(w.violation); break; }
}
