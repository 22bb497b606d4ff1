import type { Entries } from './entry.ts';

/** The request may be right, but the service cannot answer it now. */
export const serverProblems = {
  internal_error: {
    status: 500,
    title: 'Internal error',
    detail: 'Internal error. Search the log for the ID in "instance".',
    cause: 'Something unexpected went wrong in the service.',
    remedy:
      'Try again later. If it stays, send the operator the ID in "instance": the log has a line with the same ID and a stack trace.',
  },
  overloaded: {
    status: 503,
    title: 'Overloaded',
    detail: 'Too much work is waiting. Try again after Retry-After seconds.',
    cause:
      'More passwords are waiting to be checked than the service takes at a time, or other guesses at the same account are still being checked.',
    remedy: 'Wait as long as Retry-After says (seconds), then send the request again.',
  },
  unavailable: {
    status: 503,
    title: 'Unavailable',
    detail:
      'The database did not answer or cannot be written, or the data of this account cannot be read. Try again after Retry-After seconds.',
    cause:
      'The database is down, slow, full or read-only, or the row of this account is damaged. Nothing was changed, unless the answer was lost after the change.',
    remedy:
      'Wait as long as Retry-After says (seconds), then send the request again: a refresh with the same Idempotency-Key. If it stays, the log of the service names the cause.',
  },
} satisfies Entries;
