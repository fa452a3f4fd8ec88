import Tooltip from "@mui/material/Tooltip";
import { useTheme } from "@mui/material/styles";
import { stepPath, summarize } from "../charts/sparkline";
import { formatNumber, formatSpan } from "../format";

interface Props {
  /** The most at any instant of each half hour; null where it is not known. */
  values: readonly (number | null)[];
  /** An instant of the last half hour, as the API writes it. */
  now: string;
  width: number;
}

const height = 28;
const stroke = 1.5;

/** The last 24 hours in half hours, and in words what it shows. */
export function Sparkline({ values, now, width }: Props) {
  const { palette } = useTheme();
  const summary = summarize(values, Date.parse(now));
  if (summary === null) return <>–</>;
  const { max, from, to } = summary;
  const words =
    max === 0
      ? "Nothing ran in the last 24 hours"
      : `At most ${formatNumber(max)} ran at once, within ${formatSpan(from, to)}`;
  const path = stepPath(values, max, width, height - 2 * stroke);
  return (
    <Tooltip title={words}>
      <svg
        role="img"
        aria-label={words}
        width={width}
        height={height}
        viewBox={`0 ${-stroke} ${width} ${height}`}
        style={{ display: "block" }}
      >
        <path
          d={path}
          fill="none"
          stroke={max === 0 ? palette.text.disabled : palette.primary.main}
          strokeWidth={stroke}
        />
      </svg>
    </Tooltip>
  );
}
