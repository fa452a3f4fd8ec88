import Box from "@mui/material/Box";
import Checkbox from "@mui/material/Checkbox";
import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import TableSortLabel from "@mui/material/TableSortLabel";
import { useState, type ReactNode } from "react";

export interface Column<Row> {
  id: string;
  name: string;
  cell: (row: Row) => ReactNode;
  align?: "right";
  sortable?: boolean;
  /** The width in pixels below which the column does not shrink; its text wraps from there on. */
  minWidth?: number;
}

export interface Sort {
  /** Id of a column. */
  by: string;
  descending: boolean;
}

interface Props<Row> {
  /** What the table is of, as "Tasks". */
  label: string;
  /** The first one names the row. */
  columns: readonly Column<Row>[];
  /** Null while they are being loaded. */
  rows: readonly Row[] | null;
  rowKey: (row: Row) => string | number;
  sort?: Sort;
  onSort?: (column: string) => void;
  /** What can be done with chosen rows; without it none can be chosen. */
  actions?: ((chosen: readonly Row[]) => ReactNode) | undefined;
  /** Names a row for those who hear the page, where rows can be chosen. */
  rowName?: (row: Row) => string;
}

const loadingRows = 6;

/** A table that scrolls sideways where it is wider than the page, with the keyboard too. */
export function DataTable<Row>(props: Props<Row>) {
  const { label, columns, rows, rowKey, actions, rowName } = props;
  const [chosenKeys, setChosenKeys] = useState<ReadonlySet<string | number>>(new Set());
  const chosen = rows?.filter((row) => chosenKeys.has(rowKey(row))) ?? [];

  function choose(which: readonly Row[], on: boolean) {
    setChosenKeys((old) => {
      const next = new Set(old);
      for (const row of which) {
        if (on) next.add(rowKey(row));
        else next.delete(rowKey(row));
      }
      return next;
    });
  }

  return (
    <>
      {actions !== undefined && chosen.length > 0 && (
        <Stack
          direction="row"
          sx={{
            alignItems: "center",
            flexWrap: "wrap",
            gap: 1.5,
            px: 1.5,
            py: 1,
            bgcolor: "action.selected",
            typography: "body2",
          }}
        >
          {actions(chosen)}
        </Stack>
      )}
      <TableContainer
        role="region"
        tabIndex={0}
        aria-label={label}
        sx={{ "&:focus-visible": { outline: 2, outlineColor: "primary.main", outlineOffset: -2 } }}
      >
        <Table
          aria-label={label}
          aria-busy={rows === null}
          sx={{
            "& td, & th": { px: 1.5, fontVariantNumeric: "tabular-nums" },
            "& tbody > tr > *": { py: 0.75, height: 42 },
            "& tbody tr:last-child > *": { borderBottom: 0 },
          }}
        >
          <TableHead>
            <TableRow>
              {actions !== undefined && (
                <TableCell padding="checkbox">
                  <Checkbox
                    size="small"
                    disabled={!rows?.length}
                    checked={chosen.length > 0 && chosen.length === rows?.length}
                    indeterminate={chosen.length > 0 && chosen.length < (rows?.length ?? 0)}
                    onChange={(_, on) => choose(rows ?? [], on)}
                    slotProps={{ input: { "aria-label": "Choose all on this page" } }}
                  />
                </TableCell>
              )}
              {columns.map((column) => (
                <HeaderCell
                  key={column.id}
                  column={column}
                  sort={props.sort}
                  onSort={props.onSort}
                />
              ))}
            </TableRow>
          </TableHead>
          <TableBody>
            {rows === null
              ? Array.from({ length: loadingRows }, (_, i) => (
                  <TableRow key={i}>
                    {actions !== undefined && <TableCell padding="checkbox" />}
                    {columns.map(({ id }) => (
                      <TableCell key={id}>
                        <Skeleton />
                      </TableCell>
                    ))}
                  </TableRow>
                ))
              : rows.map((row) => (
                  <TableRow key={rowKey(row)} hover>
                    {actions !== undefined && (
                      <TableCell padding="checkbox">
                        <Checkbox
                          size="small"
                          checked={chosenKeys.has(rowKey(row))}
                          onChange={(_, on) => choose([row], on)}
                          slotProps={{ input: { "aria-label": `Choose ${rowName?.(row) ?? ""}` } }}
                        />
                      </TableCell>
                    )}
                    {columns.map(({ id, align, minWidth, cell }, i) => (
                      <TableCell
                        key={id}
                        {...(i === 0 && { component: "th", scope: "row" })}
                        {...(align && { align })}
                        {...(minWidth !== undefined && {
                          sx: { minWidth, overflowWrap: "anywhere" },
                        })}
                      >
                        {cell(row)}
                      </TableCell>
                    ))}
                  </TableRow>
                ))}
          </TableBody>
        </Table>
      </TableContainer>
    </>
  );
}

interface HeaderCellProps<Row> {
  column: Column<Row>;
  sort: Sort | undefined;
  onSort: ((column: string) => void) | undefined;
}

function HeaderCell<Row>({ column, sort, onSort }: HeaderCellProps<Row>) {
  const { id, name, align, sortable } = column;
  const direction = sort?.descending === true ? "desc" : "asc";
  const sorted = sort?.by === id;
  return (
    <TableCell
      align={align ?? "left"}
      sortDirection={sorted ? direction : false}
      // Above numbers, which are short, a long name takes two lines.
      sx={{
        color: "text.secondary",
        py: 1.25,
        lineHeight: 1.3,
        whiteSpace: align === "right" ? "normal" : "nowrap",
      }}
    >
      {sortable === true && onSort !== undefined ? (
        <TableSortLabel
          active={sorted}
          direction={sorted ? direction : "asc"}
          onClick={() => onSort(id)}
          sx={{ minHeight: 24 }}
        >
          {name}
        </TableSortLabel>
      ) : (
        name
      )}
    </TableCell>
  );
}

/** What a cell says where there is nothing to say. */
export function None() {
  return (
    <Box component="span" sx={{ color: "text.secondary" }}>
      –
    </Box>
  );
}
