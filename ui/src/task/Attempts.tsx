import Box from "@mui/material/Box";
import Paper from "@mui/material/Paper";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import type { TaskAttempt } from "../api/types";
import { Fact, Facts } from "../components/Facts";
import { Latest } from "../components/Latest";
import { formatInstant, formatNumber } from "../format";
import { statusWords } from "../taskWords";

/** The attempts at a task, as they were reported, the latest last. */
export function Attempts({ attempts }: { attempts: readonly TaskAttempt[] }) {
  if (attempts.length === 0) {
    return (
      <Paper sx={{ px: 2, py: 1.5, typography: "body2", color: "text.secondary" }}>
        No attempt was reported: the task has not begun one yet, or its run was loaded from a file,
        which tells only the times that are above.
      </Paper>
    );
  }
  return (
    <Latest items={attempts} what="attempts" step={20}>
      {(latest) => (
        <Stack sx={{ gap: 1.5 }}>
          {latest.map((attempt) => (
            <Attempt key={attempt.id} attempt={attempt} />
          ))}
        </Stack>
      )}
    </Latest>
  );
}

function Attempt({ attempt }: { attempt: TaskAttempt }) {
  const { nodename, cluster, queue, distributor_id, submitted_at, errors } = attempt;
  const title = `Attempt ${formatNumber(attempt.attempt)}`;
  return (
    <Paper component="article" aria-label={title} sx={{ px: 2, py: 1.5 }}>
      <Typography variant="h2" component="h3">
        {title}: {statusWords(attempt.status_name).toLowerCase()}
      </Typography>
      <Facts>
        <Fact name="Since">{formatInstant(attempt.status_at)}</Fact>
        {submitted_at !== null && <Fact name="Submitted">{formatInstant(submitted_at)}</Fact>}
        <Fact name="Node">{nodename ?? "not known"}</Fact>
        {cluster !== null && <Fact name="Cluster">{cluster}</Fact>}
        {queue !== null && <Fact name="Queue">{queue}</Fact>}
        {distributor_id !== null && <Fact name="Id on the cluster">{distributor_id}</Fact>}
        <Fact name="Task instance">{attempt.id}</Fact>
        <Fact name="Workflow run">{attempt.workflow_run_id}</Fact>
        <Fact name="Asked for">{resourcesWords(attempt.requested_resources)}</Fact>
        {attempt.max_rss !== null && <Fact name="Most memory">{attempt.max_rss}</Fact>}
        {attempt.wallclock !== null && <Fact name="Wall clock">{attempt.wallclock}</Fact>}
        {attempt.cpu !== null && <Fact name="Processor time">{attempt.cpu}</Fact>}
      </Facts>
      {errors.map(({ at, description }, i) => (
        <Box key={i} sx={{ mt: 1.5 }}>
          <Box sx={{ typography: "body2", color: "error.main", fontWeight: 600 }}>
            Error at {formatInstant(at)}
          </Box>
          <Box
            component="pre"
            tabIndex={0}
            role="group"
            aria-label={`Text of the error at ${formatInstant(at)}`}
            dir="auto"
            sx={{
              m: 0,
              mt: 0.5,
              p: 1.5,
              maxHeight: 320,
              overflow: "auto",
              borderRadius: 1,
              bgcolor: "background.default",
              fontSize: "0.8125rem",
              whiteSpace: "pre-wrap",
              overflowWrap: "anywhere",
            }}
          >
            {description}
          </Box>
        </Box>
      ))}
    </Paper>
  );
}

/** "cores 2, memory 4G", from what was asked of the cluster. */
export function resourcesWords(resources: TaskAttempt["requested_resources"]): string {
  if (resources === null) return "not known";
  const words = Object.entries(resources).map(
    ([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return words.join(", ") || "nothing";
}
