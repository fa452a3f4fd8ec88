import { createElement, type ComponentType, type ReactNode } from "react";
import { useLazy, type Lazy } from "./lazy";

interface Props<P extends object> {
  code: Lazy<ComponentType<P>>;
  props: P;
  placeholder: ReactNode;
}

/** A component whose code comes in a file of its own, or its placeholder while that is being loaded. */
export function Part<P extends object>({ code, props, placeholder }: Props<P>) {
  const loaded = useLazy(code);
  return loaded === null ? placeholder : createElement(loaded, props);
}
