import Box from "@mui/material/Box";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TablePagination from "@mui/material/TablePagination";
import TableRow from "@mui/material/TableRow";
import { useState } from "react";
import { bucketsWithin, bucketStart, type Range } from "../charts/timeline";
import { formatDuration, formatNumber, formatTime } from "../format";
import type { Chart } from "./model";

interface Props {
  chart: Chart;
  range: Range;
  name: string;
}

const rowsPerPage = 100;

/** The numbers of the chart, a row for each bucket that is on screen. */
export function TableView({ chart, range, name }: Props) {
  const { buckets, totals, rows } = chart;
  const [from, to] = bucketsWithin(buckets, range);
  const [chosen, setPage] = useState(0);
  const page = Math.min(chosen, Math.max(0, Math.ceil((to - from) / rowsPerPage) - 1));
  const first = from + page * rowsPerPage;
  const last = Math.min(to, first + rowsPerPage);
  const columns = [...totals, ...rows];
  return (
    <Box sx={{ display: "flex", flexDirection: "column", minHeight: 0, height: "100%" }}>
      <TableContainer
        id="chart"
        sx={{ flex: 1, minHeight: 0 }}
        tabIndex={0}
        role="region"
        aria-label={name}
      >
        <Table size="small" stickyHeader sx={{ fontVariantNumeric: "tabular-nums" }}>
          <caption style={{ captionSide: "top", paddingTop: 4 }}>
            {name}, in buckets of {formatDuration(buckets.width / 1000)}; times are UTC
          </caption>
          <TableHead>
            <TableRow>
              <TableCell>Bucket starts (UTC)</TableCell>
              {columns.map((column) => (
                <TableCell
                  key={column.name}
                  align="right"
                  sx={{ minWidth: 104, overflowWrap: "break-word" }}
                >
                  {column.name}
                </TableCell>
              ))}
            </TableRow>
          </TableHead>
          <TableBody>
            {Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i).map(
              (bucket) => (
                <TableRow key={bucket} hover>
                  <TableCell component="th" scope="row" sx={{ whiteSpace: "nowrap" }}>
                    {formatTime(bucketStart(buckets, bucket))}
                  </TableCell>
                  {columns.map(({ name, values }) => (
                    <TableCell key={name} align="right">
                      {Number.isNaN(values[bucket]) ? "none" : formatNumber(values[bucket])}
                    </TableCell>
                  ))}
                </TableRow>
              ),
            )}
          </TableBody>
        </Table>
      </TableContainer>
      <TablePagination
        component="div"
        count={to - from}
        page={page}
        rowsPerPage={rowsPerPage}
        rowsPerPageOptions={[rowsPerPage]}
        onPageChange={(_, next) => setPage(next)}
        labelDisplayedRows={({ from, to, count }) =>
          `Buckets ${formatNumber(from)}–${formatNumber(to)} of ${formatNumber(count)}`
        }
      />
    </Box>
  );
}
