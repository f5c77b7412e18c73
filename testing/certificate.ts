/**
 * A certificate that signs itself, made with openssl.
 *
 * @module
 */

/** A certificate and its key in PEM, for a name and for 127.0.0.1, good for two days. */
export async function certificateFor(name: string): Promise<{ cert: string; key: string }> {
  const directory = await Deno.makeTempDir({ prefix: "cms-certificate-" });
  try {
    const { success, stderr } = await new Deno.Command("openssl", {
      args: [
        ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout key -out cert".split(" "),
        "-subj",
        `/CN=${name}`,
        "-addext",
        `subjectAltName=DNS:${name},IP:127.0.0.1`,
        "-addext",
        "basicConstraints=critical,CA:FALSE",
      ],
      cwd: directory,
    }).output();
    if (!success) throw new Error(`Cannot make a certificate: ${new TextDecoder().decode(stderr)}`);
    return {
      cert: await Deno.readTextFile(`${directory}/cert`),
      key: await Deno.readTextFile(`${directory}/key`),
    };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
