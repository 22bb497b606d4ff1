import type * as declared from './client.d.ts';

export class LatchkeyError extends Error implements declared.LatchkeyError {
  declare code: string | undefined;
  declare status: number;
  declare retryAfter: number | undefined;
  declare problem: Record<string, unknown>;

  constructor(response: Response, problem: Record<string, unknown>) {
    const { code, detail, title } = problem as Record<string, string | undefined>;
    super(detail ?? title ?? `status ${response.status}`);
    this.name = 'LatchkeyError';
    this.code = code;
    this.status = response.status;
    this.retryAfter = Number(response.headers.get('Retry-After')) || undefined;
    this.problem = problem;
  }
}

const ENDINGS = ['refresh_missing', 'refresh_invalid', 'refresh_reused', 'invalid_dpop_proof'];

/** Only these end a session: no fault of the network, a proxy or the service does. */
export const isEnding = (
  error: unknown,
): error is {
  code: 'refresh_missing' | 'refresh_invalid' | 'refresh_reused' | 'invalid_dpop_proof';
} => error instanceof LatchkeyError && error.status === 401 && ENDINGS.includes(`${error.code}`);

/** A refusal of this service that a repetition does not change. A proxy's answer has no code. */
const isFinal = (error: unknown) =>
  error instanceof LatchkeyError && error.code && error.status < 500 && error.status !== 429;

const TRIES = 4;

/** How long to wait before the next try (ms), or undefined: no further try. */
export const pauseAfter = (error: unknown, tries: number): number | undefined => {
  if (isFinal(error) || tries >= TRIES) return undefined;
  const { retryAfter = 0 } = error instanceof LatchkeyError ? error : {};
  // Spread, so that the tabs and users of a service that comes back do not all call at once.
  return Math.max(retryAfter * 1_000, 500 * 2 ** tries) * (1 + Math.random() / 4);
};
