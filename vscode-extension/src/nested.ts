/** Dotted names as nested objects: `{"a.b": 1}` becomes `{a: {b: 1}}`. */
export function nested(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const whole: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const path = name.split(".");
    const leaf = path.pop() as string;
    let group = whole;
    for (const part of path) {
      group = (group[part] ??= {}) as Record<string, unknown>;
    }
    group[leaf] = value;
  }
  return whole;
}
