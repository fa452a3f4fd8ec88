import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, vi } from "vitest";

it("asks for the API below the path at which the page is served", async () => {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const allowed = {
      "access-control-allow-origin": "*",
      "access-control-allow-headers": "traceparent",
    };
    if (request.method !== "OPTIONS") asked.push(request.url);
    response.writeHead(200, allowed).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  vi.doMock("../basePath", () => ({ basePath: `http://127.0.0.1:${port}/tasktide/` }));
  const { getJSON } = await import("./client");
  await getJSON("api/v2/workflows", { activity: true });
  server.close();
  expect(asked).toEqual(["/tasktide/api/v2/workflows?activity=true"]);
});
