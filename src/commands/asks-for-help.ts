/** Whether this word of a command line asks for help. */
export const isHelp = (word: string): boolean => ['help', '--help', '-h'].includes(word);

export const asksForHelp = (words: string[]): boolean => words.some(isHelp);
