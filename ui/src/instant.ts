/** Instants as a person writes them. */

const shape = /^(\d{4}-\d{2}-\d{2})(?:[T ]+(\d{2}:\d{2})(:\d{2})?(\.\d{1,6})?)?\s*(?:Z|UTC)?$/i;

/**
 * Reads "2022-05-13 03:24:14.803", where all after the day may be left out from the end, as an
 * instant of the API, "2022-05-13T03:24:14.803Z"; null where it is none. It is UTC, said or not.
 */
export function parseInstant(text: string): string | null {
  const match = shape.exec(text.trim());
  if (match === null) return null;
  const [, day, minutes = "00:00", seconds = ":00", fraction = ""] = match;
  // A day that no month has would be taken for one of the next month.
  const at = new Date(`${day}T${minutes}${seconds}Z`);
  if (Number.isNaN(at.getTime()) || at.toISOString().slice(0, 10) !== day) return null;
  return `${day}T${minutes}${seconds}${fraction}Z`;
}
