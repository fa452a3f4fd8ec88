import { formatInstant } from "../format";

/** An instant of the API to the microsecond, in UTC; the column or the label around it says so. */
export function Instant({ instant }: { instant: string }) {
  const words = formatInstant(instant);
  return (
    <time dateTime={instant} title={words} style={{ whiteSpace: "nowrap" }}>
      {words.replace(/ UTC$/, "")}
    </time>
  );
}
