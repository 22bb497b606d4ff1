import { bearerFetch } from './bearer-fetch.ts';
import type * as declared from './client.d.ts';
import { newKey, oneAtATime, pageStorage, platform } from './platform.ts';
import { isEnding, LatchkeyError, pauseAfter } from './problems.ts';
import { wire } from './wire.ts';

type Reason = declared.Change['reason'];

interface Tokens {
  access_token: string;
  expires_in: number;
  refresh_after: number;
  session_id: string;
  refresh_token?: string;
  device_token?: string;
}

/** In memory alone. Times are by the clock of the device (ms). */
interface Session {
  id: string;
  token: string;
  refreshAt: number;
  expiresAt: number;
}

/** What tabs tell one another: a session with a new token, or the one that has ended. */
interface Message {
  at: number;
  reason: Reason;
  session?: Session | undefined;
  ended?: string | undefined;
}

/** After the last try that failed, and before the access token expires (ms). */
const LATER = 30_000;
const MARGIN = 10_000;
/** The lock can come before the message of the tab that had it (ms). */
const BEHIND = 200;
/** In place of the ID of a session that was signed out before its first answer. */
const UNKNOWN = '1';

const pass = () => {};

export const createClient: typeof declared.createClient = ({
  url,
  transport = 'cookie',
  storage,
  origins = [],
  name = 'latchkey',
  onStepUp,
  fetch: call = (...sent) => fetch(...sent),
}) => {
  const inBody = transport === 'body';
  if (inBody && !storage) throw new TypeError('transport "body" needs a storage');
  const store = storage ?? pageStorage();
  const here = platform.location?.href;
  const base = new URL(url.replace(/\/*$/, '/'), here).href;
  const trusted = new Set([base, ...origins].map((each) => new URL(each).origin));
  // Origins of URLs that have none: in browsers, and in React Native.
  trusted.delete('null');
  trusted.delete('');
  const locked = oneAtATime(name);
  const channel = platform.BroadcastChannel && new platform.BroadcastChannel(name);
  const listeners = new Set<(change: declared.Change) => void>();

  let session: Session | undefined;
  let signedIn: boolean | undefined;
  let changedAt = 0;
  /** Rises with every change: an answer to what was asked before it is dropped. */
  let epoch = 0;
  let endedId: string | undefined;
  let refreshing: Promise<void> | undefined;
  /** An unfinished `token()` of a page that was loaded without a network is tried again on waking. */
  let isWanted = false;
  let notBefore = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;
  let stir = pass;

  const keep = (key: string, value: string) => store.setItem(`${name}.${key}`, value);
  const kept = (key: string) => store.getItem(`${name}.${key}`);
  const drop = (key: string) => store.removeItem(`${name}.${key}`);
  /** Ended by the next call of `stir`, or after some milliseconds. */
  const pause = (length: number) =>
    new Promise<void>((resolve) => {
      stir = resolve;
      setTimeout(resolve, length);
    });
  const plan = (at: number) => {
    clearTimeout(timer);
    if (session && !isClosed) timer = setTimeout(refreshBehind, Math.max(at - Date.now(), 0));
  };

  const become = (next: Session | undefined, reason: Reason, at: number) => {
    const isNews = signedIn !== !!next || session?.id !== next?.id;
    if (!next) endedId = session?.id ?? endedId;
    session = next;
    signedIn = !!next;
    changedAt = at;
    epoch += 1;
    stir();
    plan(next?.refreshAt ?? 0);
    if (isNews) for (const listener of listeners) listener({ signedIn, reason });
  };
  /** Here and in the other tabs. */
  const share = (next: Session | undefined, reason: Reason, at = Date.now()) => {
    const ended = session?.id;
    become(next, reason, at);
    if (next || ended) channel?.postMessage({ at, reason, session: next, ended } satisfies Message);
  };
  const keepAll = async (tokens: Tokens) => {
    if (tokens.refresh_token) await keep('refresh', tokens.refresh_token);
    if (tokens.device_token) await keep('device', tokens.device_token);
    await drop('attempt');
  };
  /** What was kept of a token, unless a cookie carries it. JSON leaves out what is undefined. */
  const carried = async (key: string) => (inBody && (await kept(key))) || undefined;
  const forget = async () => {
    for (const key of ['refresh', 'attempt', 'ended']) await drop(key);
  };
  const adopt = async (tokens: Tokens, reason: Reason) => {
    const at = Date.now();
    await keepAll(tokens);
    if (reason === 'sign_in') await drop('ended');
    const next = {
      id: tokens.session_id,
      token: tokens.access_token,
      refreshAt: at + tokens.refresh_after * 1_000,
      expiresAt: at + tokens.expires_in * 1_000,
    };
    share(next, reason, at);
  };
  if (channel)
    channel.onmessage = ({ data }: { data: Message }) => {
      const { at, reason, session: next, ended } = data;
      if (next) {
        if (at > changedAt && next.id !== endedId) become(next, reason, at);
      } else if (session?.id === ended) become(undefined, reason, at);
    };

  const send = wire(base, inBody, call);

  /**
   * Ends the session of a sign-out that did not arrive. By its ID: the cookie may be that of a newer session, which a page
   * without this module has started. Returns whether the tokens are of the session that was signed out.
   */
  const finishLogout = async (tokens: Tokens) => {
    const ended = await kept('ended');
    if (!ended) return false;
    await keepAll(tokens);
    const { access_token: token, session_id } = tokens;
    const isOver = ended === UNKNOWN || ended === session_id;
    const id = isOver ? session_id : ended;
    try {
      await send(`v1/me/sessions/${id}`, { method: 'DELETE', token });
    } catch (error) {
      if (isOver) throw error;
      // Unless it is over, or of another user, the next refresh tries again.
      if (!(error instanceof LatchkeyError && error.code === 'not_found')) return false;
    }
    await (isOver ? forget() : drop('ended'));
    return isOver;
  };

  /** The answer to a refresh. Under the lock, because each refresh token works once. */
  const exchange = async (resource?: string): Promise<Tokens> => {
    // Kept until its answer is here: after a reload the same attempt gets the same tokens, however late.
    const attempt = (await kept('attempt')) || newKey();
    await keep('attempt', attempt);
    const { answer } = await send('v1/refresh', {
      body: { refresh_token: await carried('refresh'), resource },
      key: attempt,
    });
    // The page of a captive portal is no answer.
    if (!answer.access_token) throw new TypeError('no answer of the service');
    return answer;
  };

  const renew = async (began: number, waited: boolean) => {
    if (waited && epoch === began) await pause(BEHIND);
    // Another tab has refreshed, or somebody has signed in or out.
    if (epoch !== began) return;
    if (inBody && !(await carried('refresh'))) {
      await forget();
      share(undefined, 'refresh_missing');
      return;
    }
    try {
      const answer = await exchange();
      const isOver = await finishLogout(answer);
      if (epoch !== began) return;
      if (isOver) share(undefined, 'sign_out');
      else await adopt(answer, 'refresh');
    } catch (error) {
      if (!isEnding(error)) throw error;
      // Somebody has signed in or out meanwhile: the answer is about a session that is over.
      if (epoch !== began) return;
      await forget();
      share(undefined, error.code);
    }
  };
  const renewPatiently = async () => {
    const began = epoch;
    for (let tries = 0; ; tries += 1) {
      try {
        return await locked((waited) => renew(began, waited));
      } catch (error) {
        const length = pauseAfter(error, tries);
        if (length === undefined || length > LATER || isClosed) {
          const { retryAfter = 0 } = error instanceof LatchkeyError ? error : {};
          notBefore = Date.now() + retryAfter * 1_000;
          plan(Math.max(notBefore, Date.now() + LATER));
          throw error;
        }
        await pause(length);
        if (epoch !== began) return;
      }
    }
  };
  const refresh = () => {
    isWanted = true;
    refreshing ??= renewPatiently().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  };
  const refreshBehind = () => {
    refresh().catch(pass);
  };
  const isDue = async () => {
    if (session) return Date.now() >= session.refreshAt;
    return signedIn === undefined ? isWanted : kept('ended');
  };
  const wake = () => {
    stir();
    isDue().then((due) => {
      if (due && Date.now() >= notBefore) refreshBehind();
    }, pass);
  };

  const token = async () => {
    const now = Date.now();
    if (session && now < session.expiresAt - MARGIN) {
      if (now >= session.refreshAt && now >= notBefore) refreshBehind();
    } else if (session || signedIn === undefined) await refresh();
    return session?.token;
  };

  /** Signs in under the lock: a refresh of an older session must not clear the new cookie. */
  const signIn = (path: string, body: object): Promise<declared.Challenge | boolean> =>
    locked(async () => {
      // The new tokens replace those with which a sign-out can be finished.
      if (await kept('ended')) await exchange().then(finishLogout).catch(pass);
      const { status, answer } = await send(path, { body });
      if (status === 202) return answer.mfa_token ? answer : false;
      await adopt(answer, 'sign_in');
      return true;
    });

  /** The same, so that the service knows the device again. */
  const device = async () => ({ device_token: await carried('device') });
  const signInHere = async (path: string, body: object) =>
    signIn(path, { ...body, transport, ...(await device()) });

  const onOccasion = ({ persisted }: { persisted?: boolean }) => {
    // A page that comes back from the cache has missed what the others said.
    if (persisted && session) refreshBehind();
    else wake();
  };
  const occasions = ['visibilitychange', 'pageshow', 'online'];
  for (const occasion of occasions) platform.addEventListener?.(occasion, onOccasion);

  return {
    get signedIn() {
      return signedIn;
    },
    token,
    tokenFor: async (resource) =>
      (await token())
        ? locked(async () => {
            const answer = await exchange(resource);
            await keepAll(answer);
            return answer;
          })
        : undefined,
    fetch: bearerFetch({
      fetch: call,
      here,
      trusted,
      token,
      stepUp: onStepUp,
      after: async (refused) => {
        if (session?.token === refused) await refresh();
        return session?.token;
      },
    }),
    core: { base, send, device, signIn: signInHere },
    login: async (credentials) => {
      const answer = await signInHere('v1/login', credentials);
      return typeof answer === 'object' ? answer : undefined;
    },
    answerChallenge: async ({ mfa_token }, proof) => {
      await signIn('v1/login/mfa', { mfa_token, ...proof });
    },
    register: async (fields) => (await signIn('v1/register', { ...fields, transport })) === true,
    completeSignUp: async (fields) => {
      await signIn('v1/register/complete', { ...fields, transport });
    },
    changePassword: async (body) => {
      await token();
      await locked(async () => {
        const call = { method: 'PUT', body, token: session?.token };
        const { answer } = await send('v1/me/password', call);
        await adopt(answer, 'refresh');
      });
    },
    verify: async (body) => {
      const call = { body, token: await token() };
      const id = session?.id;
      const { answer } = await send('v1/me/verify', call);
      const at = Date.now();
      // Another tab may have signed somebody else in.
      if (!session || session.id !== id) return;
      const expiresAt = at + answer.expires_in * 1_000;
      const next = { ...session, token: answer.access_token, expiresAt };
      share(next, 'refresh', at);
    },
    logout: async () => {
      const last = session;
      if (last || (signedIn === undefined && !(await kept('ended'))))
        await keep('ended', last?.id ?? UNKNOWN);
      share(undefined, 'sign_out');
      await locked(async () => {
        try {
          const body = { refresh_token: await carried('refresh') };
          await send('v1/logout', { body, token: last?.token });
        } catch (error) {
          // No refresh token, and the access token has expired: nothing is left to end.
          if (!(error instanceof LatchkeyError && error.code?.startsWith('token_'))) throw error;
        }
        await forget();
      });
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    wake,
    close: () => {
      isClosed = true;
      clearTimeout(timer);
      channel?.close();
      listeners.clear();
      stir();
      for (const occasion of occasions) platform.removeEventListener?.(occasion, onOccasion);
    },
  };
};
