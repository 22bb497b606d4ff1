import { fateOf, goodFate } from './network.ts';
import type { Random } from './random.ts';
import type { Session } from './session.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Mostly at two thirds to four fifths of an access token's life. Now and then the device sleeps for hours. */
const untilNext = (random: Random): number =>
  random.chance(0.03) ? random.between(HOUR, 8 * HOUR) : random.between(10 * MINUTE, 12 * MINUTE);

/**
 * An app on a phone, or a page that keeps its key: one refresh at a time, and the Idempotency-Key is stored with the
 * token. One in twenty times it is killed between request and answer, and asks again up to eight hours later. If the
 * session is bound to a key of its own, the app does not store the Idempotency-Key.
 */
export function startApp(session: Session): void {
  const { random } = session;
  let key: string | undefined;
  let life = 0;

  const ask = () => {
    const [own, sent] = [life, key ?? session.newKey()];
    const isCurrent = () => own === life && sent === key;
    key = sent;
    session.send(sent, fateOf(random), (token) => {
      if (!isCurrent()) return;
      session.token = token;
      key = undefined;
      session.after(untilNext(random), ask);
    });
    if (random.chance(0.05)) {
      life += 1;
      if (session.jkt !== undefined) key = undefined;
      session.after(random.between(MINUTE, 8 * HOUR), ask);
    } else session.after(5 * SECOND, () => (isCurrent() ? ask() : undefined));
  };
  session.after(untilNext(random), ask);
}

/**
 * Two or three tabs that share a cookie, take no turns, and keep no key when they are reloaded. They are reloaded
 * during a refresh, up to three times. So the network must let an answer through within the grace: after ten seconds
 * without one, it works again. Tabs with a key of their session need no such luck.
 */
export function startTabs(session: Session): void {
  const { random } = session;
  /** When the first request still without an answer was sent. */
  let askedAt: number | undefined;
  let nextLoad = 0;

  function startTab(): void {
    let page = 0;
    const load = () => {
      page += 1;
      const own = page;
      let tries = 0;
      let isDone = false;
      const key = session.newKey();
      const ask = () => {
        askedAt ??= session.now;
        tries += 1;
        const current = tries;
        const mustWork = session.jkt === undefined;
        const isWorking = mustWork && session.now > askedAt + 10 * SECOND;
        session.send(key, (isWorking ? goodFate : fateOf)(random), (token) => {
          if (token !== session.token) askedAt = undefined;
          session.token = token;
          // A new try gives up the ones before: its token may be newer.
          if (own !== page || isDone || current !== tries) return;
          isDone = true;
          planNext();
        });
        session.after(4 * SECOND, () => (own === page && !isDone ? ask() : undefined));
      };
      ask();
      if (random.chance(0.2))
        session.after(random.between(0, 3 * SECOND), () => (own === page ? load() : undefined));
    };
    const planNext = () => {
      const isTogether = nextLoad > session.now && random.chance(0.5);
      if (!isTogether) nextLoad = session.now + untilNext(random);
      session.after(nextLoad - session.now, load);
    };
    planNext();
  }

  for (let tab = random.between(2, 3); tab > 0; tab -= 1) startTab();
}

/** Copies the token at some moment, uses it at another, and goes on as long as it is answered. */
export function plantThief(session: Session): void {
  const { random } = session;
  const use = async (stolen: string) => {
    const answer = await session.steal(stolen);
    if (!('token' in answer)) return;
    session.after(random.between(SECOND, 15 * MINUTE), () => use(answer.token));
  };
  session.after(random.between(0, 6 * HOUR), () => {
    const { token } = session;
    session.after(random.chance(0.5) ? 0 : random.between(SECOND, 4 * HOUR), () => use(token));
  });
}
