import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { type Mailbox, mailbox } from './mailbox.ts';
import { refused } from './refused.ts';
import { type TestApp, testApp } from './test-app.ts';

const run = promisify(execFile);

interface Shown {
  app: TestApp;
  box: Mailbox;
  /** What the page tells its reader to run. */
  command: string;
}

const ENTITIES: Record<string, string> = { quot: '"', lt: '<', gt: '>', amp: '&' };
const unescaped = (html: string) =>
  html.replace(/&(\w+);/g, (_all, name: string) => ENTITIES[name] as string);

/** Reads the page of a mailed link, and checks what every such page has. */
export async function mailedPageOf(t: Test, url: string): Promise<Shown> {
  const box = await mailbox(t);
  const app = await testApp(t, { env: { MAIL_URL: box.url } });
  const answer = await app.inject({ url });
  t.equal(answer.statusCode, 200);
  t.match(answer.headers, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': /^default-src 'none'/,
    'cache-control': 'no-store',
  });
  t.match(answer.payload, '<meta name="viewport" content="width=device-width, initial-scale=1">');
  t.notMatch(answer.payload, /<script|<style|style=|src=/, 'nothing that its policy forbids');
  t.ok(answer.payload.includes(`href="${app.context.config.ISSUER}/docs"`));

  const elsewhere = await testApp(t, { env: { APP_URL: 'https://app.example.com' } });
  refused(t, await elsewhere.inject({ url }), 404, 'not_found');

  const [, html = ''] = /<p><code>(.+)<\/code><\/p>\n/.exec(answer.payload) ?? [];
  const origin = await app.app.listen({ host: '127.0.0.1', port: 0 });
  return {
    app,
    box,
    command: unescaped(html.replaceAll('<br>', '\n')).replace(app.context.config.ISSUER, origin),
  };
}

/** Runs what a page shows, with these words in place of others. Answers the status and the body. */
export async function carriedOut(command: string, replacements: Record<string, string> = {}) {
  const words = Object.entries(replacements).reduce(
    (text, [from, to]) => text.replace(from, to),
    command,
  );
  const { stdout } = await run('sh', ['-c', `${words} -sS -w '\\n%{http_code}'`]);
  const [, body = '', status] = /^([\s\S]*)\n(\d{3})$/.exec(stdout) ?? [];
  return { status: Number(status), body };
}
