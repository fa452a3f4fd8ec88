import Box from "@mui/material/Box";
import { Component, type ReactNode } from "react";
import { ErrorState } from "./states";

interface Props {
  children: ReactNode;
  /** Another value, as that of another address, gives the part another chance. */
  resetOn?: string;
}

interface State {
  error: Error | null;
  resetOn?: string | undefined;
}

/** Keeps a fault in one part of the page from emptying all of it. */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  static getDerivedStateFromProps({ resetOn }: Props, state: State): State | null {
    return resetOn === state.resetOn ? null : { error: null, resetOn };
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    return (
      <Box sx={{ p: 3 }}>
        <ErrorState
          title="This part of the page has failed"
          error={this.state.error}
          onRetry={() => this.setState({ error: null })}
        />
      </Box>
    );
  }
}
