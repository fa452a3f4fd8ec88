export { LoginPage } from "./LoginPage";
export { LoginAction, LoginPanel } from "./LoginPanel";
export { UserMenu } from "./UserMenu";
