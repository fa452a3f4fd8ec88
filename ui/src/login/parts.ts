/** What nobody needs where nobody has to log in: one file of code for all of it. */

import { lazy } from "../components/lazy";

const views = () => import("./views");

export const loginPanel = lazy(async () => (await views()).LoginPanel);
export const loginAction = lazy(async () => (await views()).LoginAction);
export const loginPage = lazy(async () => (await views()).LoginPage);
export const userMenu = lazy(async () => (await views()).UserMenu);
