/** RFC 7638 thumbprints of keys that stand in documents, so that everybody has them. */
export const publishedKeys: ReadonlySet<string> = new Set(['PLACEHOLDER']);
