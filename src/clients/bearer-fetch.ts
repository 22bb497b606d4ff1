interface Bearer {
  fetch: typeof fetch;
  /** The address of the page, for relative URLs. */
  here: string | undefined;
  /** Origins that get the access token. */
  trusted: Set<string>;
  token(): Promise<string | undefined>;
  /** The token to use after a 401 to this one; undefined: nobody is signed in any more. */
  after(refused: string): Promise<string | undefined>;
  /** After `step_up_required`: resolves when the user has proven who they are. Without it the 401 is the answer. */
  stepUp: (() => Promise<void>) | undefined;
}

/** As the global `fetch`, with the access token. A 401 is repeated once, with the token that follows. */
export const bearerFetch =
  ({ fetch, here, trusted, token, after, stepUp }: Bearer): typeof fetch =>
  async (input, init) => {
    const request = typeof input === 'object' && 'url' in input ? input : undefined;
    const headers = new Headers(init?.headers ?? request?.headers);
    const { origin } = new URL(request?.url ?? String(input), here);
    const sent = trusted.has(origin) && !headers.has('Authorization') ? await token() : undefined;
    if (!sent) return fetch(input, init);
    // A body that was read cannot be sent again.
    const again = request?.clone() ?? input;
    const call = (target: typeof input, bearer: string) => {
      headers.set('Authorization', `Bearer ${bearer}`);
      return fetch(target, { ...init, headers });
    };
    const response = await call(input, sent);
    const isStepUp = /insufficient_user/.test(response.headers.get('WWW-Authenticate') ?? '');
    const isStream =
      typeof (init?.body as { getReader?: unknown } | null)?.getReader === 'function';
    if (response.status !== 401 || isStream || (isStepUp && !stepUp)) return response;
    if (isStepUp) await stepUp?.();
    const next = await (isStepUp ? token() : after(sent));
    return next ? call(again, next) : response;
  };
