import Box from "@mui/material/Box";
import Link from "@mui/material/Link";
import { Link as RouterLink } from "react-router";
import { comparedColour, limitColour, limitWidth } from "../charts/figure";
import { pages, type Mode } from "../charts/palette";
import { Help } from "../help/Help";
import { suspectsOf } from "../routes/workflowLinks";
import { suspectMark } from "./marks";
import type { Chart } from "./model";
import { suspectsWords } from "./suspects";
import { Swatch } from "./Swatch";
import type { View } from "./view";

interface Props {
  workflowId: number;
  chart: Chart | null;
  view: View;
  /** What the total is of. */
  what: string;
  /** The other run that is drawn, if one is. */
  compared: string | null;
  mode: Mode;
}

/** What each line and area is, in words. */
export function ChartKey({ workflowId, chart, view, what, compared, mode }: Props) {
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
          <Help about={["active"]} sx={inLine} />
        </Entry>
      )}
      {chart?.limits.map((limit) => (
        <Entry key={limit.name} line="dashed" width={limitWidth(limit)} colour={limitColour[mode]}>
          {limit.of === null ? "Limit of the workflow" : limit.name}
          {limit.above ? ", above what is drawn" : ", which holds for ACTIVE"}
        </Entry>
      ))}
      {chart?.suspects != null && (
        <Box component="span" sx={{ display: "inline-flex", alignItems: "center", gap: 1 }}>
          <Swatch mark={suspectMark(mode)} page={pages[mode]} size={12} />
          <Link component={RouterLink} to={suspectsOf(workflowId)} color="inherit">
            {suspectsWords(chart.suspects)}
          </Link>
          <Help about={["suspect"]} sx={inLine} />
        </Box>
      )}
      {compared !== null && (
        <Entry line="dashed" colour={comparedColour[mode]}>
          Peak of {compared}, from its own start
        </Entry>
      )}
    </Box>
  );
}

/** A line of words is no higher for it. */
const inLine = { my: -0.5, verticalAlign: "middle" };

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
