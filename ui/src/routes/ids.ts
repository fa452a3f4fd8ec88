/** Whether a text of an address may be the id of a workflow or a task: what is not need not be asked for. */
export function isId(text: string): boolean {
  return /^[1-9]\d{0,15}$/.test(text);
}
