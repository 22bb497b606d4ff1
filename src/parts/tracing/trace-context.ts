/** Where a request belongs in a trace (W3C Trace Context, level 1). */
export interface TraceContext {
  traceId: string;
  /** The caller's span. */
  parentId: string;
  /** Whether the caller records the trace. */
  isSampled: boolean;
}

/** A later version may append fields (section 3.2.4 of the recommendation); version ff is forbidden. */
const TRACEPARENT =
  /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/** Undefined if the header is missing or invalid. Nothing but hexadecimal digits comes through. */
export function traceContextOf(header: unknown): TraceContext | undefined {
  if (typeof header !== 'string') return undefined;
  const [, version, traceId, parentId, flags, more] = TRACEPARENT.exec(header) ?? [];
  if (traceId === undefined || parentId === undefined) return undefined;
  if (version === '00' && more !== undefined) return undefined;
  return { traceId, parentId, isSampled: (Number.parseInt(flags as string, 16) & 1) === 1 };
}
