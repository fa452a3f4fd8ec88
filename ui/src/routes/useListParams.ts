import { useSearchParams } from "react-router";
import type { Paging } from "../components/Pager";

interface ListParams {
  params: URLSearchParams;
  /** Sets all the values of a parameter; none of them removes it. */
  filter: (name: string, values: readonly string[]) => void;
  /** Removes all of them. */
  clear: () => void;
  paging: Paging;
}

/** A list's filters and its page, as the URL holds them. */
export function useListParams(): ListParams {
  const [params, setParams] = useSearchParams();

  function set(name: string, values: readonly string[]) {
    setParams((old) => {
      const next = new URLSearchParams(old);
      next.delete(name);
      for (const value of values) next.append(name, value);
      // Another filter is another list: the cursor of the old one means nothing in it.
      if (name !== "cursor") next.delete("cursor");
      return next;
    });
  }

  return {
    params,
    filter: set,
    clear: () => setParams({}),
    paging: {
      cursor: params.get("cursor") ?? "",
      onCursor: (cursor) => set("cursor", cursor === "" ? [] : [cursor]),
    },
  };
}
