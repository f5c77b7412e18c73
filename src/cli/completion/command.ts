/**
 * `cms completion SHELL` prints a script for the shell; `cms __complete WORDS...` is what that script asks at each TAB.
 *
 * @module
 */

import { Argument, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Context, examples } from "../context.ts";

/** Adds both commands. */
export function addCompletion(program: CommandUnknownOpts, context: Context): void {
  program.command("completion").description("print a completion script for a shell")
    .addArgument(new Argument("<shell>", "the shell").choices(["bash", "zsh", "fish"]))
    .addHelpText(
      "after",
      examples(
        "source <(cms completion bash)",
        "source <(cms completion zsh)",
        "cms completion fish > ~/.config/fish/completions/cms.fish",
      ),
    )
    .action(async (shell) => {
      const { SCRIPTS } = await import("./scripts.ts");
      context.io.out(SCRIPTS[shell as keyof typeof SCRIPTS]);
    });
  program.command("__complete", { hidden: true })
    .argument("[words...]")
    .allowUnknownOption().passThroughOptions().helpOption(false)
    .action(async (words) => {
      const { complete } = await import("./complete.ts");
      for (const word of await complete(program, context.deps, words)) context.lines.plain(word);
    });
}
