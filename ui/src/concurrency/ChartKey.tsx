import Box from "@mui/material/Box";
import { comparedColour, limitColour } from "../charts/figure";
import type { Mode } from "../charts/palette";
import type { Chart } from "./model";
import type { View } from "./view";

interface Props {
  chart: Chart | null;
  view: View;
  /** What the total is of. */
  what: string;
  /** The other run that is drawn, if one is. */
  compared: string | null;
  mode: Mode;
}

/** What each line and area is, in words. */
export function ChartKey({ chart, view, what, compared, mode }: Props) {
  const counted = view.status === "RUNNING" ? "" : ` in ${view.status}`;
  const has = (kind: string) => chart?.lines.some((line) => line.kind === kind) === true;
  return (
    <Box
      sx={{
        display: "flex",
        flexWrap: "wrap",
        columnGap: 2.5,
        typography: "caption",
        color: "text.secondary",
      }}
    >
      <Entry line="solid" colour="text.primary">
        Line: peak of {what}
        {counted} in each bucket
      </Entry>
      {has("mean") && (
        <Entry line="solid" width={3} colour="text.primary">
          Thick line: {view.stat === "start" ? "at each bucket’s start" : "mean"}
        </Entry>
      )}
      {view.form !== "total" && (
        <span>
          {view.stat === "peak" ? "Lines" : "Areas"}: {areaWords(view)} of each template
        </span>
      )}
      {has("active") && (
        <Entry line="dotted" colour="text.primary">
          Peak of ACTIVE
        </Entry>
      )}
      {chart?.limit != null && (
        <Entry line="dashed" colour={limitColour[mode]}>
          {chart.limit.label}
          {chart.limit.above ? ", above what is drawn" : ", which holds for ACTIVE"}
        </Entry>
      )}
      {compared !== null && (
        <Entry line="dashed" colour={comparedColour[mode]}>
          Peak of {compared}, from its own start
        </Entry>
      )}
    </Box>
  );
}

function areaWords({ stat }: View): string {
  return stat === "mean" ? "mean" : stat === "peak" ? "peak" : "number at the bucket’s start";
}

interface EntryProps {
  line: "solid" | "dashed" | "dotted";
  colour: string;
  width?: number;
  children: React.ReactNode;
}

function Entry({ line, colour, width = 2, children }: EntryProps) {
  return (
    <span>
      <Box
        component="span"
        sx={{
          display: "inline-block",
          width: 20,
          mr: 1,
          verticalAlign: "middle",
          borderTopStyle: line,
          borderTopWidth: width,
          borderColor: colour,
        }}
      />
      {children}
    </span>
  );
}
