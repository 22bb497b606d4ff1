/** What a PromQL expression reads: each metric with the labels that it matches, groups by or leaves out. */
export interface Reads {
  metrics: { name: string; matchers: { label: string; operator: string; value: string }[] }[];
  /** After `by`, `on` and the like. */
  groupedBy: string[];
}

const WORDS =
  /^(sum|min|max|avg|count|by|without|on|ignoring|and|or|unless|rate|increase|histogram_quantile|time|offset|bool|label_values)$/;

/** Enough of the language for our own files: no subqueries, and no strings outside of matchers. */
export function readsOf(expression: string): Reads {
  const groupedBy = [...expression.matchAll(/\b(?:by|without|on|ignoring) ?\(([^)]*)\)/g)].flatMap(
    ([, labels = '']) => labels.split(',').map((label) => label.trim()),
  );
  const bare = expression
    .replaceAll(/\b(by|without|on|ignoring) ?\([^)]*\)/g, '')
    .replaceAll(/\[[^\]]*\]/g, '');
  const metrics = [...bare.matchAll(/\b([a-z_][\w:]*)(?:\{([^}]*)\})?/gi)]
    .filter(([, name = '']) => !WORDS.test(name))
    .map(([, name = '', inside = '']) => ({
      name,
      matchers: [...inside.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"/g)].map(
        ([, label = '', operator = '', value = '']) => ({ label, operator, value }),
      ),
    }));
  return { metrics, groupedBy };
}
