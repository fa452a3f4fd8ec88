import { useSearchParams } from "react-router";
import { basePath } from "../basePath";
import { useTitle } from "../routes/useTitle";
import { LoginPanel } from "./LoginPanel";
import { loginProblem } from "./session";

/** Where the server sends a browser whose login failed. */
export function LoginPage() {
  useTitle("Log in");
  const [params] = useSearchParams();
  return (
    <LoginPanel
      problem={loginProblem(params.get("reason") ?? "")}
      returnTo={params.get("return_to") ?? basePath}
    />
  );
}
