// Exit codes (sysexits.h). Those of a process that cannot start are in `start-faults.ts`.
export const EX_USAGE = 64;
export const EX_DATAERR = 65;
export const EX_NOINPUT = 66;
export const EX_CANTCREAT = 73;
export const EX_IOERR = 74;

/** What each code says. The help of `latchkey` shows them. */
export const EXIT_CODES: Record<number, string> = {
  0: 'done',
  1: 'the service ended after an error, or was made to end at once; check: something is wrong',
  64: 'the command line is wrong',
  65: 'the data was refused, or a part of it',
  66: 'an input file cannot be read',
  69: 'the database or a server does not answer, or the disk fails',
  70: 'a bug in Latchkey; the stack trace is shown',
  73: 'an output file cannot be created',
  74: 'the output cannot be written',
  78: 'a setting, a key, a port or a permission is wrong, or a newer version changed the database',
};
