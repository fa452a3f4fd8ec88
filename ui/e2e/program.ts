import { spawn } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";

export interface Program {
  /** What it said that was waited for. */
  said: string;
  /** All that it has said up to now. */
  output: () => string;
  /** Ends it, and waits until it has ended. */
  stop: () => Promise<void>;
}

/** Starts a program, and waits until it says that it is ready, where it says so. */
export async function start(
  path: string,
  args: readonly string[],
  ready: RegExp | null,
  env: NodeJS.ProcessEnv = {},
): Promise<Program> {
  const program = spawn(path, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  const exited = new Promise<void>((done) => program.once("exit", () => done()));
  let output = "";
  const said = await new Promise<string>((found, failed) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const match = ready?.exec(output);
      if (match) found(match[0]);
    };
    program.stdout.on("data", read);
    program.stderr.on("data", read);
    if (ready === null) program.once("spawn", () => found(""));
    program.once("error", ({ message }) =>
      failed(new Error(`${message}. "scripts/setup.sh browser" installs what is missing.`)),
    );
    program.once("exit", (code) =>
      failed(new Error(`${path} ended with ${String(code)}: ${output}`)),
    );
  });
  return {
    said,
    output: () => output,
    stop: async () => {
      program.kill("SIGTERM");
      await exited;
    },
  };
}

/** For a program that must be told its port. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
