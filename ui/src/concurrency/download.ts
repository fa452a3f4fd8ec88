/** Hands a file to the browser to save. */
export function download(content: Blob, name: string) {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // Firefox reads the URL after the click has returned.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** "tasktide-nightly-run-2022-05-13T03-02-00": safe on every file system. */
export function fileStem(workflowName: string, fromMs: number): string {
  const name = workflowName.replace(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 80);
  const from = new Date(fromMs).toISOString().slice(0, 19).replaceAll(":", "-");
  return `tasktide-${name}-${from}`;
}
