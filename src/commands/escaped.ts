const written = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('');

/** Text that someone else wrote, for a terminal: what could control it or reorder a line is written as in JSON, \uXXXX. */
export const escaped = (text: string): string => text.replace(/\p{C}/gu, written);

/** The same for a text of several lines. */
export const escapedLines = (text: string): string => text.replace(/[^\P{C}\n\t]/gu, written);
