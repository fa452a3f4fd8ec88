/**
 * The path below which browsers see the page and its API, from slash to slash, such as "/" or
 * "/tasktide/". The server writes it into index.html.
 */
export function basePathOf(page: Document): string {
  const content = page.querySelector<HTMLMetaElement>('meta[name="base-path"]')?.content ?? "";
  // Vite's own server leaves "./" there, and serves from the root.
  return new URL(content, "http://root/").pathname;
}

export const basePath = basePathOf(document);
