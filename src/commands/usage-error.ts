/** A wrong command line: shown without a stack trace. */
export class UsageError extends Error {}
