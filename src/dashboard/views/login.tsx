/**
 * The form that asks who it is.
 *
 * @module
 */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { logIn } from "../service.ts";

/** The form. */
export function Login(): JSX.Element {
  const [failure, setFailure] = useState("");
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    try {
      await logIn(String(data.get("user")), String(data.get("password")));
    } catch (error) {
      setFailure((error as Error).message);
      setBusy(false);
    }
  };
  return (
    <main class="login">
      <h1>Cloudmesh Queue</h1>
      <form onSubmit={(event) => void submit(event as unknown as SubmitEvent)}>
        <label>
          User <input name="user" autocomplete="username" required />
        </label>
        <label>
          Password <input name="password" type="password" autocomplete="current-password" required />
        </label>
        <button type="submit" disabled={isBusy}>Log in</button>
        <p role="alert" class="bad">{failure}</p>
      </form>
    </main>
  );
}
