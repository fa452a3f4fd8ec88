/** Numbers and times as the page writes them. Every time is UTC. */

import dayjs from "dayjs";
import utc from "dayjs/plugin/utc";

dayjs.extend(utc);

const numbers = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });
const percents = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });

/** With every digit that the API sends. */
export function formatNumber(value: number): string {
  return numbers.format(value);
}

export function formatShare(share: number): string {
  return share > 0 && share < 0.001 ? "<0.1%" : percents.format(share);
}

/** "2022-05-13 03:24:14.803 UTC": an instant of the API with every digit that is not zero. */
export function formatInstant(instant: string): string {
  const fraction = /\.(\d+)/.exec(instant)?.[1].replace(/0+$/, "") ?? "";
  return `${formatTime(Date.parse(instant))}${fraction && `.${fraction}`} UTC`;
}

/** "2022-05-13 03:24:14", from milliseconds since the epoch, without the zone. */
export function formatTime(ms: number): string {
  return dayjs.utc(ms).format("YYYY-MM-DD HH:mm:ss");
}

/** "2022-05-13 03:24:00 – 03:25:00 UTC"; the day is said twice only where it changes. */
export function formatSpan(from: number, to: number): string {
  const start = formatTime(from);
  const end = formatTime(to);
  return `${start} – ${start.slice(0, 10) === end.slice(0, 10) ? end.slice(11) : end} UTC`;
}

const units = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
] as const;

/** "42 min 14 s": the two largest units that are not zero. */
export function formatDuration(seconds: number): string {
  let rest = Math.round(seconds);
  const parts: string[] = [];
  for (const [unit, size] of units) {
    const n = Math.floor(rest / size);
    if (n > 0) parts.push(`${formatNumber(n)} ${unit}`);
    else if (parts.length > 0) break;
    rest -= n * size;
  }
  return parts.slice(0, 2).join(" ") || "0 s";
}

const fewDigits = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

/** As formatDuration, but with three digits where that would round a short time: "0.25 s", "42.5 s". */
export function formatElapsed(seconds: number): string {
  return seconds < 59.95 ? `${fewDigits.format(seconds)} s` : formatDuration(seconds);
}
