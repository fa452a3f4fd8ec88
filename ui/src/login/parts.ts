/** What nobody needs where nobody has to log in. */

import { lazy } from "../components/lazy";

export const loginPanel = lazy(() => import("./LoginPanel").then((m) => m.LoginPanel));
export const loginAction = lazy(() => import("./LoginPanel").then((m) => m.LoginAction));
export const loginPage = lazy(() => import("./LoginPage").then((m) => m.LoginPage));
export const userMenu = lazy(() => import("./UserMenu").then((m) => m.UserMenu));
