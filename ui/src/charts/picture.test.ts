import { describe, expect, it } from "vitest";
import { fitted } from "./picture";

const measure = (words: string) => Array.from(words).length;

describe("the words of a picture", () => {
  it("are left as they are where there is room for them", () => {
    expect(fitted("align", 5, measure)).toBe("align");
  });

  it("lose their middle where there is not, since names often differ at their ends alone", () => {
    expect(fitted("sample_0123456789_a", 9, measure)).toBe("samp…89_a");
    expect(fitted("sample_0123456789_b", 9, measure)).toBe("samp…89_b");
  });

  it("are not cut within a character", () => {
    expect(fitted("🧬🧬🧬🧬🧬🧬", 3, measure)).toBe("🧬…🧬");
  });
});
