/** Milliseconds since 1970. */
export type Clock = () => number;

/** Milliseconds since some instant before the start. Unlike a clock it is never set, so it never jumps. */
export type Uptime = () => number;
