/**
 * The transport to the manager's own machine: the same agent under a local `sh`, no ssh.
 *
 * @module
 */

import { oneLine } from "./ssh.ts";
import { noSender, shellEnded, type Transport } from "./transport.ts";

/**
 * Starts a shell as ssh would: without the files that the caller of `cms` has open (jobs would hold a lock of its),
 * without the signals that it ignores (`nohup`), without the credentials of the service. dash has no words for
 * descriptors above 9, and leaves them to bash.
 */
const PLAIN_START = `unset CMS_USER CMS_PASSWORD CMS_SELF CMS_CALLED_AS
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
high= ignored=
for fd in /proc/self/fd/??*; do [ ! -e "$fd" ] || high="$high \${fd##*/}>&-"; done
while read -r name value; do [ "$name" != SigIgn: ] || ignored=\${value#????????}; done </proc/self/status
if [ $((0x0$ignored & 0x7fffffff)) -ne 0 ] && env --default-signal true 2>/dev/null; then
  set -- env --default-signal "$@"
fi
if [ -z "$high" ]; then exec "$@"; fi
if (eval "exec $high") 2>/dev/null; then eval "exec $high"; elif command -v bash >/dev/null; then
  exec bash -c "exec $high \\"\\$@\\"" bash "$@"
fi
exec "$@"`;

/** The transport to this machine itself. @param command The shell. */
export function localTransport(command: readonly string[], sender: Transport["sender"] = noSender): Transport {
  return {
    command: ["sh", "-c", PLAIN_START, "sh", ...command],
    explain: (noise, code) => ({ reason: shellEnded(code, oneLine(noise)), lasting: false }),
    // The directories of manager and host are the same.
    stage: () => Promise.resolve({ isSame: true, failed: new Map() }),
    sender,
  };
}
