import { createClient } from './client.js';
import { letPageGo } from './leaving.js';

/** The address of the service, with a slash at its end. These files are two folders below it. */
const base = new URL('../../', import.meta.url);

/** @param {string} path relative to the service, such as `login` or `v1/me` */
export const urlOf = (path) => new URL(path, base).href;

/** The user has not given the proof that a request needs. Has the members that `sentenceOf` reads. */
export class GivenUp extends Error {
  status = 401;
  code = 'step_up_required';
}

/**
 * How this page asks for a recent proof.
 *
 * @type {() => Promise<void>}
 */
let prove = async () => {
  throw new GivenUp();
};

/**
 * Says how to ask the user for a recent proof, when a request needs one. Rejects with GivenUp.
 *
 * @param {() => Promise<void>} how
 */
export const onStepUp = (how) => {
  prove = how;
};

/** The one client of this page. */
export const client = createClient({ url: base.href, onStepUp: () => prove() });

const { dataset } = document.documentElement;

/** The settings that a page needs to know. */
export const settings = {
  product: dataset['product'] ?? '',
  signUp: /** @type {'open' | 'verified' | 'closed'} */ (dataset['signUp']),
  passwordMinLength: Number(dataset['passwordMinLength']),
  providers: /** @type {{ provider: string, name: string }[]} */ (
    JSON.parse(dataset['providers'] ?? '[]')
  ),
};

/** A path with a query and a fragment. No backslash, which browsers read as a slash, and no tab or line end, which they skip. */
const PATH = /^\/(?!\/)[\w.~!$&'()*+,;=:@%/?#-]*$/;

/**
 * Where to go after signing in: the path in `?next=`, or the account. Takes only a path of this service: with any other
 * address, a link to the sign-in page could lead to a forgery of it (open redirect, CWE-601).
 *
 * @param {string} [search]
 */
export function nextPage(search = location.search) {
  const next = new URLSearchParams(search).get('next') ?? '';
  const url = new URL(PATH.test(next) ? next : base, base);
  const isOwn = url.origin === base.origin && url.pathname.startsWith(base.pathname);
  return isOwn && url.pathname !== base.pathname ? url.href : urlOf('account');
}

/**
 * Goes to the sign-in page, and from there back to this one.
 *
 * @param {string} [reason] why the session has ended: the `reason` of a change
 */
export function goToSignIn(reason) {
  const { pathname, search, hash } = location;
  const query = new URLSearchParams({ next: pathname + search + hash });
  if (reason === 'refresh_reused') query.set('ended', reason);
  letPageGo();
  location.replace(urlOf(`login?${query}`));
}

/**
 * Resolves to true if the user is signed in; otherwise goes to the sign-in page. From then on, a sign-out in any tab
 * goes there too. Rejects if the service cannot be reached.
 */
export async function requireSignedIn() {
  client.onChange(({ signedIn, reason }) => {
    if (!signedIn) goToSignIn(reason);
  });
  return (await client.token()) !== undefined;
}
