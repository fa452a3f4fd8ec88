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
import { memo, useCallback, useState, type ReactNode } from "react";
import { Help, type HelpKey } from "../help/Help";

export interface Column<Row> {
  id: string;
  name: string;
  cell: (row: Row) => ReactNode;
  align?: "right";
  sortable?: boolean;
  /** The width in pixels below which the column does not shrink; its text wraps from there on. */
  minWidth?: number;
  /** What its name means. */
  help?: HelpKey;
}

export interface Sort {
  /** Id of a column. */
  by: string;
  descending: boolean;
}

type Key = string | number;

interface Props<Row> {
  /** What the table is of, as "Tasks". */
  label: string;
  /** The first one names the row. */
  columns: readonly Column<Row>[];
  /** Null while they are being loaded. */
  rows: readonly Row[] | null;
  rowKey: (row: Row) => Key;
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
  const [chosenKeys, setChosenKeys] = useState<ReadonlySet<Key>>(new Set());
  const chosen = rows?.filter((row) => chosenKeys.has(rowKey(row))) ?? [];

  const choose = useCallback((keys: readonly Key[], on: boolean) => {
    setChosenKeys((old) => {
      const next = new Set(old);
      for (const key of keys) {
        if (on) next.add(key);
        else next.delete(key);
      }
      return next;
    });
  }, []);

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
            fontVariantNumeric: "tabular-nums",
            "& thead th": { px: 1.5 },
            "& tbody > tr > *": {
              height: 42,
              px: 1.5,
              py: 0.75,
              borderBottom: 1,
              borderColor: "divider",
              typography: "body2",
              textAlign: "left",
            },
            "& tbody > tr:hover": { bgcolor: "action.hover" },
            "& tbody > tr:last-child > *": { borderBottom: 0 },
            "& tbody > tr > .number": { textAlign: "right" },
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
                    onChange={(_, on) => choose(rows?.map(rowKey) ?? [], on)}
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
              : rows.map((row) => {
                  const id = rowKey(row);
                  return (
                    <Row
                      key={id}
                      id={id}
                      row={row}
                      columns={columns}
                      chosen={chosenKeys.has(id)}
                      {...(actions !== undefined && {
                        name: rowName?.(row) ?? "",
                        onChoose: choose,
                      })}
                    />
                  );
                })}
          </TableBody>
        </Table>
      </TableContainer>
    </>
  );
}

interface RowProps<Row> {
  id: Key;
  row: Row;
  columns: readonly Column<Row>[];
  chosen: boolean;
  /** Of the row, where it can be chosen. */
  name?: string;
  onChoose?: (keys: readonly Key[], on: boolean) => void;
}

/**
 * Plain elements, which the table styles, and drawn again only when something in them has changed:
 * there may be a thousand of them.
 */
const Row = memo(function Row<Row>(props: RowProps<Row>) {
  const { id, row, columns, chosen, name, onChoose } = props;
  return (
    <tr>
      {onChoose !== undefined && (
        <td style={{ width: 48, paddingTop: 0, paddingBottom: 0 }}>
          <Checkbox
            size="small"
            checked={chosen}
            onChange={(_, on) => onChoose([id], on)}
            slotProps={{ input: { "aria-label": `Choose ${name}` } }}
          />
        </td>
      )}
      {columns.map(({ id, align, minWidth, cell }, i) => {
        const Cell = i === 0 ? "th" : "td";
        return (
          <Cell
            key={id}
            {...(i === 0 && { scope: "row" })}
            {...(align === "right" && { className: "number" })}
            {...(minWidth !== undefined && { style: { minWidth, overflowWrap: "anywhere" } })}
          >
            {cell(row)}
          </Cell>
        );
      })}
    </tr>
  );
}) as <Row>(props: RowProps<Row>) => ReactNode;

interface HeaderCellProps<Row> {
  column: Column<Row>;
  sort: Sort | undefined;
  onSort: ((column: string) => void) | undefined;
}

function HeaderCell<Row>({ column, sort, onSort }: HeaderCellProps<Row>) {
  const { id, name, align, sortable, help } = column;
  const direction = sort?.descending === true ? "desc" : "asc";
  const sorted = sort?.by === id;
  return (
    <TableCell
      align={align ?? "left"}
      sortDirection={sorted ? direction : false}
      // Cells are announced under the column's name alone, without that of the help.
      aria-label={help === undefined ? undefined : name}
      // Above numbers, which are short, a long name takes two lines.
      sx={{
        color: "text.secondary",
        py: 1.25,
        lineHeight: 1.3,
        whiteSpace: align === "right" ? "normal" : "nowrap",
      }}
    >
      <Box
        component="span"
        sx={{ display: "inline-flex", alignItems: "center", textAlign: align ?? "left" }}
      >
        {sortable === true && onSort !== undefined ? (
          <TableSortLabel
            active={sorted}
            direction={sorted ? direction : "asc"}
            onClick={() => onSort(id)}
            // The arrow is before a name above numbers, which end where it ends.
            sx={{ minHeight: 24, flexDirection: align === "right" ? "row-reverse" : "row" }}
          >
            {name}
          </TableSortLabel>
        ) : (
          name
        )}
        {help !== undefined && <Help about={[help]} label={name} sx={inPadding} />}
      </Box>
    </TableCell>
  );
}

/** In the padding after the name, so that the column is no wider for it. */
const inPadding = { my: -0.5, mr: -1.5 };

/** What a cell says where there is nothing to say. */
export function None() {
  return (
    <Box component="span" sx={{ color: "text.secondary" }}>
      –
    </Box>
  );
}
